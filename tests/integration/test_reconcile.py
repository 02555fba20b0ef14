"""What became of a send that nobody answered for: found in Sent, proved absent, or said by a person. Never twice."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests import stack as stacks
from tests.stack import Person, Stack, until

READING = "capabilities=send,read&kind=personal"
TIMEOUT = 2
# Fence and timeout run in real time; the quiet time on the clock that can be moved.
OVER = 10 + TIMEOUT + 1
QUIET = 121


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("reconcile")
    with stacks.running(data, settings={"TRUESEND_HTTP_TIMEOUT": str(TIMEOUT)}) as running:
        yield running


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person()


def delivery_of(email: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = email["deliveries"][0]
    return found


def arrivals(stack: Stack, email: dict[str, Any]) -> int:
    return sum(one["count"] for one in stack.sandbox.messages(delivery=delivery_of(email)["id"]))


def wait_until_over(email: dict[str, Any]) -> None:
    """Until no byte of the try can leave any more, in real time."""
    started = datetime.fromisoformat(delivery_of(email)["attempts"][-1]["started_at"])
    left = OVER - (datetime.now(started.tzinfo) - started).total_seconds()
    time.sleep(max(0.0, min(OVER, left)))


def test_what_arrived_is_found_in_sent(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    stack.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    found = ana.email_when(ana.send(connection)["id"], "sent", 30)
    delivery = delivery_of(found)
    assert arrivals(stack, found) == 1
    assert [one["outcome"] for one in delivery["attempts"]] == ["ACCEPTED"]
    assert (delivery["look_at"], delivery["ask_from"]) == (None, None)
    assert found["problem"] is None


def test_what_is_not_in_sent_goes_again_by_itself_after_the_quiet_time(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    stack.sandbox.fault("send", "never", account=ana.email, times=1)
    email = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    assert delivery_of(email)["look_at"] is not None
    # It is looked for, and not found; but it may still arrive.
    until(
        lambda: stack.sandbox.calls(operation="history.list", account=ana.email),
        bool,
        20,
    )
    assert ana.email_when(email["id"], "unknown", 1)
    wait_until_over(email)
    stack.sandbox.advance(QUIET)
    found = ana.email_when(email["id"], "sent", 30)
    assert [one["outcome"] for one in delivery_of(found)["attempts"]] == ["NOT_SENT", "ACCEPTED"]
    assert arrivals(stack, found) == 1


def test_a_late_listing_is_waited_for(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=READING)["id"]
    stack.sandbox.switch(sent_listing_delay=90, history_delay=90)
    try:
        stack.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
        email = ana.email_when(ana.send(connection)["id"], "unknown", 30)
        wait_until_over(email)
        for _ in range(3):
            stack.sandbox.advance(45)
            time.sleep(2)
        found = ana.email_when(email["id"], "sent", 30)
    finally:
        stack.sandbox.switch(sent_listing_delay=None, history_delay=None)
    assert arrivals(stack, found) == 1
    assert len(delivery_of(found)["attempts"]) == 1


@pytest.mark.parametrize("answer", ["sent", "resend", "give_up"])
def test_without_reading_a_person_is_asked_once(stack: Stack, ana: Person, answer: str) -> None:
    connection = ana.connect()["id"]
    kind = "lost_answer" if answer == "sent" else "never"
    stack.sandbox.fault("send", kind, account=ana.email, times=1)
    email = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    until(
        lambda: ana.api("GET", f"emails/{email['id']}").json(),
        lambda one: delivery_of(one)["look_at"] is None,
        20,
    )
    resolve = f"deliveries/{delivery_of(email)['id']}/resolve"
    body = {"outcome": "sent"} if answer == "sent" else {"outcome": "not_sent", "resend": answer == "resend"}
    if answer != "sent":
        early = ana.api("POST", resolve, body)
        assert (early.status_code, early.json()["code"]) == (409, "too_early")
        assert re.search(r"Look again (on \d+ \w+ )?at \d\d:\d\d UTC\.$", early.json()["sentence"])
        both = ana.api("POST", resolve, {"outcome": "sent", "resend": True})
        assert (both.status_code, both.json()["code"]) == (409, "contradiction")
        wait_until_over(email)
        stack.sandbox.advance(QUIET)
    said = ana.api("POST", resolve, body)
    assert said.status_code == 200, said.text
    status = "cancelled" if answer == "give_up" else "sent"
    found = ana.email_when(email["id"], status, 30)
    assert arrivals(stack, found) == (0 if answer == "give_up" else 1)
    again = ana.api("POST", resolve, body)
    assert (again.status_code, again.json()["code"]) == (409, "not_unknown")


def test_permission_to_read_given_later_answers_by_itself(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    email = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    ana.connect(ana.email, f"{READING}&connection={connection}")
    found = ana.email_when(email["id"], "sent", 30)
    assert arrivals(stack, found) == 1


def test_a_stranger_answers_nothing(stack: Stack, ana: Person) -> None:
    eve = stack.person("eve", "Elsewhere")
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", "lost_answer", account=ana.email, times=1)
    email = ana.email_when(ana.send(connection)["id"], "unknown", 30)
    tried = eve.api("POST", f"deliveries/{delivery_of(email)['id']}/resolve", {"outcome": "sent"})
    assert tried.status_code == 404
    assert ana.api("GET", f"emails/{email['id']}").json()["status"] == "unknown"


def test_undo_makes_it_a_draft_and_nothing_leaves(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    email = ana.send(connection, undo_seconds=60, subject="Too soon")
    assert email["undo_until"] is not None
    undone = ana.api("POST", f"emails/{email['id']}/undo")
    assert (undone.status_code, undone.json()["status"], undone.json()["deliveries"]) == (200, "draft", [])
    assert 'value="Too soon"' in ana.get(f"/emails/new?draft={email['id']}").text
    # In another tab the email's page leads to the draft, and Undo once more does no harm.
    assert f"/emails/new?draft={email['id']}" in ana.get(f"/emails/{email['id']}").url
    assert f"/emails/new?draft={email['id']}" in ana.post(f"/emails/{email['id']}/undo").url
    live = ana.get(f"/emails/{email['id']}/timeline", headers={"HX-Request": "true"})
    assert live.headers["HX-Redirect"] == f"/emails/new?draft={email['id']}"
    assert ana.api("POST", f"emails/{email['id']}/undo").json()["status"] == "draft"
    stack.sandbox.advance(61)
    time.sleep(3)
    assert stack.sandbox.messages(delivery=delivery_of(email)["id"]) == []
    late = ana.send(connection)
    ana.email_when(late["id"], "sent")
    refused = ana.api("POST", f"emails/{late['id']}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_late")
    assert refused.json()["sentence"] == "It is too late to undo: it has left, or is leaving now."
    stack.sandbox.fault("send", "throttle", account=ana.email, seconds=600, retry_after=600)
    waiting = ana.send(connection, undo_seconds=1)
    until(
        lambda: ana.api("GET", f"emails/{waiting['id']}").json(),
        lambda one: one["problem"] == "throttled",
        20,
    )
    refused = ana.api("POST", f"emails/{waiting['id']}/undo").json()["sentence"]
    assert "we do not know" not in refused
    assert "Cancel stops it" in refused


def test_a_daily_limit_holds_until_the_window_opens(stack: Stack, ana: Person) -> None:
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", "daily_limit", account=ana.email, times=1, retry_after=3600)
    # Two copies, for a second email could come when the limit is known already, and be refused.
    people = ["a@globex.example", "b@globex.example"]
    sent = ana.send(connection, to=people, separate_copies=True)["id"]
    held = until(
        lambda: ana.api("GET", f"emails/{sent}").json(),
        lambda one: all(copy["held_cause"] == "daily_limit" for copy in one["deliveries"]),
        30,
    )
    assert (held["status"], held["problem"]) == ("held", "daily_limit")
    assert all(copy["due_at"] is not None for copy in held["deliveries"])
    # What is for an hour at which the limit is over waits for that, anything else for the end of the limit.
    opens = datetime.fromisoformat(delivery_of(held)["due_at"])
    draft = {"connection": connection, "to": ["x@globex.example"], "subject": "Later", "html": "<p>x</p>"}
    judged = ana.api("POST", "readiness", draft).json()
    (delayed,) = [gate for gate in judged["gates"] if gate["cause"]]
    assert (judged["ready"], delayed["ok"], delayed["name"]) == (True, True, "capability")
    assert datetime.fromisoformat(delayed["until"]) - opens < timedelta(milliseconds=1)
    later = ana.send(connection, send_at=(opens + timedelta(hours=1)).isoformat())
    assert (later["status"], later["problem"]) == ("scheduled", None)
    sooner = ana.send(connection, send_at=(opens - timedelta(minutes=1)).isoformat())
    assert sooner["status"] == "held"
    assert datetime.fromisoformat(delivery_of(sooner)["due_at"]) == opens
    stack.sandbox.advance(3601)
    ana.email_when(sooner["id"], "sent", 30)
    found = ana.email_when(sent, "sent", 30)
    for copy in found["deliveries"]:
        assert sum(one["count"] for one in stack.sandbox.messages(delivery=copy["id"])) == 1


def test_a_throttled_mailbox_asks_once_and_slows_no_other(stack: Stack, ana: Person) -> None:
    bob = stack.person("bob")
    connection, other = ana.connect()["id"], bob.connect()["id"]
    stack.sandbox.fault("send", "throttle", account=ana.email, seconds=300, retry_after=300)
    waiting = [ana.send(connection)["id"] for _ in range(5)]
    bob.email_when(bob.send(other)["id"], "sent")
    time.sleep(4)
    waiting.append(ana.send(connection)["id"])  # one that comes later keeps the provider's time as well
    time.sleep(3)
    assert len(stack.sandbox.calls(operation="send", account=ana.email)) <= 2
    stack.sandbox.advance(301)
    for one in waiting:
        ana.email_when(one, "sent", 30)
