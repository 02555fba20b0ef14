# ruff: noqa: S608  -- statements are put together from the constants of this module alone; values are parameters
"""Pages of a member's emails, newest first, by index alone: all, those in a state, those of which something is known.

No list counts rows and none sorts more than it shows, with one exception that is bounded: of a word too rare among the
newest emails every place of it is sorted. What is looked up here is written by triggers (see the migration
``0008_entries`` of sending): entries by the emails, tallies by the signals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from truesend import clock
from truesend.connections.models import Connection
from truesend.organizations.models import Member
from truesend.paging import read_cursor, write_cursor
from truesend.sending.models import Email, EmailStatus

NEWEST = 2_000
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
    " OR copy.status = 'queued' AND copy.due_at IS NULL AND copy.held_cause NOT IN ('', 'paused')))"
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
    # Where few emails are it, so many times more of them are looked through for a word.
    further: int = 1


def _in_state(state: str, more: str = "TRUE") -> _Part:
    return _Part(f"row.state = '{state}' AND {more}", further=5)


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
    member: Member,
    choice: str = "",
    *,
    words: str = "",
    cursor: str = "",
    size: int,
    mailboxes: Mapping[UUID, Connection] | None = None,
) -> tuple[list[Email], str | None]:
    """(one page of the member's emails, the cursor of the next or None).

    ``choice`` is one of :data:`CHOICES` or an email's status; ``words`` have to begin words of its subject, its people
    or its links, all of them; ``mailboxes`` are those the caller has read already. The emails come without their text.
    Raises ``CursorError`` for a cursor that is none.
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
        "words": words[:WORDS].replace("\x00", " "),
    }
    older = _OLDER if after else "TRUE"
    statement = _searched(parts, older) if words else _together([_walk(one, older) for one in parts])
    found = _emails(member, statement, values, mailboxes)
    following = write_cursor(found[size - 1].created_at, found[size - 1].pk) if len(found) > size else None
    return found[:size], following


@dataclass(frozen=True)
class Lately:
    """The emails that left within seven days: how many, ``cut`` where more did, and of how many something is known."""

    sent: int
    opened: int
    clicked: int
    answered: int
    cut: bool


@dataclass(frozen=True)
class Listed:
    """What My Emails says above its list: how many need their member, those held by mailbox and cause, lately."""

    needs: int
    held: Sequence[tuple[UUID, str, int]]
    lately: Lately


@dataclass(frozen=True)
class Numbers:
    """How many emails a member has beside drafts, and those of which they are asked: (email, connection)."""

    emails: int
    asked: Sequence[tuple[UUID, UUID]]
    listed: Listed | None = None


MOST_EMAILS, MOST_NEEDS, MOST_LATELY = 1_000, 100, 250
"""Nobody waits for a number that nobody reads: counting ends there."""

_LATELY = f"""
(SELECT jsonb_build_array(count(*), count(*) FILTER (WHERE told.opened > 0),
        count(*) FILTER (WHERE told.clicked > 0), count(*) FILTER (WHERE told.answered > 0))
   FROM (SELECT email_id FROM {_ENTRY} WHERE member_id = %(member)s AND state = 'moving' AND created_at > %(since)s
          ORDER BY created_at DESC, email_id DESC LIMIT {MOST_LATELY}) AS sent
   LEFT JOIN {_TALLY} AS told ON told.email = sent.email_id)
"""
_HELD = f"""
(SELECT jsonb_agg(jsonb_build_array(connection_id, held_cause, count)) FROM (
    SELECT copy.connection_id, copy.held_cause, count(DISTINCT copy.email_id) AS count
      FROM (SELECT email_id FROM {_ENTRY} WHERE member_id = %(member)s AND state = 'held' LIMIT {MOST_NEEDS}) AS row
      JOIN sending_delivery AS copy USING (email_id)
     WHERE copy.status = 'queued' AND copy.due_at IS NULL AND copy.held_cause NOT IN ('', 'paused')
     GROUP BY 1, 2) AS held)
"""
_QUESTIONS = f"""
(SELECT jsonb_agg(jsonb_build_array(row.email_id, email.connection_id)) FROM (
    SELECT email_id FROM {_ENTRY} AS row WHERE row.member_id = %(member)s AND row.state = 'unknown' AND EXISTS (
        SELECT FROM sending_delivery AS copy
         WHERE copy.email_id = row.email_id AND copy.status = 'unknown' AND copy.look_at IS NULL)
     LIMIT {MOST_NEEDS}) AS row JOIN sending_email AS email ON email.id = row.email_id)
"""


def numbers(member: Member, *, of_the_list: bool = False) -> Numbers:
    """What pages count of a member's emails, in one query."""
    values: dict[str, Any] = {
        "member": member.pk,
        "since": clock.now() - timedelta(days=7),
        "most": MOST_NEEDS,
    }
    undrafted = _walk(CHOICES["undrafted"][0], most=str(MOST_EMAILS))
    asked = [f"(SELECT count(*) FROM {undrafted} AS found)", _QUESTIONS]
    if of_the_list:
        needs = _together([_walk(one) for one in CHOICES["needs"]])
        asked += [f"(SELECT count(*) FROM ({needs}) AS found)", _HELD, _LATELY]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked)}", values)
        emails, questions, *rest = cursor.fetchone()
    pairs = [(UUID(email), UUID(mailbox)) for email, mailbox in _read(questions) or []]
    if not rest:
        return Numbers(emails, pairs)
    needing, held, lately = rest
    sent, opened, clicked, answered = _read(lately)
    kept = [(UUID(mailbox), cause, count) for mailbox, cause, count in _read(held) or []]
    told = Lately(sent, opened, clicked, answered, cut=sent == MOST_LATELY)
    return Numbers(emails, pairs, Listed(needing, kept, told))


def _read(found: Any) -> Any:
    """JSON, which Django leaves as text."""
    return json.loads(found) if isinstance(found, str) else found


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


_OLDER = "(row.created_at, row.email_id) < (%(at)s, %(id)s)"
_NEWEST_FIRST = "ORDER BY row.created_at DESC, row.email_id DESC"


def _source(part: _Part) -> str:
    """The part's table under the one name, with the columns that all have."""
    if part.table == _ENTRY:
        return f"{_ENTRY} AS row"
    return (
        f"(SELECT tally.*, tally.email AS email_id, tally.member AS member_id FROM {_TALLY} AS tally) AS row"
    )


def _walk(part: _Part, older: str = "TRUE", most: str = "%(most)s", more: str = "") -> str:
    return (
        f"(SELECT row.email_id, row.created_at{more} FROM {_source(part)}"
        f" WHERE row.member_id = %(member)s AND {part.where} AND {older} {_NEWEST_FIRST} LIMIT {most})"
    )


def _together(parts: Sequence[str]) -> str:
    """The newest of all, where each is in order and at most a page."""
    if len(parts) == 1:
        return parts[0]
    united = " UNION ALL ".join(parts)
    return f"(SELECT email_id, created_at FROM ({united}) AS row {_NEWEST_FIRST} LIMIT %(most)s)"


def _searched(parts: Sequence[_Part], older: str) -> str:
    """Among the newest first: what is frequent is found there. What is rare has few places in all.

    These are gathered whole before they are sorted: in the list's order a rare word would be looked for through
    everything. And by the rare ones of the words: the places of a frequent one are many, and the rare ones' emails tell
    by themselves whether they have it (asked in a way that the index cannot answer).
    """
    each = [_places(number, one, older) for number, one in enumerate(parts)]
    windows = ", ".join(one.window for one in each)
    newest = " UNION ALL ".join(f"SELECT * FROM newest{number}" for number in range(len(parts)))
    near = " UNION ".join(one.near for one in each)
    far = " UNION ALL ".join(one.far for one in each)
    return (
        "(WITH asked AS MATERIALIZED (SELECT each, truesend_all(each) AS wanted"
        " FROM truesend_terms(%(member)s, %(words)s) AS each),"
        f" {windows}, newest AS MATERIALIZED ({newest}),"
        f" near AS MATERIALIZED (SELECT * FROM ({near}) AS row {_NEWEST_FIRST} LIMIT %(most)s),"
        f" chosen AS MATERIALIZED (SELECT coalesce(truesend_all({_RARE}), wanted) AS wanted, wanted AS whole FROM asked"
        f" WHERE NOT {_ENOUGH}), rare AS MATERIALIZED (SELECT wanted, wanted = whole AS same FROM chosen),"
        f" far AS MATERIALIZED ({far})"
        f" SELECT email_id, created_at FROM (SELECT * FROM near UNION SELECT * FROM far) AS row"
        f" {_NEWEST_FIRST} LIMIT %(most)s)"
    )


@dataclass(frozen=True)
class _Places:
    """Where words are looked for in a part: the window of its newest emails, what is found there, and beyond."""

    window: str
    near: str
    far: str


_ENOUGH = "(SELECT count(*) FROM near) >= %(most)s"
_ASKED = "@@ (SELECT wanted FROM asked)"
_BEYOND = (
    f"NOT {_ENOUGH} AND words @@ (SELECT wanted FROM rare)"
    f" AND ((SELECT same FROM rare) OR (words {_ASKED}) IS TRUE)"
)


def _places(number: int, part: _Part, older: str) -> _Places:
    looked = f"(%(newest)s * {part.further})"
    ours = "member_id = %(member)s"
    if part.table == _ENTRY:
        window = f"newest{number} AS MATERIALIZED ({_walk(part, older, looked, ', row.words')})"
        near = f"SELECT email_id, created_at FROM newest{number} WHERE words {_ASKED}"
        # Where all of them were looked through, there is nothing further away.
        far = (
            f"(SELECT * FROM (SELECT email_id, created_at FROM {_ENTRY} AS row"
            f" WHERE (SELECT count(*) FROM newest{number}) >= {looked} AND {_BEYOND} AND row.{ours} AND {part.where}"
            f" AND {older} OFFSET 0) AS row {_NEWEST_FIRST} LIMIT %(most)s)"
        )
        return _Places(window, near, far)
    # Two windows, of all emails and of those it is about: whichever reaches further back is whole.
    told = f"SELECT FROM {_TALLY} AS row WHERE row.email = entry.email_id AND {part.where}"
    those = _walk(part, older, "(%(newest)s / 4)")
    everything = _walk(CHOICES["undrafted"][0], older, "%(newest)s", ", row.words")
    window = f"newest{number} AS MATERIALIZED ({everything}), those{number} AS MATERIALIZED ({those})"
    near = (
        f"SELECT email_id, created_at FROM newest{number} AS entry WHERE words {_ASKED} AND EXISTS ({told})"
        f" UNION SELECT row.email_id, row.created_at FROM those{number} AS row JOIN {_ENTRY} AS entry USING (email_id)"
        f" WHERE entry.words {_ASKED}"
    )
    # In the list's order, so that it ends when there is a page; OFFSET keeps the two apart.
    far = (
        f"(SELECT entry.email_id, entry.created_at FROM (SELECT row.email_id, row.created_at FROM {_ENTRY} AS row"
        f" WHERE (SELECT count(*) FROM those{number}) >= %(newest)s / 4 AND {_BEYOND} AND row.{ours} AND {older}"
        f" {_NEWEST_FIRST} OFFSET 0) AS entry, LATERAL ({told} LIMIT 1) AS told LIMIT %(most)s)"
    )
    return _Places(window, near, far)


_RARE = (
    "ARRAY(SELECT term FROM unnest(each) AS term"
    " WHERE (SELECT count(*) FROM newest WHERE newest.words @@ term) * 10 <= (SELECT count(*) FROM newest))"
)
_TEXTS = {"html", "text"}


def _emails(
    member: Member, statement: str, values: Mapping[str, Any], mailboxes: Mapping[UUID, Connection] | None
) -> list[Email]:
    columns = ", ".join(
        f'email."{field.column}"' for field in Email._meta.concrete_fields if field.name not in _TEXTS
    )
    found = list(
        Email.objects.raw(
            f"SELECT {columns} FROM {statement} AS row JOIN sending_email AS email ON email.id = row.email_id"
            f" {_NEWEST_FIRST}",
            values,
        )
    )
    wanted = {one.connection_id for one in found if one.connection_id is not None}
    known = mailboxes if mailboxes is not None and wanted <= mailboxes.keys() else None
    known = known if known is not None else Connection.objects.in_bulk(wanted)
    for one in found:
        one.member = member
        if one.connection_id is not None:
            one.connection = known[one.connection_id]
    return found
