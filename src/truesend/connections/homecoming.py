"""Bringing home what a renewal brought and the database did not take.

A worker looks through its disk each second. Where the disk did not take an answer either, the process that got it
tries by itself until one of the two does.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from uuid import UUID

from django.db import Error as DatabaseUnable
from django.db import close_old_connections, connection, transaction
from django.db.models import Max

from truesend import live_events
from truesend.connections import answers, rescue, token_rows
from truesend.connections.models import Proof
from truesend.connections.rescue import Kept
from truesend.connections.token_rows import Taken
from truesend.organizations import installation

log = logging.getLogger("truesend.connections")

_LOOK_SECONDS = 1.0


def bring_all() -> int:
    """Bring home whatever waits here; how many came. Raises what the database raises."""
    return sum(bring(connection_id, version) for connection_id, version in rescue.waiting().items())


def bring(connection_id: UUID, version: int) -> bool:
    """Bring one home, and forget it once it has come or is worth nothing any more."""
    with transaction.atomic():
        taken = token_rows.take(connection_id, wait=False)
        if taken is None and token_rows.exists(connection_id):
            return False  # somebody is at it, with it in his hands perhaps
        kept = rescue.read(connection_id, version) if taken is not None and taken.version == version else None
        if taken is not None and taken.version == version and kept is None:
            return False  # it cannot be read: with a key that is away, or because it is damaged
        came = taken is not None and kept is not None and store(taken, kept)
    rescue.forget(connection_id, version)
    if came and taken is not None:
        live_events.publish_soon(taken.organization, "verdict", [connection_id])
        log.warning("A renewed key of connection %s was brought home.", connection_id)
    return came


def store(taken: Taken, kept: Kept) -> bool:
    """Put a kept answer into the row that it renews, in a transaction that holds it; False: it has moved on.

    Whatever was tried with the old key meanwhile says nothing of this one, which was not known here.
    """
    failed = Proof.objects.filter(connection=taken.connection, check_name__in=("renew", "grant"), ok=False)
    newest = failed.aggregate(at=Max("at"))["at"]
    fresh = answers.fresh(taken, kept.grant, kept.at, previous=taken.refresh)
    if newest is not None:
        fresh = dataclasses.replace(fresh, proved_at=max(fresh.at, newest))
    return token_rows.store(taken, None, fresh, trigger="rescue", kept=True)


class _Porter:
    """A thread that lives while something is in the memory of this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look from now on."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="homecoming", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while self._goes_on():
            pause.wait(_LOOK_SECONDS)
            try:
                close_old_connections()
                if installation.may_act():
                    bring_all()
            except DatabaseUnable as error:
                log.info("What was kept cannot be brought home yet (%s).", type(error).__name__)
                connection.close()
            rescue.put_down()
        connection.close()

    def _goes_on(self) -> bool:
        with self._lock:
            if not rescue.is_held():
                self._thread = None
            return self._thread is not None


_porter = _Porter()
start = _porter.start
