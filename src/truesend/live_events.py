"""Publishing what changed, so that open pages can look again.

A hint carries ids only, once per batch and topic. It is lost when nobody listens: the rows are the truth.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from uuid import UUID

from django.db import Error as DatabaseUnable
from django.db import connection, transaction

log = logging.getLogger("truesend.live_events")

CHANNEL = "truesend_events"
KINDS = frozenset({"verdict", "email", "signal", "account"})
# PostgreSQL refuses a NOTIFY payload of 8,000 bytes or more.
_IDS_PER_HINT = 150
# What many threads change in this time goes out together: every NOTIFY makes all other commits wait for its own.
_GATHER_SECONDS = 0.1
# A thread that has nothing to say for so long ends, and its connection with it.
_IDLE_SECONDS = 0.5


def publish(organization_id: UUID, kind: str, ids: Iterable[object]) -> None:
    """Tell the open pages of an organization, after the running transaction commits, that ``ids`` changed."""
    unique = _checked(kind, ids)
    if unique:
        transaction.on_commit(lambda: _notify({(str(organization_id), kind): unique}))


def _checked(kind: str, ids: Iterable[object]) -> set[str]:
    if kind not in KINDS:
        raise ValueError(f"unknown kind of event: {kind}")
    return {str(one) for one in ids}


def _notify(hints: dict[tuple[str, str], set[str]]) -> None:
    payloads = []
    for (organization, kind), ids in hints.items():
        ordered = sorted(ids)
        for start in range(0, len(ordered), _IDS_PER_HINT):
            payload = {"o": organization, "k": kind, "i": ordered[start : start + _IDS_PER_HINT]}
            payloads.append(json.dumps(payload, separators=(",", ":")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, one) FROM unnest(%s::text[]) AS one", [CHANNEL, payloads])


class _Gathered:
    """Hints of all threads, let out by a thread that lives as long as there are some."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._hints: dict[tuple[str, str], set[str]] = {}
        self._thread: threading.Thread | None = None
        self._telling = False

    def told(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._hints and not self._telling, seconds)

    def add(self, organization_id: UUID, kind: str, ids: Iterable[object]) -> None:
        unique = _checked(kind, ids)
        with self._changed:
            self._hints.setdefault((str(organization_id), kind), set()).update(unique)
            if self._thread is None:
                # No daemon: what stands committed is told before the process ends.
                self._thread = threading.Thread(target=self._run, name="hints", daemon=False)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        pause = threading.Event()
        try:
            while self._wait():
                pause.wait(_GATHER_SECONDS)
                with self._changed:
                    hints, self._hints, self._telling = self._hints, {}, True
                try:
                    _notify(hints)
                except DatabaseUnable as error:
                    log.info("Open pages could not be told of a change (%s).", type(error).__name__)
                    connection.close()
                finally:
                    with self._changed:
                        self._telling = False
                        self._changed.notify_all()
        finally:
            connection.close()

    def _wait(self) -> bool:
        """Until there is something to say; False when there was nothing for a while, and another thread may begin."""
        with self._changed:
            if not self._hints:
                self._changed.wait(_IDLE_SECONDS)
            if not self._hints:
                self._thread = None
            return bool(self._hints)


_gathered = _Gathered()


def publish_soon(organization_id: UUID, kind: str, ids: Iterable[object]) -> None:
    """Tell the open pages within a moment that ``ids`` changed; call it when the change is committed."""
    _gathered.add(organization_id, kind, ids)


def told(seconds: float) -> bool:
    """Wait until everything given to :func:`publish_soon` was told; False when that takes longer than ``seconds``."""
    return _gathered.told(seconds)
