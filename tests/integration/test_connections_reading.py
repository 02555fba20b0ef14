"""Reading is tried by itself: after the consent that permitted it, and as long as it is to be believed."""

from __future__ import annotations

import time
from functools import partial
from operator import eq
from typing import Any

import pytest
from tests.connections import ledger, proved, when
from tests.stack import Person, Stack, until


def reads(connection: dict[str, Any]) -> bool:
    """Whether reading is proved."""
    found: bool = connection["capabilities"][1]["verdict"] == "working"
    return found


def test_connecting_again_to_send_keeps_what_was_allowed_to_be_read(stack: Stack) -> None:
    ana = stack.person()
    both = ana.connect(query="capabilities=send,read&kind=personal")
    again = ana.connect()
    assert again["id"] == both["id"]
    assert again["capabilities"][0]["cause"] == "not_tried"
    read = when(ana, again["id"], reads)["capabilities"][1]
    assert read["proof"]["call"] == "profile"


def looked_into(stack: Stack, who: Person) -> None:
    """Until the mailbox was looked into for what came back."""
    until(lambda: stack.sandbox.calls(operation="history.list", account=who.email), bool, 20)


def test_reading_is_tried_without_being_asked_and_then_it_works(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect(query="capabilities=send,read&kind=personal&test_email=1")
    working = when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert [one["verdict"] for one in working["capabilities"]] == ["working", "working"]
    told = [(one["kind"], one["trigger"], one["result"]) for one in ledger(ana, connection["id"])]
    assert ("probe", "schedule", "ok") in told


def test_reading_that_fails_after_the_consent_is_told_and_tried_again(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    fault = stack.sandbox.fault("profile", "outage", account=ana.email)
    connection = ana.connect(query="capabilities=send,read&kind=personal&test_email=1")
    odd = when(ana, connection["id"], lambda one: one["cause"] == "provider_error")
    assert (odd["verdict"], odd["capabilities"][1]["cause"]) == ("attention", "provider_error")
    assert odd["fix"] == {"label": "Verify now", "url": f"/integration#connection-{connection['id']}"}
    stack.sandbox.control("DELETE", f"faults/{fault}")
    stack.sandbox.advance(16 * 60)
    when(ana, connection["id"], lambda one: one["verdict"] == "working")


@pytest.mark.alone
def test_a_consent_that_comes_while_reading_is_tried_is_tried_too(stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email)
    stack.sandbox.fault("profile", "slow", ms=4000, account=ana.email, times=1)
    first = ana.connect(query="capabilities=send,read&kind=personal")
    time.sleep(2.5)  # the first probe waits for its answer, which says nothing of the next grant
    again = ana.connect(query="capabilities=send,read&kind=personal")
    assert again["id"] == first["id"]
    when(ana, first["id"], reads)
    looked_into(stack, ana)
    # Two probes; and where the mailbox’s history stood when it was first looked into.
    assert len(stack.sandbox.calls(operation="profile", account=ana.email)) == 3


def test_reading_stays_proved_while_nobody_looks(stack: Stack) -> None:
    ana, tom = stack.person(), stack.person()
    connection = ana.connect(query="capabilities=send,read&kind=personal&test_email=1")
    sends = proved(tom)
    when(ana, connection["id"], lambda one: one["verdict"] == "working")
    looked_into(stack, ana)
    before = len(stack.sandbox.calls(operation="profile", account=ana.email))
    for days in range(1, 4):
        stack.sandbox.advance(24 * 3600)
        working = when(ana, connection["id"], lambda one: one["verdict"] == "working")
        wanted = before + days  # once a day here, as the clock jumps by whole days

        def probed() -> int:
            return len(stack.sandbox.calls(operation="profile", account=ana.email))

        until(probed, partial(eq, wanted), 10)
        assert working["cause"] is None
    # Of who may only send nothing is read.
    when(tom, sends["id"], lambda one: one["verdict"] == "working")
    assert stack.sandbox.calls(operation="profile", account=tom.email) == []
