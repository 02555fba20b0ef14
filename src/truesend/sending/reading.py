"""Reading what a drain needs in few statements, prepared once per connection.

The same by the ORM costs as much as sending: it composes each query anew. Rows become models here too, with what is
not read left out, so that the rest of the code sees nothing of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import models

from truesend.connections.models import Connection, Proof, Token
from truesend.organizations.models import Member, Organization, User
from truesend.prepared import execute
from truesend.sending.addresses import Mailbox
from truesend.sending.models import Attachment, Attempt, Delivery, Email, Recipient, RecipientType
from truesend.suppression import statements

# Read at a time: so many of the due, or so many bytes of their text.
_AT_ONCE = 16
_AT_ONCE_BYTES = 512 * 1024
# From 21 on mail to many carries a way to unsubscribe.
COPIES = 21

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Due:
    """A delivery to be tried, its ``email`` loaded: ``number`` of the try; cause and reference of the one before.

    ``people`` by :class:`RecipientType`. ``alone``: the email has no other copy. ``has_files``: it has attachments.
    ``to_many``: it goes in separate copies to more than one; ``copies``: how many there are, counted up to
    :data:`COPIES`. ``stopped``: the suppression list stops it, or names somebody who gets it.
    """

    delivery: Delivery
    people: dict[str, list[Mailbox]]
    number: int
    last_cause: str
    alone: bool
    has_files: bool
    reference: str = ""
    to_many: bool = False
    copies: int = 1
    stopped: bool = False


@dataclass(frozen=True)
class Facts:
    """A connection with everything its verdict rests on, and what its organization wants of links."""

    connection: Connection
    token: Token | None
    proofs: list[Proof]
    tracks_shown: bool


class _Columns(Generic[M]):
    """Some columns of a model (all of them, unless named), and the way from a row to it."""

    def __init__(self, model: type[M], alias: str, *names: str) -> None:
        fields = [one for one in model._meta.concrete_fields if not names or one.name in names]
        self._model = model
        self._names = [one.attname for one in fields]
        self.sql = ", ".join(f'{alias}."{one.column}"' for one in fields)
        self.count = len(fields)

    def read(self, values: tuple[Any, ...]) -> M:
        return self._model.from_db("default", self._names, values)


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table


_DELIVERY = _Columns(
    Delivery,
    "d",
    "id",
    "email",
    "connection",
    "position",
    "status",
    "due_at",
    "late_after",
    "held_cause",
    "values",
)
_EMAIL = _Columns(
    Email,
    "e",
    *("id", "organization", "member", "connection", "subject", "html", "text", "track", "is_test"),
    *("reply_to", "sender", "separate_copies", "halt"),
)
_CONNECTION, _TOKEN, _PROOF = _Columns(Connection, "c"), _Columns(Token, "t"), _Columns(Proof, "p")
_MEMBER = _Columns(Member, "m")
_ORGANIZATION = _Columns(
    Organization,
    "o",
    *(
        "id",
        "name",
        "track_shown_addresses",
        "personal_connections_allowed",
        "tracking_url",
        "tracking_failed_at",
        "ends_at",
        "zone",
    ),
)
_USER = _Columns(User, "u", "id", "email", "name", "is_active")

# Names of our own tables and columns, and nothing else, are put into these.
_DUE = f"""
SELECT (SELECT json_agg(json_build_array(r.type, r.address, r.name) ORDER BY r.position)
          FROM {_table(Recipient)} r WHERE r.delivery_id = d.id),
       last.number, last.cause, last.reference,
       EXISTS (SELECT FROM {_table(Delivery)} o WHERE o.email_id = d.email_id AND o.id <> d.id),
       EXISTS (SELECT FROM {_table(Attachment)} f WHERE f.email_id = d.email_id),
       {statements.to_many("d")}, {statements.copies("e", COPIES)}, {statements.stops("d")},
       {_DELIVERY.sql}, {_EMAIL.sql}
  FROM (SELECT id, row_number() OVER turn AS place, sum(bytes) OVER turn AS total
          FROM (SELECT w.id, w.due_at, w.email_id, w.position,
                       octet_length(x.html) + octet_length(x.text) AS bytes
                  FROM {_table(Delivery)} w JOIN {_table(Email)} x ON x.id = w.email_id
                 WHERE w.connection_id = %(connection)s AND w.due_at <= %(now)s
                 ORDER BY w.due_at, w.email_id, w.position LIMIT %(most)s) AS first
        WINDOW turn AS (ORDER BY due_at, email_id, position ROWS UNBOUNDED PRECEDING)) AS chosen
  JOIN {_table(Delivery)} d ON d.id = chosen.id
  JOIN {_table(Email)} e ON e.id = d.email_id
  LEFT JOIN LATERAL (SELECT number, cause, reference FROM {_table(Attempt)} a WHERE a.delivery_id = d.id
                      ORDER BY number DESC LIMIT 1) AS last ON true
 WHERE chosen.place = 1 OR chosen.total <= %(bytes)s
 ORDER BY d.due_at, d.email_id, d.position
""".encode()  # noqa: S608
# One statement and so one moment: a token older than the renewal that a proof tells of would make a dead grant due.
_FACTS = f"""
SELECT {_CONNECTION.sql}, {_TOKEN.sql}, {_MEMBER.sql}, {_USER.sql}, {_ORGANIZATION.sql}, {_PROOF.sql}
  FROM {_table(Connection)} c
  JOIN {_table(Organization)} o ON o.id = c.organization_id
  JOIN {_table(Member)} m ON m.id = c.member_id JOIN {_table(User)} u ON u.id = m.user_id
  LEFT JOIN {_table(Token)} t ON t.connection_id = c.id LEFT JOIN {_table(Proof)} p ON p.connection_id = c.id
 WHERE c.id = %(connection)s
""".encode()  # noqa: S608
_WRITER = f"""
SELECT {_MEMBER.sql}, {_USER.sql}
  FROM {_table(Member)} m JOIN {_table(User)} u ON u.id = m.user_id WHERE m.id = %(member)s
""".encode()  # noqa: S608


def due(connection_id: UUID, now: datetime) -> list[Due]:
    """The first of what is due in a mailbox, in its order: at least one where there is one."""
    found = execute(
        _DUE, {"connection": connection_id, "now": now, "most": _AT_ONCE, "bytes": _AT_ONCE_BYTES}
    )
    return [_due(row) for row in found]


def _due(row: tuple[Any, ...]) -> Due:
    recipients, number, cause, reference, accompanied, has_files, to_many, copies, stopped, *columns = row
    delivery = _DELIVERY.read(tuple(columns[: _DELIVERY.count]))
    # As Django reads it: `jsonb` comes as text.
    delivery.values = json.loads(delivery.values) if isinstance(delivery.values, str) else delivery.values
    delivery.email = _EMAIL.read(tuple(columns[_DELIVERY.count :]))
    people: dict[str, list[Mailbox]] = {kind: [] for kind in RecipientType.values}
    for kind, address, name in recipients or ():
        people[kind].append(Mailbox(address, name))
    return Due(
        delivery,
        people,
        (number or 0) + 1,
        cause or "",
        not accompanied,
        has_files,
        reference or "",
        to_many,
        copies,
        stopped,
    )


def facts(connection_id: UUID) -> Facts:
    """A connection as it stands, its ``member`` loaded."""
    rows = execute(_FACTS, {"connection": connection_id})
    found = [_parted(row, _CONNECTION, _TOKEN, _MEMBER, _USER, _ORGANIZATION, _PROOF) for row in rows]
    opened, token, member, user, organization, _ = found[0]
    connection = _CONNECTION.read(opened)
    connection.organization = _ORGANIZATION.read(organization)
    connection.member = _MEMBER.read(member)
    connection.member.user = _USER.read(user)
    connection.member.organization = connection.organization
    proofs = [_PROOF.read(proof) for *_, proof in found if proof[0] is not None]
    tracks_shown = connection.organization.track_shown_addresses
    return Facts(connection, _TOKEN.read(token) if token[0] is not None else None, proofs, tracks_shown)


def _parted(row: tuple[Any, ...], *columns: _Columns[Any]) -> list[tuple[Any, ...]]:
    parts, start = [], 0
    for one in columns:
        parts.append(row[start : start + one.count])
        start += one.count
    return parts


def writer(member_id: UUID) -> Member:
    """A member with what readiness asks of their user."""
    member, user = _parted(execute(_WRITER, {"member": member_id})[0], _MEMBER, _USER)
    found = _MEMBER.read(member)
    found.user = _USER.read(user)
    return found
