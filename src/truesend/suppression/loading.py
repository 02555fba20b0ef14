"""From the tracker's segments to the list: who unsubscribed, and a signal on the timeline of the copy it was.

Free of Django, for the loader; called in the transaction that moves a segment's position, so that each counts once.
Records of several trackers may come in any order: each says when it was, and the later word holds. One that cannot be
written is named and left out, for what stands behind it must not wait.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from truesend import clock
from truesend.suppression.addresses import keys_of
from truesend.tracking import rules
from truesend.tracking.unsubscribe_records import Kind, Said, Way, read

log = logging.getLogger(__name__)

EVENTS = "truesend_events"
RULE, UNDONE = "unsubscribe", "unsubscribe_undone"
BY_RECIPIENT = "the recipient"

_WAYS = {Way.PAGE: "By the link in the mail", Way.ONE_CLICK: "By the mail program’s own button"}

Connection = psycopg.Connection[tuple[Any, ...]]
Changed = dict[tuple[UUID, str], set[str]]
"""Ids by organization and kind, for open pages."""

# One at a time for an address, whoever loads; and an organization that is being deleted takes nothing more.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(organization)s::text || %(key)s::text, 20))"
_EXISTS = "SELECT id FROM organizations_organization WHERE id = %(organization)s FOR KEY SHARE"
_TAKEN_BACK = """
SELECT EXISTS (SELECT FROM suppression_suppression
                WHERE organization_id = %(organization)s AND key = %(key)s AND reason = 'asked'
                  AND allowed_at >= %(at)s)
"""
_ADD = """
INSERT INTO suppression_suppression
       (id, organization_id, key, domain, address, reason, source, email, delivery, at, allowed_at, allowed_by)
SELECT %(id)s, %(organization)s, %(key)s::text, split_part(%(key)s::text, '@', 2), %(address)s, 'asked', %(source)s,
       (SELECT email_id FROM sending_delivery WHERE id = %(delivery)s), %(delivery)s, %(at)s,
       %(over)s::timestamptz, %(by)s
 WHERE NOT EXISTS (SELECT FROM suppression_suppression AS hashed
                    WHERE hashed.organization_id = %(organization)s AND hashed.key = %(digest)s
                      AND hashed.reason = 'asked' AND hashed.allowed_at IS NULL)
ON CONFLICT (organization_id, key, reason) WHERE allowed_at IS NULL DO NOTHING
"""
_SIGNAL = """
INSERT INTO tracking_signal
       (organization, email, delivery, kind, class, confidence, reason, rule, rules_version, at, recipient, changed_at)
SELECT email.organization_id, email.id, copy.id, 'unsubscribe', 'person', 1, %(words)s, %(rule)s::text, %(version)s,
       %(at)s, %(address)s, %(now)s
  FROM sending_delivery AS copy JOIN sending_email AS email ON email.id = copy.email_id
 WHERE copy.id = %(delivery)s AND email.organization_id = %(organization)s
   AND NOT EXISTS (SELECT FROM tracking_forgotten AS gone WHERE gone.delivery = copy.id)
   AND NOT EXISTS (SELECT FROM tracking_signal AS told
                    WHERE told.delivery = copy.id AND told.kind = 'unsubscribe' AND told.rule = %(rule)s::text
                      AND told.rule <> 'unsubscribe_undone')
RETURNING id, email
"""
# By the link it was begun, and by the link it ends; what a member of the team noted is for the team to end.
_END = """
UPDATE suppression_suppression SET allowed_at = %(at)s, allowed_by = %(by)s
 WHERE organization_id = %(organization)s AND key IN (%(key)s, %(digest)s) AND reason = 'asked' AND allowed_at IS NULL
   AND (delivery IS NOT NULL OR key = %(digest)s) AND at <= %(at)s
"""
# Pressed again, it is one end, the last.
_EXTEND = """
UPDATE suppression_suppression SET allowed_at = greatest(allowed_at, %(at)s)
 WHERE id = (SELECT id FROM suppression_suppression
              WHERE organization_id = %(organization)s AND key = %(key)s AND reason = 'asked' AND allowed_by = %(by)s
                AND allowed_at IS NOT NULL
              ORDER BY allowed_at DESC LIMIT 1)
"""
_SIGNAL_ENDS = """
UPDATE tracking_signal SET reason = reason || %(words)s, rule = %(undone)s, changed_at = %(now)s
 WHERE delivery = %(delivery)s AND kind = 'unsubscribe' AND rule = %(rule)s AND at <= %(at)s
RETURNING id, email, at
"""


def keep(connection: Connection, payloads: list[bytes]) -> None:
    """Write what the payloads say, in the running transaction; a loader's shelf calls it."""
    changed: Changed = defaultdict(set)
    for said in sorted(_read_all(payloads), key=lambda one: one.at):
        try:
            with connection.transaction():
                told = _undo(connection, said) if said.kind is Kind.UNDO else _unsubscribe(connection, said)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            log.error(
                "An unsubscribe of delivery %s was refused by the database: %s", said.delivery, error.sqlstate
            )
            continue
        for key, ids in told.items():
            changed[key] |= ids
    for (organization, kind), ids in changed.items():
        hint = json.dumps({"o": str(organization), "k": kind, "i": sorted(ids)}, separators=(",", ":"))
        # PostgreSQL takes no more; pages read again all the same when the next one comes.
        if len(hint) < 7_900:
            connection.execute("SELECT pg_notify(%s, %s)", [EVENTS, hint])


def _read_all(payloads: Iterable[bytes]) -> list[Said]:
    found = []
    for payload in payloads:
        try:
            found.append(read(payload))
        except ValueError:
            log.error("An unsubscribe of %d bytes cannot be read; it is left out.", len(payload))
    return found


def _unsubscribe(connection: Connection, said: Said) -> Changed:
    values = _values(said)
    if not _taken(connection, values):
        return {}
    row = connection.execute(_TAKEN_BACK, values).fetchone()
    over = row is not None and bool(row[0])
    added = 0 if over else connection.execute(_ADD, {**values, "over": None, "by": ""}).rowcount
    words = f"{values['source']}.{' It was taken back later.' if over else ''}"
    rule = UNDONE if over else RULE
    return _changed(said, connection.execute(_SIGNAL, {**values, "words": words, "rule": rule}), added)


def _undo(connection: Connection, said: Said) -> Changed:
    values = _values(said)
    if not _taken(connection, values):
        return {}
    by = {**values, "by": BY_RECIPIENT}
    ended = connection.execute(_END, by).rowcount
    if not ended and not connection.execute(_EXTEND, by).rowcount:
        # It may have come before what it takes back: that finds here that it is over.
        connection.execute(_ADD, {**by, "over": said.at})
    signals = connection.execute(
        "SELECT max(at) FROM tracking_signal WHERE delivery = %(delivery)s AND rule = %(rule)s AND at <= %(at)s",
        values,
    ).fetchone()
    begun = signals[0] if signals else None
    words = f" Taken back {_after(said.at - begun)} later." if begun is not None else ""
    return _changed(said, connection.execute(_SIGNAL_ENDS, {**values, "words": words}), ended)


def _taken(connection: Connection, values: dict[str, object]) -> bool:
    connection.execute(_LOCK, values)
    return connection.execute(_EXISTS, values).fetchone() is not None


def _values(said: Said) -> dict[str, object]:
    key, digest = keys_of(said.organization, said.address)
    return {
        "id": uuid4(),
        "organization": said.organization,
        "delivery": said.delivery,
        "address": said.address,
        "key": key,
        "digest": digest,
        "at": said.at,
        "source": _WAYS[said.way],
        "rule": RULE,
        "undone": UNDONE,
        "version": rules.CURRENT.version,
        "now": clock.now(),
    }


def _changed(said: Said, signals: psycopg.Cursor[tuple[Any, ...]], listed: int) -> Changed:
    rows = signals.fetchall()
    changed: Changed = {}
    if rows:
        changed[said.organization, "signal"] = {str(row[0]) for row in rows}
        changed[said.organization, "email"] = {str(row[1]) for row in rows}
    if listed:
        changed[said.organization, "account"] = {str(said.organization)}
    return changed


def _after(time: timedelta) -> str:
    """“a moment”, “3 minutes”, “2 days”."""
    minutes = int(time.total_seconds()) // 60
    for size, word in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"{number} {word}{'' if number == 1 else 's'}"
    return "a moment"
