"""The sessions somebody has: shown, ended one by one, ended everywhere; what ends stops reading at once.

“Everywhere” needs no list that could miss one: every session carries a digest of the account's epoch, and a new epoch
makes all of them worthless, to pages and to streams.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F

from truesend import clock, live_events
from truesend.organizations import audit
from truesend.organizations.models import Member, User
from truesend.organizations.session_models import SignedIn

# A session in use is noted that often, in each process.
_NOTED_SECONDS = 60.0
_MOST_NOTED = 10_000
# No session lives unseen for so long: what is left of it goes when the next one begins.
_KEPT = timedelta(seconds=settings.SESSION_COOKIE_AGE) * 2

_KEY = re.compile("[a-z0-9]{32}")

_noted: dict[str, tuple[float, str, str]] = {}


@dataclass(frozen=True)
class Shown:
    """One session for people; ``row`` names it without its key."""

    row: int
    ip: str
    user_agent: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_this: bool


def note(user: User, session_key: str, ip: str, user_agent: str) -> None:
    """Somebody uses a session from there, just now."""
    now, known = time.monotonic(), _noted.get(session_key)
    if known is not None and known[1:] == (ip, user_agent) and now - known[0] < _NOTED_SECONDS:
        return
    if len(_noted) >= _MOST_NOTED:
        _noted.clear()
    _noted[session_key] = (now, ip, user_agent)
    seen = {"user": user, "ip": ip or None, "user_agent": user_agent[:400], "seen_at": clock.now()}
    _, is_new = SignedIn.objects.update_or_create(session_key=session_key, defaults=seen)
    if is_new:
        SignedIn.objects.filter(seen_at__lt=clock.now() - _KEPT).delete()
        Session.objects.filter(expire_date__lt=clock.real_now()).delete()


def is_key(said: str) -> bool:
    """Whether a cookie holds what can be a key; quoted, it may hold bytes that PostgreSQL takes in no text."""
    return _KEY.fullmatch(said) is not None


def living(session_key: str) -> tuple[dict[str, Any], datetime] | None:
    """What a session holds and when it ends; ``None`` where it is none, or is over."""
    if not is_key(session_key):
        return None
    row = Session.objects.filter(session_key=session_key, expire_date__gt=clock.real_now()).first()
    return (row.get_decoded(), row.expire_date) if row is not None else None


def listed(user: User, this: str) -> list[Shown]:
    """Those that still live, the one that asks first, then the newest."""
    rows = list(SignedIn.objects.filter(user=user).order_by("-seen_at"))
    keys = [one.session_key for one in rows]
    alive = Session.objects.filter(session_key__in=keys, expire_date__gt=clock.real_now())
    ends = dict(alive.values_list("session_key", "expire_date"))
    shown = [
        Shown(
            one.pk,
            one.ip or "",
            one.user_agent,
            one.began_at,
            one.seen_at,
            ends[one.session_key],
            one.session_key == this,
        )
        for one in rows
        if one.session_key in ends
    ]
    return sorted(shown, key=lambda one: not one.is_this)


def end(by: Member | None, user: User, row: int) -> bool:
    """End one of somebody's sessions; False where it is none of theirs, or ended already."""
    with transaction.atomic():
        found = SignedIn.objects.select_for_update().filter(pk=row, user=user).first()
        if found is None:
            return False
        Session.objects.filter(session_key=found.session_key).delete()
        _forget([found.session_key])
        if by is not None:
            audit.record(by.organization_id, by, "sign_in.session_ended")
        _tell(user)
    return True


def end_all(user: User) -> None:
    """“Sign out everywhere”, by themselves."""
    with transaction.atomic():
        end_every(user)
        audit.record_of(user, "sign_in.everywhere_ended")


def end_every(user: User) -> None:
    """End every session of somebody, also those that nobody has seen. API tokens are no sessions and stay.

    In the caller's transaction: whoever is removed or deactivated is signed out with that, or not at all.
    """
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    rows = SignedIn.objects.filter(user=user)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    _forget(keys)
    _tell(user)


def left(user: User, session_key: str | None) -> None:
    """Somebody signs out of one."""
    keys = [session_key] if session_key else []
    Session.objects.filter(session_key__in=keys).delete()
    _forget(keys)
    _tell(user)


def password_changed(user: User, kept: str | None) -> None:
    """With the password every session but the one it was changed in is worthless already; take them out of the list."""
    rows = SignedIn.objects.filter(user=user).exclude(session_key=kept or "")
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    _forget(keys)
    _tell(user)


def _forget(keys: list[str]) -> None:
    SignedIn.objects.filter(session_key__in=keys).delete()
    for key in keys:
        _noted.pop(key, None)


def _tell(user: User) -> None:
    """Open pages and streams look again at who reads them."""
    for organization in Member.objects.filter(user=user).values_list("organization_id", flat=True):
        live_events.publish(organization, "account", [organization])
