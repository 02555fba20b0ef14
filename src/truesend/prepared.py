"""Statements that are prepared once per connection to the database, for what is done many times a second.

The same by the ORM costs as much as the work itself: it composes each query anew.
"""

from __future__ import annotations

import sys
from typing import Any

import psycopg
from django.db import connection

_NEVER = sys.maxsize


def execute(statement: bytes, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that is prepared on this thread's connection. Errors are Django's."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    opened = connection.connection
    assert isinstance(opened, psycopg.Connection)
    if opened.prepare_threshold is None:
        # Django's default, under which psycopg prepares nothing, asked or not. No query reaches this one by itself.
        opened.prepare_threshold = _NEVER
    with connection.wrap_database_errors, psycopg.Cursor(opened) as cursor:
        return cursor.execute(statement, values, prepare=True).fetchall()
