"""What waits for its mailbox to be let through again says when it goes, and a late refusal of the key ends nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.stack import Person, Stack, until


def email_of(person: Person, email: str) -> dict[str, Any]:
    found: dict[str, Any] = person.api("GET", f"emails/{email}").json()
    return found


def detail_of(person: Person, email: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = email_of(person, email)["problem_detail"]
    return found


def test_what_waits_behind_a_throttled_email_says_why_and_until_when(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", "throttle", account=ana.email, times=1, retry_after=3000)
    # Due together: the first is refused, the other one rests with its mailbox.
    first, second = (ana.send(connection, subject=name, undo_seconds=2) for name in ("first", "second"))
    scheduled = ana.send(connection, subject="scheduled", send_at="2090-01-01T00:00:00Z")
    for one in (first, second):
        detail = until(partial(detail_of, ana, one["id"]), bool, 40)
        assert (detail["cause"], detail["fix"], detail["who"]) == ("throttled", None, [])
        assert detail["sentence"].startswith(
            "Nothing was sent yet. Google asks us to slow down. It goes by itself "
        )
    assert email_of(ana, scheduled["id"])["problem_detail"] is None
    assert "It goes by itself" in ana.get(f"/emails/{second['id']}").text


def test_a_key_that_ends_late_is_renewed_however_many_tries_there_were(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    stack.sandbox.fault("send", "throttle", account=ana.email, times=2, retry_after=1)
    sent = ana.send(connection)
    until(lambda: len(email_of(ana, sent["id"])["deliveries"][0]["attempts"]), lambda count: count >= 2, 20)
    stack.sandbox.fault("send", "expire_access", account=ana.email, times=1)
    found = ana.email_when(sent["id"], ("sent", "held"), 30)
    assert [one["outcome"] for one in found["deliveries"][0]["attempts"]] == ["NOT_SENT"] * 3 + ["ACCEPTED"]
    assert ana.connection(connection)["verdict"] == "working"
