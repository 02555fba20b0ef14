"""A table of hits that has many rows already, beside the one that is empty."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

DATABASE = "filled"
MANY, FEW = 10_000_000, 200_000
"""Rows, and rows where the runs are too short to be a figure."""

_FILL = """
INSERT INTO tracking_hit (at, delivery, link, kind, method, ip, network, user_agent, headers, count, classified_at)
SELECT now() - n * interval '1 second', md5((n / 3)::text)::uuid, CASE WHEN n %% 3 = 2 THEN n %% 7 END,
       CASE WHEN n %% 3 = 2 THEN 'click' ELSE 'open' END, 'GET', '203.0.113.7', '203.0.113.0/24',
       'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Firefox/132.0', '{}', 1, now()
  FROM generate_series(1, %s) AS n
"""


def make_database(url: str) -> str:
    """A second database of the same server: its address."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    return urlsplit(url)._replace(path=f"/{DATABASE}").geturl()


def fill(url: str, rows: int) -> None:
    """Write so many hits, three to a delivery and classified; indexes are made afterwards, which is much faster."""
    with psycopg.connect(url, autocommit=True) as connection:
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'tracking_hit' AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint WHERE conrelid = 'tracking_hit'::regclass)"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        connection.execute(_FILL, [rows])
        connection.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            connection.execute(_as_is(definition))
        connection.execute("VACUUM (ANALYZE) tracking_hit")


def _as_is(statement: Any) -> sql.SQL:
    """What the database itself said."""
    return sql.SQL(statement)
