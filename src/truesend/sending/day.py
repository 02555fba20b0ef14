"""A mailbox's rolling day from its rows: what left, what waits, and when what is written now would leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import connection as database

from truesend import clock, env
from truesend.connections.models import Connection
from truesend.providers import registry
from truesend.sending import budget
from truesend.sending.budget import DAY, Day, Load, Plan
from truesend.sending.gate import Draft
from truesend.sending.models import Attempt, Delivery, Recipient
from truesend.sending.people_models import MailboxBudget

_DELIVERY, _PEOPLE, _ATTEMPT = (one._meta.db_table for one in (Delivery, Recipient, Attempt))
# What may have left counts as left: an unknown try as well as one under way. Each part has an index of its own.
_LOAD = f"""
WITH told AS (
  SELECT id, sent_at AS at, false AS planned FROM {_DELIVERY}
   WHERE connection_id = %(connection)s AND sent_at > %(since)s
  UNION ALL
  SELECT id, greatest(due_at, %(now)s), true FROM {_DELIVERY}
   WHERE connection_id = %(connection)s AND due_at IS NOT NULL AND email_id IS DISTINCT FROM %(but)s
  UNION ALL
  SELECT id, %(now)s, false FROM {_DELIVERY} WHERE connection_id = %(connection)s AND status = 'sending'
  UNION ALL
  SELECT d.id, (SELECT max(started_at) FROM {_ATTEMPT} AS a WHERE a.delivery_id = d.id), false FROM {_DELIVERY} AS d
   WHERE d.connection_id = %(connection)s AND d.status = 'unknown' AND d.look_at IS NOT NULL
)
SELECT date_trunc('minute', told.at), count(DISTINCT told.id), count(r.id), told.planned
  FROM told LEFT JOIN {_PEOPLE} AS r ON r.delivery_id = told.id
 WHERE told.at > %(since)s GROUP BY 1, 4 ORDER BY 1
"""  # noqa: S608  # our own tables' names


def of(connection: Connection, *, but: UUID | None = None) -> Day:
    """The day of a mailbox; ``but``: without the copies of that email."""
    now = clock.now()
    with database.cursor() as cursor:
        cursor.execute(
            _LOAD, {"connection": connection.pk, "since": now - DAY - budget.MINUTE, "now": now, "but": but}
        )
        load = [
            Load(at, int(count), int(people), planned) for at, count, people, planned in cursor.fetchall()
        ]
    own = MailboxBudget.objects.filter(connection=connection).values_list("messages", flat=True).first()
    limit = registry.provider(connection.provider).day_limit(connection.address)
    return Day(limit, own or 0, load)


class NotLower(ValueError):
    """A figure that is not below the provider's; the message says what that is."""


def lower(connection: Connection, messages: int | None) -> int | None:
    """Keep a mailbox to so many emails in 24 hours, or to what its provider takes (None). Raises :class:`NotLower`."""
    if not messages:
        if messages == 0:
            raise NotLower("At least one email. To send nothing from it, disconnect it.")
        MailboxBudget.objects.filter(connection=connection).delete()
        return None
    limit = registry.provider(connection.provider).day_limit(connection.address)
    most = min(filter(None, (limit.messages, limit.recipients)), default=0)
    if most and messages >= most:
        raise NotLower(f"{limit.told} Choose fewer than {most:,}, or leave it empty.")
    MailboxBudget.objects.update_or_create(
        connection=connection, defaults={"messages": messages, "changed_at": clock.now()}
    )
    return messages


def per_minute(day: Day) -> int:
    """How many copies of one email a mailbox sends in a minute; an operator's setting may say otherwise."""
    own = env.get("COPIES_PER_MINUTE")
    return int(env.number("COPIES_PER_MINUTE")) if own else day.limit.per_minute


def planned(draft: Draft) -> Draft:
    """A draft with the times at which it would leave."""
    if draft.connection is None or not draft.recipients or draft.is_test:
        return draft
    start = max(clock.now(), draft.send_at or clock.now())
    return replace(draft, plan=_plan(draft, start, of(draft.connection.connection)))


def times(draft: Draft, start: datetime) -> Sequence[datetime]:
    """When each copy of a draft is due, the first not before ``start``."""
    if draft.plan is None:
        return [start] * max(1, len(draft.recipients))
    plan = _plan(draft, start, draft.plan.day)
    # Held for its budget, or not at all: a single email that waits for nothing is due at once.
    return plan.times


def _plan(draft: Draft, start: datetime, day: Day) -> Plan:
    people = len(draft.recipients)
    if draft.separate_copies and not budget.takes_too_long(people, day):
        return budget.plan_copies(people, start, day, per_minute=per_minute(day))
    return budget.plan_one(people, start, day)
