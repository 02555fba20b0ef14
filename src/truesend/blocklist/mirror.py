"""The blocklist's way from PostgreSQL to the disk of every tracker: a thread of the loader, which has a database and
stands where the tracker's files are.

A change is heard by LISTEN and looked for each second besides. A link names its delivery alone, so a blocked
organization stands in the file as its deliveries; those that it makes from then on are found by their time.
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from truesend import clock
from truesend.blocklist import files

log = logging.getLogger(__name__)

CHANNEL = "truesend_blocklist"
PERIOD = 0.5
"""Seconds at most between two looks."""

_RETRY = 2.0
_LATE = timedelta(minutes=10)
"""An email's time is taken so long, at most, before it can be seen here."""

_BLOCKS = "SELECT kind, value FROM blocklist_block"
_THEIRS = """
SELECT d.id FROM sending_delivery AS d JOIN sending_email AS e ON e.id = d.email_id
 WHERE e.organization_id = ANY(%s)
"""
_NEW = _THEIRS + " AND e.created_at > %s"
# Of one that was erased since, what it had is noted by itself.
_ALL = f"{_THEIRS} UNION ALL SELECT delivery FROM blocklist_outlived WHERE organization = ANY(%s)"  # noqa: S608

Connection = psycopg.Connection[tuple[Any, ...]]


class Mirror:
    """Keeps the file of one data folder as the table is. ``connect`` are psycopg's options for a connection."""

    def __init__(self, data: Path, database_url: str, connect: dict[str, Any]) -> None:
        self._path = files.path_in(data)
        self._url = database_url
        # An organization's deliveries may be millions.
        patient = "-c statement_timeout=5min -c lock_timeout=5s"
        self._connect = {**connect, "application_name": "truesend blocklist", "options": patient}
        self._organizations: frozenset[UUID] = frozenset()
        self._theirs: list[bytes] = []
        self._newest: datetime | None = None
        self._written: tuple[frozenset[str], frozenset[bytes], int] | None = None

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set, whatever happens to the database or the disk."""
        failing = ""
        while not stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, **self._connect) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._organizations = frozenset()
                    failing = ""
                    while not stop.is_set():
                        self.refresh(connection)
                        for _ in connection.notifies(timeout=PERIOD, stop_after=1):
                            pass
            except (psycopg.Error, OSError) as error:
                # Before the tables are made, while the database is away, on a full disk.
                if failing != type(error).__name__:
                    log.info("The blocklist stays as it is for now (%s).", type(error).__name__)
                failing = type(error).__name__
            except Exception:
                log.exception("The blocklist could not be written; trying again.")
            stop.wait(_RETRY)

    def refresh(self, connection: Connection) -> None:
        """Write the file anew where it is not as the table is. ``OSError``: the disk does not take it."""
        hosts: set[str] = set()
        deliveries: set[bytes] = set()
        organizations: set[UUID] = set()
        for kind, value in connection.execute(_BLOCKS):
            if kind == "host":
                hosts.add(value)
            elif kind == "organization":
                organizations.add(UUID(value))
            else:
                deliveries.add(UUID(value).bytes)
        self._look_for_theirs(connection, frozenset(organizations))
        state = frozenset(hosts), frozenset(deliveries), len(self._theirs)
        if state == self._written and self._path.exists():
            return
        theirs = self._theirs
        if deliveries:
            theirs = sorted(deliveries.union(theirs))
        self._store(files.packed(hosts, b"".join(theirs)))
        self._written = state

    def _store(self, content: bytes) -> None:
        try:
            if self._path.read_bytes() == content:
                return
        except OSError:
            pass
        files.write(self._path, content)

    def _look_for_theirs(self, connection: Connection, organizations: frozenset[UUID]) -> None:
        """The deliveries of blocked organizations: all of them once, from then on the new ones."""
        if not organizations:
            self._organizations, self._theirs, self._newest = organizations, [], None
            return
        now = clock.now()
        if organizations != self._organizations or self._newest is None:
            began = time.monotonic()
            found = connection.execute(_ALL, [list(organizations)] * 2, binary=True)
            self._theirs = sorted(row[0].bytes for row in found)
            self._organizations, self._newest, self._written = organizations, now, None
            log.info("%d blocked deliveries read in %.1f s.", len(self._theirs), time.monotonic() - began)
            return
        # The sandbox's clock may have been set back.
        since = min(now, self._newest) - _LATE
        for (delivery,) in connection.execute(_NEW, [list(organizations), since], binary=True):
            at = bisect_left(self._theirs, delivery.bytes)
            if at == len(self._theirs) or self._theirs[at] != delivery.bytes:
                self._theirs.insert(at, delivery.bytes)
        self._newest = now
