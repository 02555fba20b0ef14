"""Microsoft through the whole stack: consent, sends with and without a draft, lost answers, ends of a grant."""

from __future__ import annotations

import base64
import email
import email.policy
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tests import stack as stacks
from tests.connections import ledger, when
from tests.stack import Person, Stack, until

SENDING = "capabilities=send&kind=personal"
READING = "capabilities=send,read&kind=personal"
TIMEOUT = 2
# Fence and timeout run in real time; the quiet time on the clock that can be moved.
OVER = 10 + TIMEOUT + 1
QUIET = 121


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("microsoft")
    with stacks.running(data, settings={"TRUESEND_HTTP_TIMEOUT": str(TIMEOUT)}) as running:
        yield running


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def connect(person: Person, query: str = SENDING, **consent: Any) -> str:
    return str(person.connect(query=query, provider="microsoft", **consent)["id"])


def fault(person: Person, operation: str, kind: str, **more: Any) -> str:
    return person.stack.sandbox.fault(operation, kind, "microsoft", account=person.email, **more)


def operations(person: Person) -> list[str]:
    calls = person.stack.sandbox.calls(provider="microsoft", account=person.email)
    return [str(call["operation"]) for call in calls]


def delivery_of(sent: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = sent["deliveries"][0]
    return found


def outcomes(sent: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in delivery_of(sent)["attempts"]]


def arrivals(stack: Stack, sent: dict[str, Any]) -> int:
    return sum(one["count"] for one in stack.sandbox.messages(delivery=delivery_of(sent)["id"]))


def wait_until_over(sent: dict[str, Any]) -> None:
    """Until no byte of the try can leave any more, in real time."""
    started = datetime.fromisoformat(delivery_of(sent)["attempts"][-1]["started_at"])
    left = OVER - (datetime.now(started.tzinfo) - started).total_seconds()
    time.sleep(max(0.0, min(OVER, left)))


@pytest.mark.parametrize("query", [SENDING, READING], ids=["send only", "reading"])
def test_connected_sent_and_verified(stack: Stack, ana: Person, query: str) -> None:
    connection = connect(ana, query)
    assert ana.connection(connection)["address"] == ana.email
    sent = ana.email_when(ana.send(connection)["id"], "sent")
    delivery = delivery_of(sent)
    (arrived,) = stack.sandbox.messages(delivery=delivery["id"])
    assert (arrived["count"], arrived["provider"]) == (1, "microsoft")
    assert email.message_from_string(arrived["raw"])["X-Truesend-Delivery"] == delivery["id"]
    found = when(ana, connection, lambda one: one["verdict"] == "working")
    asked = {one["name"]: one["verdict"] for one in found["capabilities"] if one["cause"] != "not_asked"}
    assert asked == ({"send": "working", "read": "working"} if query == READING else {"send": "working"})
    done = operations(ana)
    assert ("drafts.send" in done) is (query == READING)
    assert ("send" in done) is (query == SENDING)
    assert ana.api("POST", f"connections/{connection}/verify").json()["verdict"] == "working"


def test_browsers_let_the_connect_form_lead_to_where_personal_accounts_sign_in(ana: Person) -> None:
    policy = ana.get("/integration").headers["Content-Security-Policy"]
    (forms,) = [part for part in policy.split(";") if part.strip().startswith("form-action")]
    assert {"https://login.live.com", ana.stack.sandbox.url} <= set(forms.split())


def test_reading_is_a_second_step_of_the_same_connection(ana: Person) -> None:
    connection = connect(ana)
    ana.email_when(ana.send(connection)["id"], "sent")
    again = connect(ana, f"{READING}&connection={connection}")
    assert again == connection
    ana.email_when(ana.send(connection)["id"], "sent")
    done = operations(ana)
    assert done.index("send") < done.index("drafts.send")
    kinds = [one["kind"] for one in ledger(ana, connection)]
    assert kinds.count("consent") == 2


def test_another_account_than_the_one_to_reconnect(ana: Person) -> None:
    connection = connect(ana)
    other = f"other.{ana.email}"
    ana.stack.sandbox.account(other, "microsoft")
    ana.stack.sandbox.consent(ana.email, "microsoft", as_account=other)
    answer = ana.get(f"/oauth/microsoft/start?{SENDING}&connection={connection}")
    assert parse_qs(urlsplit(answer.url).query)["cause"] == ["other_account"]
    assert ana.connection(connection)["address"] == ana.email


@pytest.mark.produces("admin_consent_needed")
def test_only_an_administrator_may_permit_reading(stack: Stack, ana: Person) -> None:
    stack.sandbox.switch("microsoft", consent_policy="managed", admin_approval_answer="consent_required")
    try:
        connection = connect(ana)  # sending is anybody's to permit
        stack.sandbox.consent(ana.email, "microsoft")
        answer = ana.get(f"/oauth/microsoft/start?{READING}&connection={connection}")
        assert parse_qs(urlsplit(answer.url).query)["cause"] == ["admin_consent_needed"]
    finally:
        stack.sandbox.switch("microsoft", consent_policy=None, admin_approval_answer=None)
    # What was connected stays as it was.
    ana.email_when(ana.send(connection)["id"], "sent")


@pytest.mark.parametrize(("decision", "title"), [("approve", "Permitted for your"), ("deny", "Nothing was")])
def test_an_administrator_comes_back_to_words_of_their_own(stack: Stack, decision: str, title: str) -> None:
    """Whoever was sent the link need not have an account here."""
    root = "root@contoso.example"  # of another directory: what is permitted there is not asked of its people again
    stack.sandbox.account(root, "microsoft", admin=True)
    stack.sandbox.consent(root, "microsoft", decision=decision)
    query = {
        "client_id": "sandbox-microsoft-client",
        "redirect_uri": f"{stack.url}/oauth/microsoft/callback",
        "scope": "https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/Mail.ReadWrite",
    }
    page = requests.get(f"{stack.sandbox.url}/organizations/v2.0/adminconsent", params=query, timeout=30)
    assert page.url.startswith(f"{stack.url}/oauth/microsoft/callback")
    assert page.status_code == 200
    assert title in page.text
    assert "AADSTS" not in page.text


def test_a_lost_answer_without_reading_is_a_persons_to_tell(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    fault(ana, "send", "lost_answer", times=1)
    sent = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    until(
        lambda: delivery_of(ana.api("GET", f"emails/{sent['id']}").json()),
        lambda one: one["look_at"] is None,
        20,
    )
    answer = ana.api("POST", f"deliveries/{delivery_of(sent)['id']}/resolve", {"outcome": "sent"})
    assert answer.status_code == 200, answer.text
    found = ana.email_when(sent["id"], "sent")
    assert (arrivals(stack, found), outcomes(found)) == (1, ["ACCEPTED"])


def test_a_lost_answer_with_reading_is_looked_up_by_the_draft(stack: Stack, ana: Person) -> None:
    connection = connect(ana, READING)
    fault(ana, "drafts.send", "lost_answer", times=1)
    found = ana.email_when(ana.send(connection)["id"], "sent", 30)
    assert (arrivals(stack, found), outcomes(found)) == (1, ["ACCEPTED"])


def test_a_draft_that_is_still_one_was_not_sent_and_goes_by_itself(stack: Stack, ana: Person) -> None:
    connection = connect(ana, READING)
    fault(ana, "drafts.send", "drop_before", times=1)
    sent = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    wait_until_over(sent)
    stack.sandbox.advance(QUIET)
    found = ana.email_when(sent["id"], "sent", 40)
    assert (arrivals(stack, found), outcomes(found)) == (1, ["NOT_SENT", "ACCEPTED"])
    assert operations(ana).count("drafts.delete") == 1


def test_a_draft_whose_answer_was_lost_is_cleared_away(stack: Stack, ana: Person) -> None:
    connection = connect(ana, READING)
    fault(ana, "drafts.create", "lost_answer", times=1)
    found = ana.email_when(ana.send(connection)["id"], "sent", 40)
    assert (arrivals(stack, found), outcomes(found)) == (1, ["NOT_SENT", "ACCEPTED"])
    done = operations(ana)
    assert (done.count("drafts.create"), done.count("drafts.delete"), done.count("drafts.send")) == (2, 1, 1)


def test_reading_given_afterwards_answers_what_was_open(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    fault(ana, "send", "lost_answer", times=1)
    sent = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    connect(ana, f"{READING}&connection={connection}")
    found = ana.email_when(sent["id"], "sent", 30)
    assert (arrivals(stack, found), outcomes(found)) == (1, ["ACCEPTED"])


@pytest.mark.parametrize(
    ("ended", "cause"),
    [
        ("unused", "grant_idle"),
        ("revoked", "password_changed"),
        ("mfa", "mfa_required"),
        ("sign_in_frequency", "session_policy"),
        ("conditional_access", "admin_policy"),
        ("consent_removed", "grant_revoked"),
        ("disabled", "account_gone"),
    ],
)
def test_how_a_grant_ends_is_told_and_mended_in_place(ana: Person, ended: str, cause: str) -> None:
    connection = connect(ana)
    ana.email_when(ana.send(connection)["id"], "sent")
    fault(ana, "any", "expire_grant", cause=ended)
    fault(ana, "any", "expire_access")
    told = ana.api("POST", f"connections/{connection}/verify").json()
    assert (told["verdict"], told["cause"]) == ("broken", cause), told
    assert "Microsoft" in told["sentence"] or "permission" in told["sentence"]
    ana.stack.sandbox.account(ana.email, "microsoft", disabled=False)
    assert connect(ana, f"{SENDING}&connection={connection}") == connection
    ana.email_when(ana.send(connection)["id"], "sent")
    when(ana, connection, lambda one: one["verdict"] == "working")


def test_an_account_that_may_not_send_is_told_and_waits(stack: Stack, ana: Person) -> None:
    connection = connect(ana)
    stack.sandbox.account(ana.email, "microsoft", send_block=True)
    made = ana.send(connection)
    told = when(ana, connection, lambda one: one["cause"] == "sending_blocked")
    assert told["verdict"] == "attention"
    assert "verify your account" in told["sentence"]
    waiting = ana.api("GET", f"emails/{made['id']}").json()
    assert waiting["status"] in {"queued", "held"}
    assert arrivals(stack, waiting) == 0


def large(connection: str, *files: bytes) -> dict[str, Any]:
    return {
        "connection": connection,
        "to": ["ines@globex.example"],
        "subject": "Large",
        "html": "<p>See the files.</p>",
        "attachments": [
            {
                "name": f"{number}.bin",
                "type": "application/octet-stream",
                "content_base64": base64.b64encode(content).decode(),
            }
            for number, content in enumerate(files)
        ],
    }


@pytest.mark.produces("files_need_reading", says="sends files of 25 MB in place of 2 MB")
def test_what_a_request_cannot_carry_is_said_with_the_way_out(ana: Person) -> None:
    connection = connect(ana)
    answer = ana.api("POST", "emails", large(connection, b"x" * (2 * 1024 * 1024 + 1)))
    assert (answer.status_code, answer.json()["cause"]) == (409, "files_need_reading")
    assert "2 MB" in answer.json()["sentence"]
    assert "25 MB" in answer.json()["sentence"]
    assert answer.json()["fix"] == {"label": "Allow reading", "url": f"/connections/{connection}/read"}
    page = ana.get(f"/connections/{connection}/read?next=%2Femails%2Fnew").text
    assert "sends files of 25 MB in place of 2 MB" in page
    assert 'value="/emails/new"' in page


def test_what_no_permission_helps_is_said_as_it_is(ana: Person) -> None:
    too_much = large(connect(ana), *[b"x" * (9 * 1024 * 1024)] * 3)
    answer = ana.api("POST", "readiness", too_much)
    (shut,) = [gate for gate in answer.json()["gates"] if not gate["ok"]]
    assert (shut["cause"], shut["fix"]["label"]) == ("attachments_too_large", "Edit the email")


def test_large_files_go_once_reading_is_allowed(stack: Stack, ana: Person) -> None:
    connection = connect(ana, READING)
    files = [os.urandom(size) for size in (7 * 1024 * 1024, 2_500_000, 11)]
    body = large(connection, *files)
    # In the middle of the second stretch the answer is lost once.
    fault(ana, "uploads.part", "lost_answer", times=1)
    sent = ana.email_when(ana.api("POST", "emails", body).json()["id"], "sent", 60)
    assert arrivals(stack, sent) == 1
    (arrived,) = stack.sandbox.messages(delivery=delivery_of(sent)["id"])
    parsed: Any = email.message_from_string(arrived["raw"], policy=email.policy.default)
    assert [part.get_content() for part in parsed.iter_attachments()] == files
    assert "See the files." in parsed.get_body(("html",)).get_content()
    assert "See the files." in parsed.get_body(("plain",)).get_content()
    done = operations(ana)
    assert done.count("uploads.start") == 1
    assert outcomes(sent) == ["ACCEPTED"]


def test_a_session_that_is_refused_leaves_no_half_of_an_email(stack: Stack, ana: Person) -> None:
    connection = connect(ana, READING)
    refused = fault(ana, "uploads.part", "throttle", retry_after=20)
    made = ana.api("POST", "emails", large(connection, os.urandom(5 * 1024 * 1024))).json()
    tried = until(
        lambda: ana.api("GET", f"emails/{made['id']}").json(),
        lambda one: outcomes(one)[:1] == ["NOT_SENT"],
        40,
    )
    assert arrivals(stack, tried) == 0
    assert [one for one in operations(ana) if one.startswith(("drafts", "uploads"))][-1] == "drafts.delete"
    stack.sandbox.control("DELETE", f"faults/{refused}")
    stack.sandbox.advance(30)
    assert arrivals(stack, ana.email_when(made["id"], "sent", 60)) == 1


@pytest.mark.produces("revoked_by_hand")
def test_disconnecting_says_that_the_permission_stays(ana: Person) -> None:
    connection = connect(ana)
    page = ana.get(f"/connections/{connection}/disconnect").text
    assert "stays until you end it there" in page
    assert "myapps.microsoft.com" in page
    assert "withdrawn" not in page
    assert ana.api("POST", f"connections/{connection}/disconnect").status_code == 200
    (noted,) = [one for one in ledger(ana, connection) if one["result"] == "revoked_by_hand"]
    assert "myapps.microsoft.com" in noted["words"]
    assert "revoke" not in operations(ana)
    told = "Microsoft lets no application give its own permission back. Remove Truesend at"
    assert told in ana.get(f"/connections/{connection}/ledger").text


def test_a_refused_client_stops_mail_once_the_key_at_hand_is_dead(ana: Person) -> None:
    connection = connect(ana)
    ana.email_when(ana.send(connection)["id"], "sent")
    fault(ana, "token", "client_secret_expired")
    told = ana.api("POST", f"connections/{connection}/verify").json()
    assert (told["verdict"], told["cause"]) == ("attention", "client_secret_expired")
    ana.email_when(ana.send(connection)["id"], "sent")
    # What a send would meet: the key that is out is refused, and there is no other.
    fault(ana, "identity", "expire_access", times=1)
    told = ana.api("POST", f"connections/{connection}/verify").json()
    assert (told["verdict"], told["cause"]) == ("broken", "client_secret_expired")
    draft = {"connection": connection, "to": ["ines@globex.example"], "subject": "x"}
    gates = ana.api("POST", "readiness", draft).json()["gates"]
    assert [one["cause"] for one in gates if not one["ok"]] == ["client_secret_expired"]


def test_a_probe_is_a_renewal_so_that_no_living_key_hides_a_dead_grant(ana: Person) -> None:
    connection = connect(ana)
    ana.email_when(ana.send(connection)["id"], "sent")
    fault(ana, "any", "expire_grant", cause="unused")
    told = ana.api("POST", f"connections/{connection}/verify").json()
    assert (told["verdict"], told["cause"]) == ("broken", "grant_idle")
