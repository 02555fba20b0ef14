"""Every secret sealed anew with the newest encryption key, while everything else goes on.

Some rows at a time, each lot in a transaction of its own, so that it can be ended anywhere and goes on where it was:
what bears the newest key is done. A secret is replaced only while it is the one that was opened. Rows in whose renewal
somebody is at this moment are left for the next round, since its end may write back what it has read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import connection as database
from django.db import transaction
from psycopg import sql

from truesend import env
from truesend.connections.secretbox import SEALED, Column, SecretUnreadable, newest_key, open_sealed, seal

# Rows that nobody else can renew for the moment: a lot takes some milliseconds.
AT_ONCE = 100
# A renewal is over after that, whatever came of it.
_PATIENCE_SECONDS = 120.0
_BETWEEN_ROUNDS = 0.5
# In these tables a call may be under way whose end writes the row.
_UNDER_WAY = {"connections_token": sql.SQL(" AND coalesce(begun_until < clock_timestamp(), true)")}


@dataclass
class Told:
    """What became of one column's secrets: ``done`` now, ``before`` already, and which could not be opened.

    ``without`` are the rows by the name of the key that is missing; ``damaged`` do not open though their key is here;
    ``left`` are those that a renewal was at until the end.
    """

    column: Column
    done: int = 0
    before: int = 0
    left: int = 0
    without: dict[str, list[str]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Table and column."""
        return f"{self.column.table}.{self.column.name}"


def rekey(
    *, patience: float = _PATIENCE_SECONDS, after_a_lot: Callable[[], None] = lambda: None
) -> list[Told]:
    """Seal everything anew; what became of it, by column. ``after_a_lot`` is called after each commit.

    Raises :class:`truesend.env.SettingError` where there is no key at all.
    """
    mark = _mark(newest_key())
    until = time.monotonic() + patience
    found = []
    for column in SEALED:
        told = Told(column, before=_count(column, mark, bears=True))
        found.append(told)
        while True:
            told.without.clear()
            told.damaged.clear()
            for _ in _round(told, mark):
                after_a_lot()
            unreadable = sum(map(len, told.without.values())) + len(told.damaged)
            told.left = max(0, _count(column, mark, bears=False) - unreadable)
            if not told.left or time.monotonic() > until:
                break
            time.sleep(_BETWEEN_ROUNDS)
    return found


def _mark(name: str) -> bytes:
    """What a value begins with that is sealed with the key called so."""
    return bytes([len(name.encode())]) + name.encode()


def _count(column: Column, mark: bytes, *, bears: bool) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        sql.Identifier(column.table), _which(column, bears=bears)
    )
    with database.cursor() as cursor:
        cursor.execute(query, {"mark": mark})
        return int(cursor.fetchone()[0])


def _which(column: Column, *, bears: bool) -> sql.Composable:
    """Those that bear the newest key's name, or another one's; what is empty was used up."""
    name = sql.Identifier(column.name)
    begins = sql.SQL("substr({0}, 1, length(%(mark)s::bytea)) {1} %(mark)s::bytea")
    return sql.SQL("length({0}) > 1 AND ").format(name) + begins.format(name, sql.SQL("=" if bears else "<>"))


def _round(told: Told, mark: bytes) -> Iterator[None]:
    """All rows once, in their order, those left out that somebody has locked; yields after each commit."""
    column, after = told.column, None
    table, row, name = (sql.Identifier(one) for one in (column.table, column.row, column.name))
    look = sql.SQL(
        "SELECT {row}, {name} FROM {table} WHERE {which}{settled}{further} ORDER BY {row} LIMIT %(most)s"
        " FOR UPDATE SKIP LOCKED"
    )
    replace = sql.SQL(
        "UPDATE {table} SET {name} = %(new)s WHERE {row} = %(row)s AND {name} = %(old)s"
    ).format(table=table, name=name, row=row)
    while True:
        further = sql.SQL("") if after is None else sql.SQL(" AND {} > %(after)s").format(row)
        query = look.format(
            row=row,
            name=name,
            table=table,
            which=_which(column, bears=False),
            settled=_UNDER_WAY.get(column.table, sql.SQL("")),
            further=further,
        )
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(query, {"mark": mark, "most": AT_ONCE, "after": after})
            rows = cursor.fetchall()
            for key, old in rows:
                new = _anew(told, str(key), bytes(old))
                if new is not None:
                    cursor.execute(replace, {"new": new, "row": key, "old": bytes(old)})
                    told.done += cursor.rowcount
        if not rows:
            return
        after = rows[-1][0]
        yield


def _anew(told: Told, row: str, old: bytes) -> bytes | None:
    """The same secret under the newest key; None where it cannot be opened, and then it stays as it is."""
    place = f"{told.column.place}:{row}"
    try:
        text = open_sealed(old, place=place)
    except SecretUnreadable:
        name = old[1 : 1 + old[0]].decode("utf-8", "replace")
        if name in dict(env.encryption_keys()):
            told.damaged.append(row)
        else:
            told.without.setdefault(name, []).append(row)
        return None
    new = seal(text, place=place)
    assert open_sealed(new, place=place) == text
    return new
