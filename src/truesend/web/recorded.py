"""What the contacts of a CRM were told of an email, on its page: quiet lines, and a note where somebody must help."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.html import format_html

from truesend import clock
from truesend.connections.causes import core
from truesend.connections.describe import Description, account_label, describe, with_facts
from truesend.connections.models import Connection
from truesend.connections.verdict import Verdict
from truesend.crm.models import Recorder, Recording, Status
from truesend.crm.states import OPEN
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.sending.models import Email
from truesend.web.gate import names
from truesend.web.helping import helps
from truesend.web.templatetags.look import moment

# Above so many people one line tells of all that came to the same.
_FOLD_ABOVE = 5
_MOST = 2000


def of_email(email: Email) -> list[Recording]:
    """Everybody who is or was to be told of, in the order of the copies; one query."""
    rows = Recording.objects.filter(delivery__email=email).select_related("recipient", "connection")
    return list(rows.order_by("delivery__position", "recipient__position")[:_MOST])


def is_pending(rows: Sequence[Recording]) -> bool:
    """Whether something may still change by itself."""
    return any(one.status in OPEN for one in rows)


def lines(rows: Sequence[Recording]) -> list[dict[str, Any]]:
    """The timeline's items, in no order."""
    several = len({one.connection_id for one in rows}) > 1
    groups: dict[tuple[object, str], list[Recording]] = defaultdict(list)
    for one in rows:
        groups[one.connection_id, one.status].append(one)
    told = []
    for (_, status), group in groups.items():
        where = f" In {account_label(group[0].connection)}." if several else ""
        name = registry.provider(group[0].connection.provider).name
        if len(group) > _FOLD_ABOVE:
            told.append(_many(Status(status), group, name, where))
        else:
            told += [_one(one, name, where) for one in group]
    return told


def _line(state: str, title: str, text: str, at: datetime) -> dict[str, Any]:
    return {
        "icon": "person",
        "state": state,
        "title": title,
        "confidence_label": None,
        "sentence": text.strip(),
        "at": at,
    }


def _one(one: Recording, name: str, where: str) -> dict[str, Any]:
    address, at = one.recipient.address, one.settled_at or one.created_at
    contact = f" {one.contact_name}" if one.contact_name else ""
    match Status(one.status):
        case Status.RECORDED:
            return _line("none", f"Recorded with the {name} contact{contact}", f"{address}.{where}", at)
        case Status.NO_CONTACT:
            return _line(
                "none", "Not recorded", f"{name} has no contact with the address {address}.{where}", at
            )
        case Status.REFUSED:
            said = core(one.cause, name, one.words)
            return _line(
                "none", f"Not recorded with the {name} contact{contact}", f"{said} {address}.{where}", at
            )
        case Status.STOPPED:
            open_end = " It may be there: no answer had come." if one.begun_at else ""
            text = f"Recording was turned off before its turn: {address}.{open_end}{where}"
            return _line("none", "Not recorded", text, at)
        case _:
            return _line("none", f"To be recorded with the {name} contact", f"{address}.{where}", at)


def _many(status: Status, group: Sequence[Recording], name: str, where: str) -> dict[str, Any]:
    count, at = f"{len(group):,}", max(one.settled_at or one.created_at for one in group)
    match status:
        case Status.RECORDED:
            return _line("none", f"Recorded with {count} {name} contacts", where, at)
        case Status.NO_CONTACT:
            return _line(
                "none", f"{count} not recorded", f"{name} has no contact with their addresses.{where}", at
            )
        case Status.REFUSED:
            said = core(group[0].cause, name, group[0].words)
            return _line("none", f"{count} not recorded with their {name} contacts", f"{said}{where}", at)
        case Status.STOPPED:
            return _line(
                "none", f"{count} not recorded", f"Recording was turned off before their turn.{where}", at
            )
        case _:
            return _line("none", f"{count} to be recorded with their {name} contacts", where, at)


def notes(member: Member, rows: Sequence[Recording], back: str) -> list[dict[str, Any]]:
    """Of every connection whose recordings wait for something: what, and who can help. ``back`` is this page."""
    waiting = [one for one in rows if one.status in OPEN]
    told = []
    for connection_id in dict.fromkeys(one.connection_id for one in waiting):
        connection = with_facts(Connection.objects.filter(pk=connection_id)).first()
        if connection is None:
            continue
        found = _note(member, describe(connection), back)
        if found is not None:
            told.append(found)
    return told


def _note(member: Member, described: Description, back: str) -> dict[str, Any] | None:
    connection, name = described.connection, described.provider_name
    token = getattr(connection, "token", None)
    gone = connection.disconnected_at is not None or token is None or token.dead_at is not None
    row = Recorder.objects.filter(pk=connection.pk).first()
    if not gone and (row is None or not row.misses or not row.cause):
        return None
    note: dict[str, Any] = {"state": "none", "words": "", "fix": None, "who": ""}
    if gone or described.verdict.verdict is Verdict.BROKEN:
        others = [one for one in described.who if one["email"] != member.user.email]
        note |= {"fix": helps(member, described, back), "who": names(others)}
    if gone or row is None:
        label = account_label(connection)
        return note | {
            "title": f"Waiting: {name} is not connected.",
            "sentence": f"This is recorded with its contacts once {label} is connected again.",
        }
    again = "It is tried again by itself."
    if row.rest_until is not None and row.rest_until > clock.now():
        at = moment(clock.minute_after(row.rest_until), "point")
        again = format_html("It is tried again by itself at {}.", at)
    said = core(row.cause, name, row.words)
    return note | {
        "title": f"Waiting to be recorded with its {name} contacts.",
        "sentence": format_html("{} {}", said, again),
    }
