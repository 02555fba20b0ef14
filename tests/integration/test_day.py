"""A mailbox's rolling day: copies stop short of it, a single mail still goes, the rest leaves a day later by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.stack import Person, Stack, until

MOST, COPIES = 10, 12


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person("ana")


def lowered(ana: Person, most: str = str(MOST)) -> str:
    box = str(ana.connect()["id"])
    page = ana.post(f"/connections/{box}/day/limit", {"most": most})
    assert page.status_code == 200, page.text
    return box


def draft(box: str, count: int = COPIES, **more: Any) -> dict[str, Any]:
    to = [f"day{number}@globex.example" for number in range(count)]
    return {
        "connection": box,
        "subject": "Day",
        "html": "<p>x</p>",
        "to": to,
        "separate_copies": True,
        **more,
    }


def gate(ana: Person, body: dict[str, Any]) -> dict[str, Any]:
    gates = ana.api("POST", "readiness", body).json()["gates"]
    place = [one["name"] for one in gates].index("budget")
    assert [one["name"] for one in gates[place - 1 : place + 2]] == ["limits", "budget", "recipients"]
    found: dict[str, Any] = gates[place]
    return found


def test_copies_stop_short_and_the_rest_goes_a_day_later(stack: Stack, ana: Person) -> None:
    box = lowered(ana)
    told = gate(ana, draft(box))
    assert (told["ok"], told["until"]) == (True, None)
    assert "Goes out over 2 days: 9 at first, 3 on " in told["sentence"]
    assert "1 a day are left to single emails" in told["sentence"]
    assert "other programs" in told["sentence"]
    # The figure is hers, not Google's.
    assert "10 emails in 24 hours are what this mailbox is kept to." in told["sentence"]
    assert "2,000" not in told["sentence"]
    made = ana.api("POST", "emails", draft(box)).json()
    due = sorted(datetime.fromisoformat(one["due_at"]) for one in made["deliveries"])
    assert due[9] - due[8] >= timedelta(hours=24)
    until(lambda: ana.api("GET", f"emails/{made['id']}").json()["progress"], lambda one: one["sent"] == 9, 20)
    # A single mail has its part; the next one waits for the day to go by.
    single = ana.send(box, to=["kim@globex.example"])
    ana.email_when(single["id"], "sent")
    held = ana.send(box, to=["lou@globex.example"])
    assert (held["status"], held["problem"]) == ("held", "daily_budget")
    assert "has sent what it may" in held["problem_detail"]["sentence"]
    page = ana.get(f"/connections/{box}/day").text
    assert "10 of 10</b> emails used in the past 24 hours" in page
    assert "The next one can leave at" in page
    stack.sandbox.advance(24 * 3600 + 180)
    ana.email_when(made["id"], "sent", 40)
    ana.email_when(held["id"], "sent", 40)
    for one in (*made["deliveries"], *held["deliveries"]):
        assert [found["count"] for found in stack.sandbox.messages(delivery=one["id"])] == [1]


def test_what_would_take_months_is_refused_before(ana: Person) -> None:
    shut = gate(ana, draft(lowered(ana, "2"), 200))
    assert (shut["ok"], shut["cause"]) == (False, "too_many_days")


@pytest.mark.parametrize("typed", ["0", "2000", "9999999", "ten", "-1", "1.5"])
def test_a_figure_that_cannot_be_kept_to_changes_nothing(ana: Person, typed: str) -> None:
    box = lowered(ana)
    page = ana.post(f"/connections/{box}/day/limit", {"most": typed}).text
    assert "of 10</b> emails" in page
    assert "toast" in page
    empty = ana.post(f"/connections/{box}/day/limit", {"most": ""}).text
    assert "of 2000</b> emails" in empty.replace(",", "")


def test_a_colleague_sees_the_day_of_a_shared_mailbox_and_cannot_lower_it(stack: Stack) -> None:
    ana = stack.person("ana", organization="Days")
    box = ana.connect(query="capabilities=send&kind=organization")["id"]
    tom = stack.member_of(ana)
    assert "used in the past 24 hours" in tom.get(f"/connections/{box}/day").text
    assert "Keep to it" not in tom.get(f"/connections/{box}/day").text
    assert tom.post(f"/connections/{box}/day/limit", {"most": "5"}).status_code == 403
    assert "of 2000</b>" in ana.get(f"/connections/{box}/day").text.replace(",", "")
