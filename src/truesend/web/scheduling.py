"""Choosing the hour at which an email leaves: what the page shows of it, and what it sends back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from truesend import clock
from truesend.organizations.models import Member
from truesend.sending import schedule
from truesend.sending.models import Email
from truesend.web import their_hours
from truesend.web.templatetags.look import moment

_LONGEST = 64


def panel(
    member: Member, at: datetime | None, *, typed: str = "", problem: str = "", email: Email | None = None
) -> dict[str, Any]:
    """Context of partials/later.html. ``at``: the hour it was written for; ``typed`` is what was refused, and why.

    ``email``: the one whose recipients' hours are told beside it, and told anew as the hour changes.
    """
    zone = member.user.zone or schedule.UNKNOWN_ZONE
    ahead = at is not None and at > clock.now()
    return {
        "at": typed or (schedule.written(at, zone) if at is not None and ahead else ""),
        # Of the page's own hour, the moment: the browser writes it in its zone.
        "moment": at.isoformat() if at is not None and ahead else "",
        "zone": zone,
        "own_zone": bool(member.user.zone),
        "problem": problem,
        "theirs": their_hours.of(email, at if ahead else None) if email is not None else "",
        "theirs_url": f"/emails/{email.pk}/hours" if email is not None else "",
    }


def chosen(member: Member, values: Mapping[str, str]) -> datetime:
    """The moment of a form's `at` and `zone`. Raises :class:`~truesend.sending.schedule.Unschedulable`."""
    zone = member.user.zone or values.get("zone", "")[:_LONGEST]
    return schedule.hour(values.get("at", "")[:_LONGEST], zone, clock.now())


def told(at: datetime) -> SafeString:
    """“Tue 1 Dec 2026, 09:00” in the reader's zone."""
    return format_html("{}", moment(at, "point"))
