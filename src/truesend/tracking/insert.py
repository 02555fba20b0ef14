"""Writing a batch of hits: COPY for the many, single statements for floods and for a row that is refused."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from truesend.tracking import copying, records
from truesend.tracking.addresses import network_of
from truesend.tracking.copying import Hit, Key
from truesend.tracking.folding import Plan

log = logging.getLogger(__name__)

_COPY = f"COPY tracking_hit ({', '.join(copying.COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_VALUES = ", ".join(["%s"] * len(copying.COLUMNS))
_INSERT = f"INSERT INTO tracking_hit ({', '.join(copying.COLUMNS)}) VALUES ({_VALUES}) RETURNING id"  # noqa: S608

Connection = psycopg.Connection[tuple[Any, ...]]


def insert(connection: Connection, plan: Plan) -> dict[Key, int]:
    """Write a plan inside the running transaction: the ids of the rows that stand for many hits."""
    if plan.rows:
        try:
            with connection.transaction(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.write(copying.table(hit.row for hit in plan.rows))
        except (psycopg.DataError, psycopg.IntegrityError):
            for hit in plan.rows:
                _insert_careful(connection, hit)
    row_ids: dict[Key, int] = {}
    for key, (hit, count) in plan.folded.items():
        row = connection.execute(_INSERT, _row(hit, count)).fetchone()
        assert row is not None
        row_ids[key] = row[0]
    for row_id, count in plan.increments.items():
        # Counted again by the classifier, so that the signal's count follows.
        connection.execute(
            "UPDATE tracking_hit SET count = count + %s, classified_at = NULL WHERE id = %s", [count, row_id]
        )
    return row_ids


def _insert_careful(connection: Connection, hit: Hit) -> None:
    """One row by itself: what PostgreSQL refuses must not hold up what stands behind it."""
    try:
        with connection.transaction():
            connection.execute(_INSERT, _row(hit, 1))
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        delivery = records.read(hit.payload).delivery
        log.error("A hit of delivery %s was refused by the database: %s", delivery, error.sqlstate)


def _row(hit: Hit, count: int) -> tuple[object, ...]:
    record = records.read(hit.payload)
    return (
        record.at,
        record.delivery,
        record.link,
        record.kind,
        record.method,
        record.ip,
        network_of(record.ip),
        record.user_agent,
        Jsonb(record.headers),
        count,
    )
