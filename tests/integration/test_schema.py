"""What the models promise stands in the database: a migration can drop more than it says."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection


@pytest.mark.django_db
def test_every_constraint_and_index_of_a_model_is_in_the_database() -> None:
    wanted = {
        (model._meta.db_table, one.name)
        for model in apps.get_models()
        if model.__module__.startswith("truesend.")
        for one in (*model._meta.constraints, *model._meta.indexes)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = current_schema()"
            " UNION SELECT conrelid::regclass::text, conname FROM pg_constraint"
        )
        found = set(cursor.fetchall())
    assert {name for _, name in wanted} >= {"attempt_one_running", "attempt_accepted_once"}
    assert wanted <= found
