"""Writing a batch of hits: COPY for the many, single statements for floods and for a row that is refused."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from truesend.tracking.addresses import network_of
from truesend.tracking.folding import Key, Plan
from truesend.tracking.records import Record

log = logging.getLogger(__name__)

_COLUMNS = "at, kind, delivery, link, method, ip, user_agent, headers, network, count"
_COPY = f"COPY tracking_hit ({_COLUMNS}) FROM STDIN"
_INSERT = f"INSERT INTO tracking_hit ({_COLUMNS}) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) RETURNING id"  # noqa: S608

Connection = psycopg.Connection[tuple[Any, ...]]


def insert(connection: Connection, plan: Plan) -> dict[Key, int]:
    """Write a plan inside the running transaction: the ids of the rows that stand for many hits."""
    try:
        with connection.transaction():
            _copy(connection, plan.rows)
    except (psycopg.DataError, psycopg.IntegrityError):
        for record in plan.rows:
            _insert_careful(connection, record)
    row_ids: dict[Key, int] = {}
    for key, (record, count) in plan.folded.items():
        row = connection.execute(_INSERT, _row(record, count)).fetchone()
        assert row is not None
        row_ids[key] = row[0]
    for row_id, count in plan.increments.items():
        # Counted again by the classifier, so that the signal's count follows.
        connection.execute(
            "UPDATE tracking_hit SET count = count + %s, classified_at = NULL WHERE id = %s", [count, row_id]
        )
    return row_ids


def _copy(connection: Connection, records: Sequence[Record]) -> None:
    if not records:
        return
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for record in records:
            copy.write_row(_row(record, 1))


def _insert_careful(connection: Connection, record: Record) -> None:
    """One row by itself: what PostgreSQL refuses must not hold up what stands behind it."""
    try:
        with connection.transaction():
            connection.execute(_INSERT, _row(record, 1))
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        log.error("A hit of delivery %s was refused by the database: %s", record.delivery, error.sqlstate)


def _row(record: Record, count: int) -> tuple[object, ...]:
    return (
        record.at,
        record.kind,
        record.delivery,
        record.link,
        record.method,
        record.ip,
        record.user_agent,
        Jsonb(record.headers),
        network_of(record.ip),
        count,
    )
