"""What came back to a Gmail mailbox: found by looking, told right, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import stack as stacks
from tests import up
from tests.sandbox.google_client import READ, SEND, SIGN_IN, GoogleClient, mail
from tests.stack import Person, Stack, until

READING = "capabilities=send,read&kind=personal"
INES = "Ines Moreau <ines@globex.example>"
TOM = "Tom Okafor <tom@globex.example>"
LEA = "lea@initech.example"
GONE = '{"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}}'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("inbox")
    with stacks.running(data, settings={"TRUESEND_INBOX_SECONDS": "1"}) as running:
        yield running
    up.remove(data)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def sent(ana: Person, connection: str, *to: str, **draft: Any) -> dict[str, Any]:
    """An email that was accepted."""
    made = ana.send(connection, to=list(to or (INES,)), **draft)
    return ana.email_when(made["id"], "sent")


def arrived(stack: Stack, email: dict[str, Any], copy: int = 0) -> str:
    """The id of the arrival of one copy."""
    delivery = email["deliveries"][copy]["id"]
    return str(until(lambda: stack.sandbox.messages(delivery=delivery), bool, 10)[0]["id"])


def kinds(signals: list[dict[str, Any]]) -> list[str]:
    return sorted(one["kind"] for one in signals)


def looked(stack: Stack, account: str) -> None:
    """Until the mailbox was looked into twice more: what was there before is found by then."""
    before = len(stack.sandbox.calls(operation="history.list", account=account))
    until(
        lambda: len(stack.sandbox.calls(operation="history.list", account=account)),
        lambda n: n >= before + 2,
        20,
    )


def test_a_reply_is_told_by_who_wrote_it(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    stack.sandbox.act(arrived(stack, email), "reply", text="Yes, gladly.")
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["class"], told["recipient"]) == ("reply", "person", "ines@globex.example")
    assert (told["rule"], told["confidence"], told["delivery"]) == (
        "reply",
        1.0,
        email["deliveries"][0]["id"],
    )
    shown = ana.api("GET", f"emails/{email['id']}").json()
    assert (shown["signal"], shown["answered"], shown["opened"], shown["problem"]) == ("reply", 1, 1, None)
    page = ana.get(f"/emails/{email['id']}").text
    assert "Replied" in page
    assert "Answered" in ana.get("/emails").text
    # A second look finds nothing twice.
    looked(stack, ana.email)
    assert kinds(ana.signals(email["id"], 1)) == ["reply"]


def test_an_own_follow_up_in_the_thread_is_no_reply(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    google = GoogleClient(stack.sandbox)
    tokens = google.connect(ana.email, f"{SIGN_IN} {SEND} {READ}")
    (own,) = google.gmail("GET", "messages?labelIds=SENT", tokens).json()["messages"]
    headers = google.gmail("GET", f"messages/{own['id']}?format=metadata", tokens).json()["payload"][
        "headers"
    ]
    number = next(one["value"] for one in headers if one["name"].lower() == "message-id")
    follow_up = mail("ines@globex.example", "Re: Proposal", In_Reply_To=number, References=number)
    assert google.send(tokens, follow_up, threadId=own["threadId"]).status_code == 200
    looked(stack, ana.email)
    assert ana.signals(email["id"], 0) == []
    # Answered after it, the answer belongs to what was sent here.
    (follow,) = [
        one for one in stack.sandbox.messages(to="ines@globex.example") if one["subject"] == "Re: Proposal"
    ]
    stack.sandbox.act(follow["id"], "reply", references=False)
    assert ana.signals(email["id"], 1)[0]["rule"] == "reply_thread"


def test_other_addresses_other_people_and_other_subjects(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    told_as = {
        "reply_other_address": "another address of Ines Moreau: ines@home.example",
        "reply_other_person": "another address, kim@globex.example, which it was not sent to. It forwards",
        "reply": "Its subject was changed.",
        "reply_thread": "names no mail",
    }
    answers: dict[str, dict[str, Any]] = {
        "reply_other_address": {"from": "Ines Moreau <ines@home.example>"},
        "reply_other_person": {
            "from": "Kim Berg <kim@globex.example>",
            "subject": "Fwd: Proposal reply_other_person",
        },
        "reply": {"subject": "Let’s talk about lunch"},
        "reply_thread": {"references": False},
    }
    for rule, answer in answers.items():
        email = sent(ana, connection, subject=f"Proposal {rule}")
        stack.sandbox.act(arrived(stack, email), "reply", **answer)
        (told,) = ana.signals(email["id"], 1)
        assert (told["kind"], told["rule"], told["recipient"]) == ("reply", rule, "ines@globex.example")
        assert told_as[rule] in told["reason"], told


ABSENT = {
    "en": ("Automatic reply: Proposal", "I am out of the office and will be back on 7 December 2026."),
    "de": (
        "Abwesenheitsnotiz: Proposal",
        "Ich bin nicht im Büro und ab dem 7. Dezember 2026 wieder erreichbar.",
    ),
    "fr": (
        "Réponse automatique : Proposal",
        "Je suis absente du bureau et serai de retour le 7 décembre 2026.",
    ),
    "es": (
        "Respuesta automática: Proposal",
        "Estoy fuera de la oficina y regresaré el 7 de diciembre de 2026.",
    ),
    "it": ("Risposta automatica: Proposal", "Sono fuori ufficio e rientrerò il 7 dicembre 2026."),
}


@pytest.mark.parametrize("language", ABSENT)
def test_out_of_office_in_five_languages(stack: Stack, ana: Person, language: str) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    subject, text = ABSENT[language]
    stack.sandbox.act(arrived(stack, email), "auto_reply", subject=subject, text=text)
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["recipient"]) == ("auto_reply", "ines@globex.example")
    assert told["reason"].endswith("Back on 7 December 2026."), told
    shown = ana.api("GET", f"emails/{email['id']}").json()
    assert (shown["answered"], shown["opened"], shown["problem"]) == (0, 0, None)
    assert "Answered by itself" in ana.get(f"/emails/{email['id']}").text


def test_two_mailboxes_of_one_organization_in_one_thread(stack: Stack) -> None:
    ana = stack.person("ana", "Two mailboxes")
    ben = stack.member_of(ana)
    ours = ana.connect(query=READING)["id"]
    theirs = ben.connect(query=READING)["id"]
    email = sent(ana, ours, INES, ben.email)
    arrival = arrived(stack, email)
    # Ben answers all from his own mailbox: in Ana's inbox, and no reply to her.
    stack.sandbox.act(arrival, "reply", to=ben.email, cc=["ines@globex.example"])
    looked(stack, ana.email)
    assert ana.signals(email["id"], 0) == []
    # Ines answers all: in both inboxes, and one reply.
    stack.sandbox.act(arrival, "reply", to="ines@globex.example", cc=[ben.email])
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["recipient"]) == ("reply", "ines@globex.example")
    looked(stack, ben.email)
    assert kinds(ana.signals(email["id"], 1)) == ["reply"]
    assert "Ines Moreau replied" in ana.get(f"/emails/{email['id']}").text
    # Written to Ben alone, his answer is one.
    alone = sent(ana, ours, ben.email, subject="Lunch")
    stack.sandbox.act(arrived(stack, alone), "reply")
    assert kinds(ana.signals(alone["id"], 1)) == ["reply"]
    assert theirs != ours


def test_separate_copies_and_a_shared_thread_name_who_answered(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    apart = sent(ana, connection, INES, TOM, separate_copies=True)
    stack.sandbox.act(arrived(stack, apart, 1), "reply")
    (told,) = ana.signals(apart["id"], 1)
    assert (told["delivery"], told["recipient"]) == (apart["deliveries"][1]["id"], "tom@globex.example")
    shared = sent(ana, connection, INES, TOM, LEA, subject="For all")
    stack.sandbox.act(arrived(stack, shared), "reply", to=LEA)
    (told,) = ana.signals(shared["id"], 1)
    assert told["recipient"] == LEA
    stack.sandbox.act(arrived(stack, shared), "reply", **{"from": "kim@globex.example"})
    told = ana.signals(shared["id"], 2)[1]
    assert (told["recipient"], told["rule"]) == (None, "reply_other_person")
    page = ana.get(f"/emails/{shared['id']}").text
    assert "lea@initech.example replied" in page
    assert "One of 3 people replied" in page


def test_a_bounce_names_whom_it_did_not_reach(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection, INES, TOM, LEA)
    arrival = arrived(stack, email)
    stack.sandbox.act(arrival, "delay", to="tom@globex.example")
    (late,) = ana.signals(email["id"], 1)
    assert (late["kind"], late["recipient"]) == ("delay", "tom@globex.example")
    shown = ana.api("GET", f"emails/{email['id']}").json()
    assert (shown["problem"], shown["status"]) == ("delayed", "sent")
    stack.sandbox.act(arrival, "bounce", to="tom@globex.example")
    failed = ana.signals(email["id"], 2)[1]
    assert (failed["kind"], failed["recipient"], failed["rule"]) == (
        "bounce",
        "tom@globex.example",
        "bounce_hard",
    )
    shown = ana.api("GET", f"emails/{email['id']}").json()
    # The email is what it was, and says what came back.
    assert (shown["problem"], shown["status"]) == ("bounced", "sent")
    assert shown["problem_detail"]["sentence"] == (
        "tom@globex.example: this address does not exist. Check how it is spelled."
    )
    page = ana.get(f"/emails/{email['id']}").text
    assert "It bounced at tom@globex.example." in page
    assert "Tom Okafor bounced" in page
    assert f'action="/signals/{failed["id"]}/strike"' in page
    assert "Bounced" in ana.get("/emails").text
    # Struck, it is told no more; what was said before it is.
    assert ana.api("POST", f"signals/{failed['id']}/strike").status_code == 200
    assert ana.api("GET", f"emails/{email['id']}").json()["problem"] == "delayed"


def test_a_delay_ends_with_the_arrival(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    arrival = arrived(stack, email)
    stack.sandbox.act(arrival, "delay")
    ana.signals(email["id"], 1)
    assert ana.api("GET", f"emails/{email['id']}").json()["problem"] == "delayed"
    assert "Delayed" in ana.get("/emails").text
    stack.sandbox.act(arrival, "reply")
    ana.signals(email["id"], 2)
    shown = ana.api("GET", f"emails/{email['id']}").json()
    assert (shown["problem"], shown["signal"]) == (None, "reply")


def test_a_bounce_of_a_mail_that_was_not_sent_here(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    google = GoogleClient(stack.sandbox)
    tokens = google.connect(ana.email, f"{SIGN_IN} {SEND} {READ}")
    assert google.send(tokens, mail("nobody@globex.example", "By hand")).status_code == 200
    (other,) = stack.sandbox.messages(to="nobody@globex.example")
    stack.sandbox.act(other["id"], "bounce")
    stack.sandbox.act(other["id"], "reply")
    looked(stack, ana.email)
    assert ana.signals(email["id"], 0) == []
    assert ana.api("GET", f"emails/{email['id']}").json()["problem"] is None


def test_a_limit_stops_the_mailbox_and_blames_nobody(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    stack.sandbox.act(arrived(stack, email), "bounce", about="sender")
    (told,) = ana.signals(email["id"], 1)
    assert (told["kind"], told["rule"]) == ("bounce", "bounce_of_the_sender")
    assert " did not get it. This account has reached its provider's limit" in told["reason"]
    found = until(lambda: ana.connection(connection), lambda one: one["verdict"] == "attention", 10)
    assert found["cause"] == "daily_limit"
    waiting = ana.send(connection, to=[TOM])
    held = ana.email_when(waiting["id"], "held")
    assert (held["problem"], held["deliveries"][0]["held_cause"]) == ("daily_limit", "daily_limit")
    assert held["deliveries"][0]["due_at"] is not None
    assert stack.sandbox.messages(delivery=held["deliveries"][0]["id"]) == []
    assert "At its limit" in ana.get("/integration").text


def test_nothing_is_lost_while_reading_was_not_possible(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    arrival = arrived(stack, email)
    stack.sandbox.fault("read", "outage", account=ana.email, seconds=4)
    stack.sandbox.act(arrival, "reply")
    until(
        lambda: ana.connection(connection)["capabilities"][1],
        lambda one: one["verdict"] == "attention",
        20,
    )
    stack.sandbox.advance(60)
    assert kinds(ana.signals(email["id"], 1, 20)) == ["reply"]
    assert ana.connection(connection)["capabilities"][1]["verdict"] == "working"


def test_a_history_that_is_forgotten_is_read_again_without_telling_twice(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    email = sent(ana, connection)
    arrival = arrived(stack, email)
    stack.sandbox.act(arrival, "reply")
    ana.signals(email["id"], 1)
    stack.sandbox.fault("history.list", "status", account=ana.email, times=1, status=404, body=GONE)
    listed = len(stack.sandbox.calls(operation="messages.list", account=ana.email))
    stack.sandbox.act(arrival, "reply", to="ines@globex.example", text="And one more thing.")
    ana.signals(email["id"], 2, 20)
    until(
        lambda: len(stack.sandbox.calls(operation="messages.list", account=ana.email)),
        lambda number: number > listed,
        10,
    )
    looked(stack, ana.email)
    assert kinds(ana.signals(email["id"], 2)) == ["reply", "reply"]


def test_what_came_before_reading_was_permitted_is_found(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    email = sent(ana, connection)
    stack.sandbox.act(arrived(stack, email), "reply", references=False)
    ana.connect(ana.email, f"{READING}&connection={connection}")
    assert kinds(ana.signals(email["id"], 1, 20)) == ["reply"]
