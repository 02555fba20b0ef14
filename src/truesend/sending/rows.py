"""The two statements that every email costs: its attempt is started, and what came of it stands.

Each is one statement and so one commit, written out because the same in single steps took most of an email's time.
They are prepared once per connection. Both are guarded: no row, nothing happened. The guards are worded so that no
partial index fits them: those are full of entries just left, and only the primary key leads to one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from psycopg.types.json import Jsonb

from truesend.prepared import execute
from truesend.sending.models import Attempt
from truesend.suppression.statements import stops

_START = f"""
WITH taken AS (
  UPDATE sending_delivery SET status = 'sending', due_at = NULL, held_cause = '', links = %(links)s
   WHERE id = %(delivery)s AND status = 'queued' AND coalesce(due_at <= %(now)s, false)
     AND NOT {stops("sending_delivery")}
  RETURNING id, email_id
), tried AS (
  INSERT INTO sending_attempt
         (id, delivery_id, number, started_at, started_real_at, over_at, position, worker, preparing,
          outcome, cause, words, settled_by)
  SELECT %(attempt)s, id, %(number)s, %(now)s, %(real)s, %(over)s, %(position)s, %(worker)s, %(preparing)s,
         '', '', '', ''
    FROM taken
), shown AS (
  UPDATE sending_email SET status = 'sending', updated_at = %(now)s
    FROM taken WHERE sending_email.id = taken.email_id AND sending_email.status <> 'draft'
)
SELECT count(*) FROM taken
""".encode()  # noqa: S608

# The newest success of a check, unless a newer one stands there.
_ACCEPT = b"""
WITH told AS (
  UPDATE sending_attempt SET outcome = 'ACCEPTED', finished_at = %(now)s, milliseconds = %(milliseconds)s
   WHERE id = %(attempt)s AND length(outcome) = 0
  RETURNING delivery_id
), settled AS (
  UPDATE sending_delivery
     SET status = 'accepted', due_at = NULL, held_cause = '', look_at = NULL, ask_from = NULL, sent_at = %(now)s,
         provider_message_id = %(message)s, provider_thread_id = %(thread)s
    FROM told WHERE sending_delivery.id = told.delivery_id AND status IN ('sending', 'unknown')
  RETURNING sending_delivery.id, email_id
), noted AS (
  INSERT INTO connections_ledgerentry (connection_id, at, kind, trigger, result, words, ref)
  SELECT %(connection)s, %(now)s, 'send', 'send', 'ok', '', delivery_id::text FROM told
), proved AS (
  INSERT INTO connections_proof AS known (connection_id, check_name, ok, cause, call, words, at, until)
  SELECT %(connection)s, check_name, true, '', 'send', '', %(now)s, NULL
    FROM told, unnest(%(checks)s::text[]) AS check_name
  ON CONFLICT (connection_id, check_name, ok) DO UPDATE
     SET cause = '', call = 'send', words = '', at = excluded.at, until = NULL WHERE known.at <= excluded.at
), shown AS (
  UPDATE sending_email SET status = 'sent', problem = '', updated_at = %(now)s
    FROM settled
   WHERE sending_email.id = settled.email_id AND sending_email.status <> 'draft'
     AND NOT EXISTS (SELECT FROM sending_delivery AS other
                      WHERE other.email_id = settled.email_id AND other.id <> settled.id)
  RETURNING 1
)
SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM shown)
"""


@dataclass(frozen=True)
class Accepted:
    """What :func:`accept` changed: the attempt and its delivery, and the email where this is its only copy."""

    recorded: bool
    shown: bool


def start(
    *,
    delivery: UUID,
    attempt: UUID,
    number: int,
    links: object,
    now: datetime,
    real: datetime,
    over: datetime,
    position: str,
    worker: str,
    preparing: bool = False,
) -> bool:
    """Take a delivery that is due, open an attempt at it and show its email as being sent; False: nothing was due.

    Nor is it taken where the suppression list stops it by now: read again, that is a gate.

    ``preparing``: it begins with what sends nothing, and may send only after :func:`prepared`.

    Times: ``now`` by the clock that can be moved, ``real`` and ``over`` by the real one. Raises IntegrityError
    where another attempt is open or has this number.
    """
    (row,) = execute(
        _START,
        {
            "delivery": delivery,
            "attempt": attempt,
            "number": number,
            "links": Jsonb(links),
            "now": now,
            "real": real,
            "over": over,
            "position": position,
            "worker": worker,
            "preparing": preparing,
        },
    )
    return bool(row[0])


def prepared(attempt: UUID, reference: str, *, over: datetime) -> bool:
    """Commit what was prepared: from here on something may leave, until ``over``. False: somebody has judged it.

    Asked again, since no answer came, it is the same.
    """
    ours = Q(preparing=True) | Q(reference=reference)
    begun = Attempt.objects.filter(ours, pk=attempt, outcome="")
    return begun.update(preparing=False, reference=reference, over_at=over) == 1


def accept(
    *,
    attempt: UUID,
    connection_id: UUID,
    now: datetime,
    milliseconds: int,
    message_id: str,
    thread_id: str,
    checks: list[str],
) -> Accepted:
    """Record that an open attempt was accepted: delivery, ledger, the proof of ``checks`` and the email's status.

    Where the email has more copies, its status is left to the caller.
    """
    (row,) = execute(
        _ACCEPT,
        {
            "attempt": attempt,
            "connection": connection_id,
            "now": now,
            "milliseconds": milliseconds,
            "message": message_id,
            "thread": thread_id,
            "checks": checks,
        },
    )
    return Accepted(bool(row[0]), bool(row[1]))
