"""A team that sends from its Keap app: by API, from consent to what a recipient gets."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from tests import connections
from tests import stack as stacks
from tests.consents import notice
from tests.stack import Person, Stack, until

PATIENCE = {"TRUESEND_HTTP_TIMEOUT": "2", "TRUESEND_QUIET_TIME": "20"}
TO = "ines@globex.example"
# Fence and timeout run in real time, the quiet time on the clock that can be moved.
OVER, QUIET = 10 + 2 + 1, 21


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("keap")
    with stacks.running(data, settings=PATIENCE) as running:
        yield running


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def connected(ana: Person, **consent: Any) -> str:
    return str(ana.connect(provider="keap", **consent)["id"])


def address(stack: Stack, ana: Person, email: str, status: str) -> None:
    """What Keap knows of an address, in the first app of a person."""
    stack.sandbox.control("POST", "keap/addresses", {"account": ana.email, "email": email, "status": status})


def made(stack: Stack, ana: Person, operation: str) -> list[dict[str, Any]]:
    return stack.sandbox.calls(provider="keap", account=ana.email, operation=operation)


def new_contacts(stack: Stack, ana: Person) -> list[dict[str, Any]]:
    """A probe asks for one too, so that it is refused."""
    return [one for one in made(stack, ana, "contacts.upsert") if one["status"] == 201]


def arrived(stack: Stack, email: dict[str, Any]) -> dict[str, Any]:
    (found,) = stack.sandbox.messages(delivery=email["deliveries"][0]["id"])
    return found


def part_of(arrival: dict[str, Any], kind: str) -> str:
    """The text of a mail's body as HTML or plain."""
    part = message_from_string(arrival["raw"], policy=default).get_body((kind,))
    assert part is not None
    return str(part.get_content()).rstrip("\r\n")


def html_of(arrival: dict[str, Any]) -> str:
    return part_of(arrival, "html")


def test_one_consent_gives_everything_and_a_send_arrives(stack: Stack, ana: Person) -> None:
    connection = ana.connect(provider="keap")
    assert (connection["provider"], connection["address"]) == ("keap", ana.email)
    email = ana.email_when(ana.send(connection["id"])["id"], "sent")
    arrival = arrived(stack, email)
    assert (arrival["count"], arrival["provider"], arrival["from"]) == (1, "keap", ana.email)
    mark = f"<!-- truesend:delivery={email['deliveries'][0]['id']} -->"
    assert html_of(arrival).endswith(mark)
    assert "Ines Moreau" in arrival["raw"]  # the contact has her name now
    known = connections.when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert {one["name"]: one["verdict"] for one in known["capabilities"]} == {
        "send": "working",
        "read": "working",
        "contacts": "working",
    }


def test_a_link_in_it_is_tracked(stack: Stack, ana: Person) -> None:
    email = ana.email_when(ana.send(connected(ana))["id"], "sent")
    stack.sandbox.act(arrived(stack, email)["id"], "click", as_="browser", link=0)
    (signal, *_) = [one for one in ana.signals(email["id"], 1) if one["kind"] == "click"]
    assert signal["recipient"] is not None


def test_what_keap_knows_of_a_contact_stays(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    ana.email_when(ana.send(connection, to=[f"Ines Moreau <{TO}>"])["id"], "sent")
    email = ana.email_when(ana.send(connection, to=[f"Somebody Else <{TO}>"])["id"], "sent")
    assert "Ines Moreau" in arrived(stack, email)["raw"]
    assert len(new_contacts(stack, ana)) == 1
    assert made(stack, ana, "addresses.update") == []  # nobody is opted in


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        pytest.param(
            "LIST_UNSUBSCRIBE",
            "recipient_opted_out",
            marks=pytest.mark.produces("recipient_opted_out", api=True),
        ),
        ("MANUAL", "recipient_opted_out"),
        ("ADMIN", "recipient_opted_out"),
        pytest.param(
            "HARD_BOUNCE", "recipient_blocked", marks=pytest.mark.produces("recipient_blocked", api=True)
        ),
        ("SPAM", "recipient_blocked"),
        ("SYSTEM", "recipient_blocked"),
    ],
)
def test_who_opted_out_or_is_blocked_gets_nothing(stack: Stack, ana: Person, status: str, cause: str) -> None:
    connection = connected(ana)
    address(stack, ana, TO, status)
    email = ana.email_when(ana.send(connection)["id"], "failed")
    assert email["problem"] == cause
    assert email["problem_detail"]["sentence"].startswith("Nothing was sent.")
    assert status in email["problem_detail"]["sentence"]
    assert status in ana.get(f"/emails/{email['id']}").text
    assert stack.sandbox.messages(delivery=email["deliveries"][0]["id"]) == []
    assert new_contacts(stack, ana) == []
    # It says nothing of the connection.
    assert ana.connection(connection)["verdict"] in {"unproven", "working"}
    other = ana.email_when(ana.send(connection, to=["tom@initech.example"])["id"], "sent")
    assert arrived(stack, other)["count"] == 1


@pytest.mark.parametrize("status", ["NON_MARKETABLE", "UNENGAGED_NON_MARKETABLE", "BOUNCE", "CONFIRMED"])
def test_who_never_said_no_is_written_to(stack: Stack, ana: Person, status: str) -> None:
    connection = connected(ana)
    address(stack, ana, TO, status)
    email = ana.email_when(ana.send(connection)["id"], "sent")
    assert arrived(stack, email)["count"] == 1


def test_what_looks_like_a_merge_field_is_not_filled_in(stack: Stack, ana: Person) -> None:
    html = '<p title="~Contact.Email~">Dear ~Contact.FirstName~, <a href="https://x.example/~a~">x</a></p>'
    email = ana.email_when(ana.send(connected(ana), html=html, track=False)["id"], "sent")
    got = html_of(arrived(stack, email))
    assert got.partition("<!-- truesend")[0].replace("&#126;", "~") == html
    assert "Ines" not in got


def test_a_plain_text_carries_its_mark_too(stack: Stack, ana: Person) -> None:
    text = "Dear ~Contact.FirstName~,\n\n1 < 2 & 3"
    email = ana.email_when(ana.send(connected(ana), html="", text=text)["id"], "sent")
    arrival = arrived(stack, email)
    assert "1 &lt; 2 &amp; 3" in html_of(arrival)
    assert "Ines" not in html_of(arrival)
    assert "Ines" not in part_of(arrival, "plain")


def test_a_quoted_mark_of_an_earlier_mail_is_taken_out(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    first = ana.email_when(ana.send(connection)["id"], "sent")
    quoted = f"<p>See below</p><blockquote>{html_of(arrived(stack, first))}</blockquote>"
    second = ana.email_when(ana.send(connection, html=quoted)["id"], "sent")
    got = html_of(arrived(stack, second))
    assert got.count("truesend:delivery=") == 1
    assert second["deliveries"][0]["id"] in got
    assert arrived(stack, first)["count"] == 1


def test_two_apps_of_one_user_are_two_accounts(stack: Stack, ana: Person) -> None:
    stack.sandbox.account(ana.email, "keap", tenants=["aa111", "bb222"])
    one = ana.connect(provider="keap", tenant="aa111")
    two = ana.connect(provider="keap", tenant="bb222")
    assert one["id"] != two["id"]
    assert (one["address"], two["address"]) == (ana.email, ana.email)
    assert (one["place"], two["place"]) == ("aa111", "bb222")
    page = ana.get("/integration").text
    assert "What was sent" in page
    assert "Replies and bounces" not in page
    assert f"{ana.email} (aa111)" in page
    assert f"{ana.email} (bb222)" in page
    # The other app at a reconnect is another account.
    stack.sandbox.consent(ana.email, "keap", tenant="bb222")
    answer = ana.get(f"/oauth/keap/start?connection={one['id']}")
    assert "cause=other_account" in answer.url
    told = f"You chose {ana.email} (bb222); the one to reconnect is {ana.email} (aa111). Nothing was changed."
    assert told in notice(answer)
    stack.sandbox.consent(ana.email, "keap", tenant="aa111")
    answer = ana.get(f"/oauth/keap/start?connection={one['id']}")
    assert f"connected={one['id']}" in answer.url


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("redirect_uri_mismatch", "The return address of this installation is not registered at Keap."),
        ("admin_block", "An administrator at Keap does not allow Truesend for this account."),
        ("invalid_client", "Keap does not know this installation's client id."),
        ("no_user", "Keap says that this account was deleted or disabled."),
        ("access_denied", "You pressed Cancel at Keap."),
    ],
)
def test_a_page_that_leads_nowhere_can_be_looked_up(stack: Stack, ana: Person, page: str, said: str) -> None:
    stack.sandbox.account(ana.email, "keap")
    stack.sandbox.consent(ana.email, "keap", page=page)
    shown = ana.get("/oauth/keap/start?capabilities=send")
    assert shown.status_code >= 400
    assert "sandbox" in shown.text.lower()
    told = html.unescape(ana.get("/oauth/keap/pages").text)
    assert said in told
    assert f"{stack.url}/oauth/keap/callback" in told
    assert ana.api("GET", "connections").json()["items"] == []
    assert connected(ana)


def test_a_denied_consent_connects_nothing(stack: Stack, ana: Person) -> None:
    stack.sandbox.account(ana.email, "keap")
    stack.sandbox.consent(ana.email, "keap", decision="deny")
    answer = ana.get("/oauth/keap/start?capabilities=send")
    assert "cause=consent_denied" in answer.url
    assert ana.api("GET", "connections").json()["items"] == []


def test_a_lost_answer_is_found_in_the_history(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    stack.sandbox.fault("send", "lost_answer", provider="keap", account=ana.email, times=1)
    found = ana.email_when(ana.send(connection)["id"], "sent", 30)
    (delivery,) = found["deliveries"]
    assert arrived(stack, found)["count"] == 1
    assert [one["outcome"] for one in delivery["attempts"]] == ["ACCEPTED"]
    assert len(made(stack, ana, "send")) == 1


def _asked(ana: Person, email: str) -> dict[str, Any]:
    """The email once nothing more is looked up by itself before a person is asked."""
    found: dict[str, Any] = until(
        lambda: ana.api("GET", f"emails/{email}").json(),
        lambda one: one["status"] == "unknown" and one["deliveries"][0]["look_at"] is None,
        40,
    )
    return found


def test_what_never_shows_is_asked_of_a_person_and_not_sent_again(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    stack.sandbox.fault("send", "never", provider="keap", account=ana.email, times=1)
    sent = ana.send(connection)
    ana.email_when(sent["id"], "unknown", 30)
    time.sleep(OVER)
    stack.sandbox.advance(QUIET)
    email = _asked(ana, sent["id"])
    detail = email["problem_detail"]
    assert "email history" in detail["sentence"]
    assert detail["sentence"].endswith("It is not sent again by guess.")
    page = ana.get(f"/emails/{sent['id']}").text
    assert "Look into your email history: is it there?" in page
    assert "Truesend goes on looking there too" in page
    assert f"/keap/sent?user={ana.email.replace('@', '%40')}&amp;app=" in page
    assert len(made(stack, ana, "send")) == 1
    resolve = f"deliveries/{email['deliveries'][0]['id']}/resolve"
    answer = ana.api("POST", resolve, {"outcome": "not_sent", "resend": True})
    assert answer.status_code == 200, answer.text
    assert arrived(stack, ana.email_when(sent["id"], "sent"))["count"] == 1


def test_what_the_history_shows_late_is_found_though_a_person_was_asked(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    stack.sandbox.switch("keap", history_delay=3600.0)
    try:
        stack.sandbox.fault("send", "lost_answer", provider="keap", account=ana.email, times=1)
        sent = ana.send(connection)
        ana.email_when(sent["id"], "unknown", 30)
        time.sleep(OVER)
        stack.sandbox.advance(QUIET)
        _asked(ana, sent["id"])
        stack.sandbox.advance(3601)
        found = ana.email_when(sent["id"], "sent", 40)
    finally:
        stack.sandbox.switch("keap", history_delay=None)
    assert arrived(stack, found)["count"] == 1
    assert len(made(stack, ana, "send")) == 1


def test_what_the_daily_quota_holds_goes_once_a_probe_is_answered(stack: Stack, ana: Person) -> None:
    ben = stack.person("ben")
    mailbox, other = connected(ana), connected(ben)
    ana.email_when(ana.send(mailbox, to=[TO])["id"], "sent")
    stack.sandbox.fault("send", "daily_limit", "keap", account=ana.email, times=1, retry_after=7200)
    held = [ana.send(mailbox, to=[TO])["id"] for _ in range(2)]
    for one in held:
        assert ana.email_when(one, "held")["problem"] == "project_limit"
    waits = ben.send(other, to=[TO])["id"]
    until(
        lambda: ben.api("GET", f"emails/{waits}").json()["problem"], lambda it: it == "client_throttled", 20
    )
    # Two hours, said Keap. It is asked, and answers.
    assert ana.api("POST", f"connections/{mailbox}/verify").json()["cause"] != "project_limit"
    for one in held:
        ana.email_when(one, "sent")
    ben.email_when(waits, "sent")


def test_verify_asks_everything_and_sends_nothing(stack: Stack, ana: Person) -> None:
    connection = connected(ana)
    answer = ana.api("POST", f"connections/{connection}/verify")
    assert answer.status_code == 200, answer.text
    found = {one["name"]: one for one in ana.connection(connection)["capabilities"]}
    assert (found["read"]["verdict"], found["contacts"]["verdict"]) == ("working", "working")
    assert found["send"]["cause"] == "not_tried"
    assert made(stack, ana, "send") == []
    assert new_contacts(stack, ana) == []


def test_the_limits_are_said_before_a_send(ana: Person) -> None:
    connection = connected(ana)

    def gate(**draft: Any) -> dict[str, Any]:
        body = {
            "connection": connection,
            "to": [TO],
            "subject": "Hello",
            "html": "<p>Hi</p>",
            **draft,
        }
        gates = ana.api("POST", "readiness", body).json()["gates"]
        shut = [one for one in gates if not one["ok"]]
        assert len(shut) <= 1, shut
        return dict(shut[0]) if shut else {}

    def file(name: str, size: int = 10) -> dict[str, str]:
        return {"name": name, "type": "application/pdf", "content_base64": "QUFB" * (size // 3)}

    assert gate() == {}
    assert gate(cc=["tom@initech.example"])["sentence"] == "Keap sends to each person alone: no Cc or Bcc."
    several = gate(to=[TO, "tom@initech.example"])
    assert (several["name"], several["cause"]) == ("limits", "too_many_recipients")
    assert "separate copies" in several["sentence"]
    assert gate(to=[TO], cc=["tom@initech.example"], separate_copies=True) == {}
    assert gate(attachments=[file("a.pdf")] * 11)["cause"] == "too_many_files"
    large = gate(attachments=[file("plan.pdf", 1_100_000)])
    assert (large["cause"], "“plan.pdf” is 1.05 MB" in large["sentence"]) == ("file_too_large", True)
    odd = gate(attachments=[file("run.exe")])
    assert (odd["cause"], "“run.exe”" in odd["sentence"]) == ("file_type_refused", True)
    assert gate(subject=" ")["cause"] == "subject_missing"
    filled = gate(subject="For ~Contact.FirstName~")
    assert (filled["name"], filled["cause"]) == ("content", "subject_filled_in")
    assert "“~Contact.FirstName~”" in filled["sentence"]


def test_separate_copies_reach_each_alone(stack: Stack, ana: Person) -> None:
    draft = {"to": [TO], "cc": ["tom@initech.example"], "separate_copies": True}
    email = ana.email_when(ana.send(connected(ana), **draft)["id"], "sent")
    for one in email["deliveries"]:
        (arrival,) = stack.sandbox.messages(delivery=one["id"])
        assert arrival["to"] == [one["recipients"][0]["address"]]


def test_a_revoked_grant_shows(stack: Stack, ana: Person) -> None:
    connection = connections.proved(ana, provider="keap")["id"]
    stack.sandbox.fault("any", "revoke_grant", provider="keap", account=ana.email)
    ana.api("POST", f"connections/{connection}/verify")
    known = ana.connection(connection)
    assert known["verdict"] == "broken"
    assert known["fix"]["label"] == "Reconnect"
    email = ana.api("POST", "emails", {"connection": connection, "to": [TO], "subject": "x", "html": "x"})
    assert email.status_code == 409
    ana.connect(provider="keap")
    assert ana.connection(connection)["verdict"] != "broken"
