"""The sandbox's state: one SQLite file, written in small transactions, whole after `kill -9`."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from truesend_sandbox.schema import SCHEMA, VERSION

Row = sqlite3.Row


class StoreTaken(RuntimeError):
    """Another sandbox already runs on this data folder."""


class Store:
    """One connection, used from one thread only.

    WAL without fsync: a killed process loses nothing it has committed (the pages are the kernel's by then);
    only a power cut could, and the sandbox promises nothing about those.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise StoreTaken(f"another sandbox already uses {folder}") from None
        path = folder / "state.sqlite3"
        self._db = self._open(path)
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            self._db.close()
            for suffix in ("", "-wal", "-shm"):
                part = path.with_name(path.name + suffix)
                if part.exists():
                    part.rename(path.with_name(f"state-version-{version}.sqlite3{suffix}"))
            self._db = self._open(path)
            version = 0
        if version == 0:
            self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        db.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode=WAL",
            "synchronous=OFF",
            "cache_size=-65536",
            "temp_store=MEMORY",
            "wal_autocheckpoint=4000",
        ):
            db.execute(f"PRAGMA {pragma}")
        return db

    @contextmanager
    def write(self) -> Iterator[None]:
        """A transaction; inside another one it joins that. Never await within."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def run(self, sql: str, *params: Any) -> sqlite3.Cursor:
        """Execute one statement; its own transaction when none is open."""
        return self._db.execute(sql, params)

    def insert(self, sql: str, *params: Any) -> int:
        """Execute an INSERT and return the row's number."""
        number = self._db.execute(sql, params).lastrowid
        assert number is not None
        return number

    def one(self, sql: str, *params: Any) -> Row | None:
        row: Row | None = self._db.execute(sql, params).fetchone()
        return row

    def all(self, sql: str, *params: Any) -> list[Row]:
        return self._db.execute(sql, params).fetchall()

    def value(self, sql: str, *params: Any) -> Any:
        """First column of the first row, or None."""
        row = self._db.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def tables(self) -> list[str]:
        """Names of the sandbox's own tables."""
        rows = self.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return [row["name"] for row in rows]

    def empty(self, *, keep: frozenset[str]) -> None:
        """Delete every row but those of the tables in `keep`."""
        with self.write():
            for table in self.tables():
                if table not in keep:
                    self.run(f'DELETE FROM "{table}"')  # noqa: S608  # a name of our own schema

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)
