"""Everybody asks for everything: the answers are those of the table in `docs/access.md`, and the table is sound."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from tests import access
from tests.access import (
    COLUMNS,
    INACTIVE,
    MANAGER,
    NOBODY,
    OWNER,
    STRANGER,
    USER,
    Asker,
    World,
)
from tests.billing import billing, tries_until

__all__ = ["billing"]  # a fixture

CALLS = access.calls()


@pytest.fixture
def world(billing: None, monkeypatch: pytest.MonkeyPatch) -> World:
    # Nobody answers at the providers: what asks one is to fail there.
    for one in ("TOKEN", "REVOKE", "USERINFO", "JWKS", "API"):
        monkeypatch.setenv(f"TRUESEND_GOOGLE_{one}_URL", "http://localhost:1")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "client")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "secret")
    return access.world()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("column", COLUMNS)
def test_everybody_gets_what_the_table_says(world: World, column: str) -> None:
    if column == INACTIVE:
        tries_until(world.people[OWNER].member, timedelta(days=-1))
    asker, table, wrong = Asker(world, column), access.table(), []
    for call in CALLS:
        cell, text = asker.ask(call)
        table.setdefault(access.key(call), dict.fromkeys(COLUMNS, "?"))
        if table[access.key(call)][column] != cell:
            wrong.append(f"{access.key(call)}: {column} gets {cell}, not {table[access.key(call)][column]}")
            table[access.key(call)][column] = cell
        if cell == "403" and column in (USER, MANAGER) and table[access.key(call)][OWNER] != "403":
            # What a role cannot do is shown with who can.
            owner = world.people[OWNER].member.user.email
            if owner.encode() not in text:
                wrong.append(f"{access.key(call)}: {column} is not told who can")
        if column in (NOBODY, STRANGER) and b"@northwind.example" in text:
            wrong.append(f"{access.key(call)}: {column} reads of somebody here")
    if os.environ.get("WRITE_ACCESS"):
        write(table)
    print(f"{len(CALLS)} calls by {column}")
    assert not wrong, "\n".join(wrong)


def write(table: dict[str, dict[str, Any]]) -> None:
    """With WRITE_ACCESS=1, after looking at every line that changes."""
    lines = [access.line(call, table[access.key(call)]) for call in CALLS]
    access.PAGE.write_text(access.HEAD + "\n".join(lines) + "\n", encoding="utf-8")
