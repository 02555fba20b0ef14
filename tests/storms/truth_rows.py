"""What the rows tell a walk: what is still due, and how a connection stands whose verdict was wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.storms.ground import Rows

# The renewals of a provider that is down wait for one that tries: they are due again when it may.
_DUE = """
SELECT 'delivery', d.connection_id::text, jsonb_build_object('is', d.status, 'held', d.held_cause,
       'due', extract(epoch FROM d.due_at), 'look', extract(epoch FROM d.look_at),
       'tries', (SELECT count(*) FROM sending_attempt a WHERE a.delivery_id = d.id))
  FROM sending_delivery d
 WHERE d.due_at <= to_timestamp(%(now)s) OR d.status = 'sending' OR d.look_at <= to_timestamp(%(now)s)
 UNION ALL
SELECT 'token', t.connection_id::text, jsonb_build_object('version', t.version,
       'renewal', extract(epoch FROM t.due_at), 'probe', extract(epoch FROM t.probe_due_at),
       'begun', extract(epoch FROM t.begun_at), 'outage', o.cause, 'ask', extract(epoch FROM o.ask_at))
  FROM connections_token t JOIN connections_connection c ON c.id = t.connection_id
  LEFT JOIN connections_outage o ON o.provider = t.provider
 WHERE t.dead_at IS NULL AND c.disconnected_at IS NULL
   AND (t.due_at <= to_timestamp(%(now)s) AND coalesce(o.ask_at <= to_timestamp(%(now)s), true)
        OR t.probe_due_at <= to_timestamp(%(now)s))
 UNION ALL
SELECT 'job', '', jsonb_build_object('task', task_name, 'is', status, 'lock', lock)
  FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
"""
_STANDS = """
SELECT jsonb_build_object('dead', extract(epoch FROM t.dead_at), 'key_until', extract(epoch FROM t.access_expires_at),
       'renewal', extract(epoch FROM t.due_at), 'probe', extract(epoch FROM t.probe_due_at),
       'begun', extract(epoch FROM t.begun_at), 'ask', extract(epoch FROM o.ask_at))
  FROM connections_token t LEFT JOIN connections_outage o ON o.provider = t.provider
 WHERE t.connection_id = %(connection)s
"""
_PROOFS = """
SELECT jsonb_build_object(check_name || CASE WHEN ok THEN '' ELSE ' ' || cause || ' by ' || call END,
       extract(epoch FROM at))
  FROM connections_proof WHERE connection_id = %(connection)s ORDER BY at
"""
# Seconds in which nothing at all moves, and those after which what goes on moving leads nowhere.
_PATIENCE, _LONGEST = 90.0, 600.0
# What is a time, by its name in the objects above.
_TIMES = frozenset({"due", "look", "renewal", "probe", "begun", "ask", "dead", "key_until"})


@dataclass(frozen=True)
class Due:
    """Something that is due or somebody is at; two are equal where nothing has moved between."""

    what: str
    connection: str
    facts: tuple[tuple[str, Any], ...]

    def told(self, boxes: Mapping[str, str], now: float) -> str:
        """``boxes``: what connections are called."""
        whose = boxes.get(self.connection, self.connection)
        return " ".join(filter(None, [self.what, whose, _told(dict(self.facts), now)]))


def due(rows: Rows, now: float) -> list[Due]:
    """Everything that is due at ``now``, in seconds of the sandbox's clock."""
    found = rows.ask(_DUE, {"now": now})  # type: ignore[arg-type]
    return [Due(what, connection, tuple(facts.items())) for what, connection, facts in found]


def settle(rows: Rows, now: Callable[[], float]) -> list[Due]:
    """Wait until nothing is due; what is left where nothing moves any more.

    A job alone moves nothing: it is a wake-up, and may be made anew each second.
    """
    began = moved = time.monotonic()
    seen: set[Due] = set()
    fewest = float("inf")
    while left := due(rows, now()):
        moment, stands = time.monotonic(), {one for one in left if one.what != "job"}
        if stands != seen or len(left) < fewest:
            moved = moment
        seen, fewest = stands, min(fewest, len(left))
        if moment - moved > _PATIENCE or moment - began > _LONGEST:
            return left
        time.sleep(0.1)
    return []


def standing(rows: Rows, connection: str, now: float) -> str:
    """The times of a connection's keys and proofs, in seconds before ``now``."""
    values: Any = {"connection": connection}
    keys = [_told(facts, now) for (facts,) in rows.ask(_STANDS, values)]
    proofs = [_told(facts, now, all_times=True) for (facts,) in rows.ask(_PROOFS, values)]
    return f"{'; '.join(keys) or 'no token'}; proofs: {', '.join(proofs)}"


def _told(facts: Mapping[str, Any], now: float, *, all_times: bool = False) -> str:
    told = []
    for name, value in facts.items():
        if value in (None, ""):
            continue
        is_time = isinstance(value, int | float) and (all_times or name in _TIMES)
        told.append(f"{name} {_ago(value, now)}" if is_time else f"{name} {value}")
    return ", ".join(told)


def _ago(moment: float, now: float) -> str:
    return f"{now - moment:.0f} s ago" if moment <= now else f"in {moment - now:.0f} s"
