"""Bringing the database to this version, and knowing quickly that it is there already."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import psycopg

_TABLE = "truesend_schema"
# Any number that nobody else takes for a lock of this database.
_LOCK = 0x7472_7565
# Packages that bring migrations of their own.
_PACKAGES = ("django", "django-allauth", "procrastinate")


def fingerprint() -> str:
    """Changes with every migration of ours and every version of a package that brings some."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for path in sorted(root.glob("**/migrations/*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    for package in _PACKAGES:
        digest.update(f"{package}=={version(package)}".encode())
    return digest.hexdigest()


def is_current(url: str) -> bool:
    """Whether the database at ``url`` was migrated by exactly this version.

    The answer stands in the database itself, so that a restored backup brings its own. Without starting
    Django this takes milliseconds instead of seconds.
    """
    with psycopg.connect(url, connect_timeout=10) as connection:
        table = connection.execute("SELECT to_regclass(%s)", [_TABLE]).fetchone()
        if table is None or table[0] is None:
            return False
        row = connection.execute("SELECT fingerprint FROM truesend_schema").fetchone()
    return row is not None and row[0] == fingerprint()


def migrate(url: str) -> None:
    """Apply all migrations; processes on several machines take turns. Needs Django set up."""
    from django.core.management import call_command

    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        call_command("migrate", interactive=False, verbosity=1)
        call_command("createcachetable")
        with connection.transaction():
            connection.execute("CREATE TABLE IF NOT EXISTS truesend_schema (fingerprint text NOT NULL)")
            connection.execute("DELETE FROM truesend_schema")
            connection.execute("INSERT INTO truesend_schema (fingerprint) VALUES (%s)", [fingerprint()])
