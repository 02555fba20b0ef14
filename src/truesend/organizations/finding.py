# ruff: noqa: S608  -- statements are put together from the constants of this module alone; values are parameters
"""Pages of a member's emails, newest first, by index alone: all, those in a state, those of which something is known.

No list counts rows and none sorts more than it shows, with one exception that is bounded: of a word too rare among the
newest emails every place of it is sorted. What is looked up here is written by triggers (see the migration
``0008_entries`` of sending): entries by the emails, tallies by the signals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from truesend import clock
from truesend.organizations.models import Member
from truesend.paging import read_cursor, write_cursor
from truesend.sending.models import Email, EmailStatus

NEWEST = 4_000
"""So many emails are looked through for a word before its places in the whole history are gathered."""

WORDS = 200
"""Characters of a search that are heeded."""

_ENTRY, _TALLY = "sending_emailentry", "tracking_emailtally"
_MOVING = (EmailStatus.QUEUED, EmailStatus.SENDING, EmailStatus.SENT)
_NOT_CORRECTED = (
    "NOT EXISTS (SELECT FROM sending_email AS later WHERE later.corrects_id = row.email_id"
    " AND later.status <> 'draft')"
)
# Asked of a person, or waiting for one: whatever goes by itself has a time for it.
_WAITS = (
    "EXISTS (SELECT FROM sending_delivery AS copy WHERE copy.email_id = row.email_id AND ("
    "copy.status = 'unknown' AND copy.look_at IS NULL"
    " OR copy.status = 'queued' AND copy.due_at IS NULL AND copy.held_cause <> ''))"
)
_REFUSED_COPY = (
    "EXISTS (SELECT FROM sending_delivery AS copy WHERE copy.email_id = row.email_id"
    " AND copy.status = 'refused')"
)
# It is there, as was told late, and another one is about to leave.
_TWICE = (
    "row.email_id IN (SELECT copy.email_id FROM sending_attempt AS late"
    " JOIN sending_delivery AS copy ON copy.id = late.delivery_id"
    " WHERE late.arrived_at IS NOT NULL AND copy.status = 'queued')"
)


@dataclass(frozen=True)
class _Part:
    """Rows that one index gives in the order of the list."""

    where: str
    table: str = _ENTRY


def _in_state(state: str, more: str = "TRUE") -> _Part:
    return _Part(f"row.state = '{state}' AND {more}")


CHOICES: Mapping[str, Sequence[_Part]] = {
    "": (_Part("TRUE"),),
    "undrafted": (_Part("row.state <> 'draft'"),),
    "drafts": (_in_state("draft"),),
    "opened": (_Part("row.opened > 0", _TALLY),),
    "clicked": (_Part("row.clicked > 0", _TALLY),),
    "answered": (_Part("row.answered > 0", _TALLY),),
    "doubtful": (_Part("row.level = 3", _TALLY),),
    "failed": (_in_state("failed"), _in_state("partly", _REFUSED_COPY)),
    "needs": (
        _in_state("unknown", f"({_WAITS} OR {_TWICE})"),
        _in_state("held", f"({_WAITS} OR {_TWICE})"),
        _in_state("failed", _NOT_CORRECTED),
        _in_state("partly", f"{_REFUSED_COPY} AND {_NOT_CORRECTED}"),
        _in_state("moving", _TWICE),
    ),
}
"""By the name of a filter: all but `undrafted` are those of My Emails.

`needs` are those that do not go on without their member. What they stopped needs nobody, nor what was written again
and sent.
"""


def page(
    member: Member, choice: str = "", *, words: str = "", cursor: str = "", size: int
) -> tuple[list[Email], str | None]:
    """(one page of the member's emails, the cursor of the next or None).

    ``choice`` is one of :data:`CHOICES` or an email's status; ``words`` have to begin words of its subject, its people
    or its links, all of them. Raises ``CursorError`` for a cursor that is none.
    """
    after = read_cursor(cursor) if cursor else None
    parts = CHOICES[choice] if choice in CHOICES else (_with_status(choice),)
    values: dict[str, Any] = {
        "member": member.pk,
        "organization": member.organization_id,
        "at": after and after[0],
        "id": after and after[1],
        "most": size + 1,
        "newest": NEWEST,
        "words": words[:WORDS],
    }
    found = (
        _searched(parts, values) if words else _rows(_together([_walk(one, values) for one in parts]), values)
    )
    following = write_cursor(found[size - 1][1], found[size - 1][0]) if len(found) > size else None
    return _in_order([email_id for email_id, _ in found[:size]]), following


def count(member: Member, choice: str, *, most: int) -> int:
    """How many there are, ``most`` at most."""
    values = {"member": member.pk, "at": None, "most": most}
    return len(_rows(_together([_walk(one, values) for one in CHOICES[choice]]), values))


@dataclass(frozen=True)
class Lately:
    """The emails that left within seven days: how many, ``cut`` where more did, and of how many something is known."""

    sent: int
    opened: int
    clicked: int
    answered: int
    cut: bool


_MOST_LATELY = 1_000
_LATELY = f"""
SELECT count(*), count(*) FILTER (WHERE told.opened > 0), count(*) FILTER (WHERE told.clicked > 0),
       count(*) FILTER (WHERE told.answered > 0)
  FROM (SELECT email_id FROM {_ENTRY} WHERE member_id = %s AND state = 'moving' AND created_at > %s
         ORDER BY created_at DESC, email_id DESC LIMIT {_MOST_LATELY}) AS sent
  LEFT JOIN {_TALLY} AS told ON told.email = sent.email_id
"""


def lately(member: Member) -> Lately:
    """What became of the newest emails of the last seven days, a thousand at most."""
    with connection.cursor() as cursor:
        cursor.execute(_LATELY, [member.pk, clock.now() - timedelta(days=7)])
        sent, opened, clicked, answered = cursor.fetchone()
    return Lately(sent, opened, clicked, answered, cut=sent == _MOST_LATELY)


def _with_status(status: str) -> _Part:
    """Those with one status; what is moving is told apart by the email itself."""
    exact = EmailStatus(status)
    if exact not in _MOVING:
        return _in_state(exact.value)
    same = "EXISTS (SELECT FROM sending_email AS email WHERE email.id = row.email_id AND email.status = "
    if exact == EmailStatus.SENT:
        return _in_state("moving", f"{same}'sent')")
    # Few are under way, and their copies are found by index; a walk through all that was ever sent would not end.
    under_way = (
        "row.email_id IN (SELECT copy.email_id FROM sending_delivery AS copy"
        " WHERE copy.connection_id IN (SELECT id FROM connections_connection WHERE organization_id = %(organization)s)"
        " AND (copy.status = 'sending' OR copy.due_at IS NOT NULL))"
    )
    return _in_state("moving", f"{under_way} AND {same}'{exact.value}')")


def _after(values: Mapping[str, Any]) -> str:
    return "(row.created_at, row.email_id) < (%(at)s, %(id)s)" if values["at"] is not None else "TRUE"


def _source(part: _Part) -> str:
    """The part's table under the one name, with the columns that all have."""
    if part.table == _ENTRY:
        return f"{_ENTRY} AS row"
    return (
        f"(SELECT tally.*, tally.email AS email_id, tally.member AS member_id FROM {_TALLY} AS tally) AS row"
    )


def _walk(part: _Part, values: Mapping[str, Any], most: str = "%(most)s", more: str = "TRUE") -> str:
    return (
        f"(SELECT row.email_id, row.created_at FROM {_source(part)} WHERE row.member_id = %(member)s"
        f" AND {part.where} AND {_after(values)} AND {more}"
        f" ORDER BY row.created_at DESC, row.email_id DESC LIMIT {most})"
    )


def _together(parts: Sequence[str], *, sort: bool = False) -> str:
    """The newest of all; where there is but one, sorted as it is, it is that."""
    if len(parts) == 1 and not sort:
        return parts[0]
    united = " UNION ALL ".join(parts)
    return f"SELECT email_id, created_at FROM ({united}) AS row ORDER BY 2 DESC, 1 DESC LIMIT %(most)s"


def _searched(parts: Sequence[_Part], values: Mapping[str, Any]) -> list[tuple[UUID, datetime]]:
    """Among the newest first: what is frequent is found there. What is rare has few places in all."""
    wanted = "truesend_searched(%(member)s, %(words)s)"
    near = [
        f"(SELECT row.email_id, row.created_at FROM {_walk(one, values, '%(newest)s')} AS row"
        f" JOIN {_ENTRY} AS entry ON entry.email_id = row.email_id WHERE entry.words @@ {wanted}"
        " ORDER BY row.created_at DESC, row.email_id DESC LIMIT %(most)s)"
        for one in parts
    ]
    found = _rows(_together(near), values)
    if len(found) == values["most"]:
        return found
    # Gathered whole before it is sorted: in the list's order a rare word would be looked for through everything.
    gathered = ", ".join(
        f"part{number} AS MATERIALIZED (SELECT row.email_id, row.created_at FROM {_source(one)}"
        + (f" JOIN {_ENTRY} AS entry ON entry.email_id = row.email_id" if one.table == _TALLY else "")
        + f" WHERE {'entry' if one.table == _TALLY else 'row'}.words @@ {wanted}"
        f" AND row.member_id = %(member)s AND {one.where} AND {_after(values)})"
        for number, one in enumerate(parts)
    )
    return _rows(
        f"WITH {gathered} " + _together([f"SELECT * FROM part{n}" for n in range(len(parts))], sort=True),
        values,
    )


def _rows(statement: str, values: Mapping[str, Any]) -> list[tuple[UUID, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(values))
        return list(cursor.fetchall())


def _in_order(ids: Sequence[UUID]) -> list[Email]:
    rows = Email.objects.select_related("connection").defer("html", "text").in_bulk(ids)
    return [rows[one] for one in ids if one in rows]
