"""The embedded PostgreSQL, with real processes."""

from __future__ import annotations

import os

import psycopg


def test_the_embedded_postgresql_answers() -> None:
    with psycopg.connect(os.environ["TRUESEND_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        version = connection.execute("SHOW server_version_num").fetchone()
        assert version is not None
        assert int(version[0]) >= 180000
