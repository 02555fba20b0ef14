"""When a session ends: pure, and as it is moved by what comes by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.backends.base import SessionBase

from truesend import clock
from truesend.organizations import session_limits

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
IDLE, LONGEST = timedelta(hours=72), timedelta(hours=336)


class Kept(SessionBase):
    """A session that nobody stores."""


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make it another moment."""

    def moved(hours: float) -> datetime:
        now = BEGAN + timedelta(hours=hours)
        monkeypatch.setattr(clock, "real_now", lambda: now)
        return now

    moved(0)
    return moved


@pytest.fixture
def session(at: Any) -> SessionBase:
    """Somebody has just signed in, by allauth's form."""
    fresh = Kept()
    session_limits._begins(SimpleNamespace(session=fresh))  # type: ignore[arg-type]
    fresh.set_expiry(12345)
    session_limits.used(fresh, by_a_person=True)
    return fresh


def test_a_session_ends_unused_and_in_any_case() -> None:
    def ends(hours: float) -> datetime:
        return session_limits.ends_at(BEGAN, BEGAN + timedelta(hours=hours), idle=IDLE, longest=LONGEST)

    assert ends(0) == BEGAN + IDLE
    assert ends(100) == BEGAN + timedelta(hours=172)
    assert [ends(hours) for hours in (264, 300, 335)] == [BEGAN + LONGEST] * 3


def test_each_use_moves_the_end_and_what_a_page_asks_by_itself_does_not(
    session: SessionBase, at: Any
) -> None:
    assert session.get_expiry_date() == BEGAN + IDLE
    at(50)
    session_limits.used(session, by_a_person=False)
    assert session.get_expiry_date() == BEGAN + IDLE
    session_limits.used(session, by_a_person=True)
    assert session.get_expiry_date() == BEGAN + timedelta(hours=122)
    for hours in range(60, 330, 10):
        at(hours)
        session_limits.used(session, by_a_person=True)
    assert session.get_expiry_date() == BEGAN + LONGEST


def test_not_every_use_is_a_write(session: SessionBase, at: Any) -> None:
    session.modified = False
    for minutes in range(40):
        at(minutes / 60)
        session_limits.used(session, by_a_person=True)
    assert not session.modified
    at(1)
    session_limits.used(session, by_a_person=True)
    assert session.modified


def test_signing_in_again_begins_anew(session: SessionBase, at: Any) -> None:
    now = at(70)
    session_limits._begins(SimpleNamespace(session=session))  # type: ignore[arg-type]
    session_limits.used(session, by_a_person=True)
    at(140)
    session_limits.used(session, by_a_person=True)
    assert session.get_expiry_date() == BEGAN + timedelta(hours=212)
    for hours in range(150, 405, 20):
        at(hours)
        session_limits.used(session, by_a_person=True)
    assert session.get_expiry_date() == now + LONGEST


def test_one_of_before_there_were_limits_begins_now(at: Any) -> None:
    old = Kept()
    old.update({"_session_expiry": 1_209_600})
    session_limits.used(old, by_a_person=False)
    assert old.get_expiry_date() == BEGAN + IDLE


def test_lower_limits_hold_for_who_is_signed_in_already(
    session: SessionBase, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = at(30)
    monkeypatch.setenv("TRUESEND_SESSION_IDLE_HOURS", "2")
    session_limits.used(session, by_a_person=True)
    assert session.get_expiry_date() == now + timedelta(hours=2)
    monkeypatch.setenv("TRUESEND_SESSION_HOURS", "24")
    session_limits.used(session, by_a_person=True)
    assert session.get_expiry_date() < now


@pytest.mark.parametrize("said", ["garbage", 7, None, "2026-03-02"], ids=range(4))
def test_what_cannot_be_read_is_begun_anew(at: Any, said: object) -> None:
    odd = Kept()
    odd.update({"began": said})
    session_limits.used(odd, by_a_person=True)
    assert BEGAN < odd.get_expiry_date() <= BEGAN + IDLE


@pytest.mark.parametrize(
    ("hours", "words"), [(1, "1 hour"), (30, "30 hours"), (24, "1 day"), (72, "3 days"), (336, "14 days")]
)
def test_a_limit_in_words(hours: int, words: str) -> None:
    assert session_limits.said(timedelta(hours=hours)) == words
