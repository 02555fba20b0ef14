"""How long somebody stays signed in: without use, and in all. The end stands in the session's row, and all ask that.

Sessions run on real time, whatever the sandbox's clock says.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from truesend import clock, env

# When somebody signed in, in the session itself; a second factor or showing once more who one is makes it no younger.
_BEGAN = "began"
_ENDS = "_session_expiry"  # as Django calls what `set_expiry` has been told

# Moving the end is a write: each use of a page moves it only when it would move by that part of the idle time.
_PARTS = 100


def idle() -> timedelta:
    """After so long without use a session ends."""
    return timedelta(hours=env.number("SESSION_IDLE_HOURS"))


def longest() -> timedelta:
    """So long after signing in it ends, used or not."""
    return timedelta(hours=env.number("SESSION_HOURS"))


def ends_at(began: datetime, used: datetime, *, idle: timedelta, longest: timedelta) -> datetime:
    """When a session ends that was last used then."""
    return min(used + idle, began + longest)


def listen() -> None:
    """Hear of signing in; called once, when Django starts."""
    user_logged_in.connect(_begins, dispatch_uid="session_begins")


def _begins(request: HttpRequest, **_: object) -> None:
    # Also where the same member signs in over a session of theirs that lives.
    request.session[_BEGAN] = clock.real_now().isoformat()


def began(session: SessionBase) -> datetime | None:
    """When somebody signed in by a session; ``None`` where that is not known."""
    return _moment(session.get(_BEGAN))


def used(session: SessionBase, *, by_a_person: bool) -> None:
    """A request came by a session in which somebody is signed in: move its end, unless a page asked by itself.

    A session of before there were limits begins now.
    """
    now = clock.real_now()
    since = began(session)
    if since is None:
        since = now
        session[_BEGAN] = since.isoformat()
    before = _moment(session.get(_ENDS))
    if before is not None and not by_a_person:
        return
    after = ends_at(since, now, idle=idle(), longest=longest())
    if before is None or abs(after - before) >= idle() / _PARTS:
        session.set_expiry(after)


def _moment(said: object) -> datetime | None:
    """A moment as it stands in a session; allauth puts a number of seconds where the end belongs."""
    try:
        return datetime.fromisoformat(said).astimezone(UTC) if isinstance(said, str) else None
    except ValueError:
        return None


def said(span: timedelta) -> str:
    """A limit for people: whole days where it is some, else hours."""
    hours = round(span / timedelta(hours=1))
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"
