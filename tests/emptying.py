"""Emptying the database after a test that commits, in milliseconds.

Django truncates every table of the project, most of which a test never touched: a quarter of a second of PostgreSQL's
work after each test. Here only rows that are there are deleted.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

# What a migration wrote stays, as after Django's own emptying. The log of administrative acts lets nobody delete a row
# of it: its rows go with the organizations.
_KEPT = frozenset({"django_migrations", "organizations_auditentry"})


def install() -> None:
    """Let every test that commits end so."""
    TransactionTestCase._fixture_teardown = _teardown  # type: ignore[attr-defined]


def _teardown(test: Any) -> None:
    empty()


def empty() -> None:
    """Delete every row of every table."""
    quoted = connection.ops.quote_name
    with transaction.atomic(), connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in _KEPT]
        looks = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {quoted(name)})" for name in tables)
        cursor.execute(" UNION ALL ".join(looks))
        if full := [name for (name,) in cursor.fetchall()]:
            # Foreign keys are looked at in the end, when nothing is left.
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for name in full:
                cursor.execute(f"DELETE FROM {quoted(name)}")
