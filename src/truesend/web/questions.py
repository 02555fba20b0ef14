"""What is unknown of an email: looked up in Sent by itself, or asked of a person, each with what is known.

A copy passes three stages. It is *looked up* while Truesend may read the mailbox and can; it is *asked* of its member
where it may not, or where the look could not decide; and once it is settled the timeline tells by whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from truesend import clock
from truesend.connections.causes import sentence
from truesend.connections.describe import Description, start_url
from truesend.connections.models import Connection
from truesend.connections.verdict import Verdict
from truesend.organizations.access import Refused, check_manages, people_with
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending import reconcile
from truesend.sending.explain import reason
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Outcome
from truesend.web.folders import sent_folder, way_there
from truesend.web.gate import names
from truesend.web.templatetags.look import moment

# So many copies are asked for at once; the next ones follow as these are answered.
_MOST = 10
# A look begins within a second of its time and takes a few.
_LOOKING = timedelta(seconds=15)


def tried(attempt: Attempt, provider: str) -> SafeString:
    """“Tried at 14:02: the provider did not answer in time.”"""
    why = reason(attempt.cause, provider)
    if attempt.cause == reconcile.RESTORED:
        return format_html("{}.", why[:1].upper() + why[1:])
    return format_html("Tried at {}: {}.", moment(attempt.started_at, "point"), why)


def questions(
    member: Member,
    described: Description,
    deliveries: Sequence[Delivery],
    attempts: Sequence[Attempt],
    labels: Mapping[UUID, str],
) -> dict[str, Any] | None:
    """Context of partials/questions.html; ``None`` where everything is known.

    ``described`` is the mailbox, ``attempts`` those of the copies in the order of their numbers.
    """
    connection = described.connection
    unknown = [one for one in deliveries if one.status == DeliveryStatus.UNKNOWN]
    if not unknown:
        return None
    now = clock.now()
    adapter = registry.provider(connection.provider)
    failing = _failing(described) if reconcile.can_look(connection) else None
    looking: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    for delivery, attempt in _with_attempts(unknown, attempts):
        looked_up = delivery.look_at is not None and reconcile.can_look(connection)
        decides = reconcile.decides_at(delivery, attempt, now)
        line = {
            "id": str(delivery.pk),
            "email": delivery.email_id,
            "to": labels.get(delivery.pk, ""),
            "tried": tried(attempt, described.provider_name),
            "decides": decides,
            "early": clock.minute_after(decides) if decides > now else None,
        }
        if looked_up and failing is None:
            looking.append(line)
        else:
            asked.append({**line, "again_at": _minute(delivery.look_at) if looked_up else None})
    if not looking and not asked:
        return None
    return {
        "several": len(deliveries) > 1,
        "looking": _looking(looking, now),
        "asked": asked[:_MOST],
        "more": max(0, len(asked) - _MOST),
        "failing": failing if asked else None,
        "offer": _offer(member, connection, described.provider_name, asked) if asked else None,
        "folder": (folder := sent_folder(connection, member.pk)),
        # A button has no room for an address, which stands right above it.
        "there": folder if folder.startswith("your ") else f"that {adapter.sent_name}",
        "proves": adapter.proves_absence,
        "goes_on": bool(asked) and failing is None and reconcile.looks_late(connection),
        "way": way_there(connection) if asked else None,
        "seconds": _turns_in([one["decides"] for one in looking + asked], now),
    }


def _with_attempts(
    unknown: Sequence[Delivery], attempts: Sequence[Attempt]
) -> list[tuple[Delivery, Attempt]]:
    """Unknown copies with the try that left them open, in order."""
    newest = {one.delivery_id: one for one in attempts if one.outcome == Outcome.UNKNOWN}
    return [(one, newest[one.pk]) for one in unknown if one.pk in newest]


def _looking(lines: list[dict[str, Any]], now: datetime) -> dict[str, Any] | None:
    """One sentence for everything that is being looked up, however many."""
    if not lines:
        return None
    last = max(one["decides"] for one in lines)
    return {
        "count": len(lines),
        "first": lines[0],
        "by": clock.minute_after(last + _LOOKING) if last > now else None,
    }


def _minute(at: datetime | None) -> datetime | None:
    return clock.minute_after(at) if at is not None else None


def _turns_in(times: Sequence[datetime], now: datetime) -> int | None:
    """Seconds until one of these pages reads differently, for the page to look again then."""
    ahead = [one for one in times if one > now]
    return int((min(ahead) - now).total_seconds()) + 1 if ahead else None


def _failing(described: Description) -> str | None:
    """Why Sent cannot be read right now, in a sentence."""
    read = described.verdict.capability("read")
    if read is None or read.verdict not in {Verdict.BROKEN, Verdict.ATTENTION}:
        return None
    return sentence(read.cause, described.provider_name, read.proof.words if read.proof else "")


def _offer(
    member: Member, connection: Connection, provider: str, asked: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """“See replies and bounces”, where it would have answered the question."""
    if not reconcile.would_answer(connection):
        return None
    email = asked[0]["email"]
    offer = {"provider": provider, "address": connection.address}
    try:
        check_manages(member, connection)
    except Refused as refusal:
        return {**offer, "url": "", "who": names(people_with(member, refusal.roles))}
    capabilities = list(dict.fromkeys([*connection.asked, "read"]))
    return {**offer, "url": start_url(connection, capabilities, f"/emails/{email}"), "who": ""}
