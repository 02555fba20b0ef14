"""What a connection and an email say of a send that came to nothing clear, hours later too: blocks that still stand,
tries without an answer, keys that were renewed, and what was cleared up afterwards."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests import stack as stacks
from tests import up
from tests.connections import ledger
from tests.fault_texts.google import error
from tests.stack import Person, Stack, until

QUIET = 130


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation whose clock is moved by hours."""
    data = tmp_path_factory.mktemp("words") / "data"
    with stacks.running(data, settings={"TRUESEND_HTTP_TIMEOUT": "2"}) as running:
        yield running
    up.remove(data)


def text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def card(person: Person, connection: str) -> str:
    cards = person.get("/integration").text.split('<article class="card connection"')[1:]
    return next(one for one in cards if f"connection-{connection}" in one)


def email_page(person: Person, email: str) -> str:
    return text(person.get(f"/emails/{email}").text.partition("<main")[2])


def tried(stack: Stack, ends: str | tuple[str, ...], kind: str, /, **more: Any) -> tuple[Person, str, str]:
    """Somebody whose first send met a fault: person, connection, email."""
    ana = stack.person()
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", kind, account=ana.email, **more)
    email = ana.send(connection)["id"]
    ana.email_when(email, ends)
    return ana, connection, email


def renewals(person: Person, connection: str) -> int:
    return sum(one["kind"] == "refresh" for one in ledger(person, connection))


BLOCKS = {
    "admin_policy": error(403, "Not allowed by your domain's policy", "domainPolicy"),
    "mailbox_missing": error(400, "Mail service not enabled", "failedPrecondition"),
    "api_disabled": error(403, "Gmail API has not been used in project 1 before", "accessNotConfigured"),
}


def test_a_block_that_stands_is_not_declared_gone_by_time(own: Stack) -> None:
    met = {cause: tried(own, "held", "status", **answer) for cause, answer in BLOCKS.items()}
    before = {
        cause: ana.api("GET", f"emails/{email}").json()["problem_detail"]
        for cause, (ana, _, email) in met.items()
    }
    for seconds in (3400, 3500):
        had = {ana.email: renewals(ana, connection) for ana, connection, _ in met.values()}
        own.sandbox.advance(seconds)
        for ana, connection, _ in met.values():
            until(lambda: renewals(ana, connection), lambda now: now > had[ana.email], 30)  # noqa: B023  # read at once
    for cause, (ana, connection, email) in met.items():
        shown = ana.connection(connection)
        assert (shown["verdict"], shown["cause"]) == ("broken", cause)
        detail = ana.api("GET", f"emails/{email}").json()["problem_detail"]
        assert detail == before[cause]
        assert detail["cause"] == cause
        assert "is gone" not in email_page(ana, email)
        draft = {"connection": connection, "to": ["ines@globex.example"], "subject": "x"}
        assert ana.api("POST", "readiness", draft).json()["ready"] is False
    # A new consent brings it to light again at once, and where it is over the next check says so.
    ana, connection, _ = met["admin_policy"]
    ana.connect(ana.email, f"capabilities=send&kind=personal&connection={connection}")
    until(lambda: ana.connection(connection)["cause"], lambda cause: cause == "admin_policy", 15)
    own.sandbox.control("DELETE", "faults")
    own.sandbox.advance(900)
    for cause, (ana, connection, email) in met.items():
        gone = "not_tried" if cause == "admin_policy" else "tried_unproven"
        until(lambda: ana.connection(connection)["cause"], lambda told: told == gone, 30)  # noqa: B023
        assert "is gone" in email_page(ana, email)


DOUBTS = {
    "lost_answer": {},
    "never": {},
    "outage": {},
    "garbage": {},
    "status": {"status": 503, "body": ""},
}


@pytest.mark.parametrize("kind", DOUBTS)
def test_an_outcome_that_is_unknown_is_told_so_and_points_to_the_email(own: Stack, kind: str) -> None:
    ana, connection, email = tried(own, "unknown", kind, times=1, **DOUBTS[kind])
    shown = card(ana, connection)
    happened = ana.get(f"/connections/{connection}/ledger").text.partition("<ol")[2]
    line = text(happened)
    assert "Sent or not, unknown:" in line
    assert "not sent again by guess" in line
    assert "Send not accepted" not in line
    assert "We ask again by ourselves." in shown  # the provider, with nothing to send
    assert f'href="/emails/{email}"' in happened
    # An hour later nothing new is known, and it was tried all the same.
    own.sandbox.advance(3700)
    later = text(card(ana, connection))
    assert re.search(r"Permission given; tried (at|on) .*, outcome unknown\.", later)
    assert "Tried, outcome unknown" in later
    assert "not tried yet" not in later.lower()
    told = ana.connection(connection)
    assert (told["verdict"], told["cause"]) == ("unproven", "tried_unproven")
    assert re.fullmatch(
        r"Permission given; tried (on \d+ \w{3} )?at [\d:]{5} UTC, outcome unknown\.", told["sentence"]
    )
    # Somebody looked.
    (delivery,) = ana.api("GET", f"emails/{email}").json()["deliveries"]
    answer = ana.api("POST", f"deliveries/{delivery['id']}/resolve", {"outcome": "sent"})
    assert answer.status_code == 200, answer.text
    assert "and somebody found it in Sent" in ana.connection(connection)["sentence"]
    (attempt,) = ana.api("GET", f"emails/{email}").json()["deliveries"][0]["attempts"]
    assert attempt["words"].startswith("Somebody said that it was in Sent at ")


def test_a_refused_email_was_a_try(own: Stack) -> None:
    refusal = error(400, "Invalid To header", "invalidArgument")
    ana, connection, _ = tried(own, "failed", "status", times=1, **refusal)
    shown = text(card(ana, connection))
    assert re.search(r"Permission given; tried at .*, this email was refused\.", shown)
    assert "Tried, this email was refused" in shown
    assert "not tried yet" not in shown.lower()
    assert ana.connection(connection)["verdict"] == "unproven"


def test_a_key_that_had_expired_scares_nobody(own: Stack) -> None:
    ana, connection, email = tried(own, "sent", "expire_access", times=1)
    page = email_page(ana, email)
    assert "The key had expired Renewed by itself and sent." in page
    assert "Not accepted" not in page
    assert "reconnecting" not in page
    assert "reconnecting" not in card(ana, connection)


def test_a_key_that_every_renewal_leaves_refused_still_asks_for_somebody(own: Stack) -> None:
    refused = error(401, "Invalid Credentials", "authError")
    ana, _, email = tried(own, "held", "status", times=3, **refused)
    page = email_page(ana, email)
    assert "Not accepted Google refused our key for this account." in page
    assert "The key had expired" not in page


def test_a_limit_that_passed_is_told_as_passed(own: Stack) -> None:
    ana, _, email = tried(own, ("queued", "sent"), "throttle", times=1, retry_after=1)
    ana.email_when(email, "sent")
    page = email_page(ana, email)
    assert "Not accepted at first Google asks us to slow down. A later try went through." in page
    assert "goes on by itself" not in page


def test_a_reconciled_try_says_where_it_was_found(own: Stack) -> None:
    ana = own.person()
    connection = ana.connect(query="capabilities=send,read&kind=personal")["id"]
    own.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    email = ana.send(connection)["id"]
    found = ana.email_when(email, "sent", 30)
    (attempt,) = found["deliveries"][0]["attempts"]
    assert attempt["outcome"] == "ACCEPTED"
    assert re.fullmatch(
        r"Found in Sent at [\d-]{10} [\d:]{8} UTC\. At first: The connection broke before an answer came\.",
        attempt["words"],
    )
    own.sandbox.fault("send", "drop_before", account=ana.email, times=1)
    other = ana.send(connection)["id"]
    ana.email_when(other, "unknown")
    own.sandbox.advance(QUIET)
    first, second = ana.email_when(other, "sent", 60)["deliveries"][0]["attempts"]
    assert first["outcome"] == "NOT_SENT"
    assert first["words"].startswith("Not found in Sent, so nothing had left: looked up at ")
    assert (second["outcome"], second["words"]) == ("ACCEPTED", "")
