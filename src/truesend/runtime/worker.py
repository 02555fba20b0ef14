"""The worker process: Procrastinate's loop, the waker and the classifier, ended in good order by SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from procrastinate.worker import Worker as JobWorker

from truesend import env
from truesend.runtime import collector, identity
from truesend.runtime.heart import Heart, say_ready
from truesend.sending.at_work import AtWork

if TYPE_CHECKING:
    from truesend.connections.renewers import Renewers

log = logging.getLogger("truesend.worker")

GRACE_SECONDS = 6.0
# Only the rows of Procrastinate's workers are dropped then; what becomes of their jobs is the heartbeat's business.
_WORKERS_DROPPED_AFTER = 3600.0
# Probes share the threads with the mail, which goes first: all workers together run so many.
_PROBES_AT_ONCE = 4
_SWITCH_SECONDS = 0.05
_LOOKS_AT_ONCE = 8
# So do looks for what came back.
_INBOXES_AT_ONCE = 4
# And whoever tells contacts of mail from other accounts.
_RECORDERS_AT_ONCE = 4
# Archives and organizations that are erased: neither is in a hurry.
_ARCHIVES_AT_ONCE = 2
_ERASED_AT_ONCE = 1


def main() -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django

    django.setup()
    from truesend.organizations import known_keys

    _name_connections()
    known_keys.check()
    _run_lightly()
    asyncio.run(_Worker().run())
    return 0


def _run_lightly() -> None:
    """Less of the interpreter's own work: it took a third of an email's time.

    What was loaded stays for good, and an email makes few cycles. A thread that sends gives way by itself with its next
    call, within 2 ms; those that wait for it need not wake every 5 ms to ask.
    """
    collector.leave_loaded()
    sys.setswitchinterval(_SWITCH_SECONDS)


def _name_connections() -> None:
    """Every connection of this process bears the worker's name, by which it can be cut when the worker is dead."""
    from django.conf import settings

    options = cast(dict[str, Any], settings.DATABASES["default"]["OPTIONS"])
    options["application_name"] = identity.worker_name()


class _Worker:
    """The parts of this process and how they end."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._jobs: JobWorker | None = None
        self._at_work = AtWork()
        self._heart = Heart(lambda: self._jobs.worker_id if self._jobs is not None else None, self._at_work)
        self._stopped_at = float("inf")

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. The heart beats to the last: jobs that finish are not those of a dead worker."""
        from truesend.alerts.runner import run_alerts
        from truesend.billing.runner import run_billing
        from truesend.connections.renewers import Renewers
        from truesend.diagnostics.hosts import run_hosts
        from truesend.privacy.keeper import run_keeper
        from truesend.tracking.classifier import run_classifier

        concurrency = env.number("WORKER_CONCURRENCY")
        loop = asyncio.get_running_loop()
        # Tasks are plain functions in threads: the default pool is far smaller than the concurrency.
        loop.set_default_executor(ThreadPoolExecutor(concurrency, thread_name_prefix="job"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        stopping = threading.Event()
        renewers = Renewers()
        threads = [
            threading.Thread(target=self._heart.run, args=(stopping,), name="heart", daemon=True),
            threading.Thread(
                target=_wake_every_second, args=(self._heart, renewers), name="waker", daemon=True
            ),
            threading.Thread(target=run_classifier, args=(stopping,), name="classifier", daemon=True),
            threading.Thread(target=run_keeper, args=(stopping,), name="keeper", daemon=True),
            threading.Thread(target=run_alerts, args=(stopping,), name="alerts", daemon=True),
            threading.Thread(target=run_billing, args=(stopping,), name="billing", daemon=True),
            threading.Thread(target=run_hosts, args=(stopping,), name="hosts", daemon=True),
        ]
        for thread in threads:
            thread.start()
        showing = asyncio.create_task(self._heart.show())
        await self._work(concurrency)
        # An answer that is under way may be the only copy of a key.
        await asyncio.to_thread(renewers.end, self._stopped_at + GRACE_SECONDS - time.monotonic())
        stopping.set()
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing
        for thread in threads:
            await asyncio.to_thread(thread.join, 2)

    def _stop(self) -> None:
        identity.stop()
        self._stopped_at = min(self._stopped_at, time.monotonic())
        self._ended.set()

    async def _work(self, concurrency: int) -> None:
        """Procrastinate's worker, begun again when its database went away."""
        from procrastinate.contrib.django import app as django_app

        while not self._ended.is_set():
            connector = django_app.connector.get_worker_connector()  # type: ignore[attr-defined]
            app = django_app.with_connector(connector)
            try:
                async with app.open_async():
                    app.perform_import_paths()  # type: ignore[no-untyped-call]
                    self._jobs = JobWorker(
                        app,
                        concurrency=concurrency,
                        queues=["mail"],
                        delete_jobs="always",
                        install_signal_handlers=False,
                        fetch_job_polling_interval=1.0,
                        update_heartbeat_interval=2.0,
                        stalled_worker_timeout=_WORKERS_DROPPED_AFTER,
                        shutdown_graceful_timeout=GRACE_SECONDS,
                        worker_middleware=[self._at_work.around],
                        task_middleware=[_with_a_living_connection],
                    )
                    say_ready()
                    working = asyncio.create_task(self._jobs.run())  # type: ignore[no-untyped-call]
                    await self._until_ended(working)
            except Exception as error:
                log.warning("The worker lost its database (%s); trying again.", type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), 1)

    async def _until_ended(self, working: asyncio.Task[None]) -> None:
        waiting = asyncio.create_task(self._ended.wait())
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._ended.is_set():
            working.cancel()  # finishes the running jobs first
        with suppress(asyncio.CancelledError):
            await working


def _with_a_living_connection(call_next: Callable[[], Any], context: object, worker: object) -> Any:
    """Around every job, in its thread: one whose connection has died gets another, else all its jobs would fail."""
    from django.db import DatabaseError, InterfaceError, connection

    try:
        return call_next()
    except (DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        raise


def _wake_every_second(heart: Heart, renewers: Renewers) -> None:
    """Wake every mailbox with due mail and every token due for renewal or a probe; judge what dead workers left."""
    from django.db import DatabaseError, InterfaceError, close_old_connections

    from truesend.organizations import installation
    from truesend.sending import sweep

    while not identity.wait(1.0):
        try:
            close_old_connections()
            if installation.standing().adopted:
                _wake(renewers)
                installation.sign()
            if heart.steady:
                sweep.sweep()
        except (DatabaseError, InterfaceError) as error:
            log.warning("The waker lost the database (%s); trying again.", type(error).__name__)
        heart.woke()


def _wake(renewers: Renewers) -> None:
    from procrastinate.exceptions import AlreadyEnqueued

    from truesend.closing import wake as closings
    from truesend.connections import homecoming, probe
    from truesend.crm import due as recordings
    from truesend.exports import wake as exports
    from truesend.inbox import mailboxes
    from truesend.sending import clearing, reconcile, wake
    from truesend.sending.tasks import clear_mailbox, look_up_mailbox

    for connection_id in wake.due_mailboxes():
        wake.defer(connection_id)
    for connection_id in reconcile.due(_LOOKS_AT_ONCE):
        name = f"look:{connection_id}"
        with suppress(AlreadyEnqueued):
            look_up_mailbox.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))
    for connection_id in clearing.due(_LOOKS_AT_ONCE):
        name = f"clear:{connection_id}"
        with suppress(AlreadyEnqueued):
            clear_mailbox.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))
    homecoming.bring_all()
    renewers.wake()
    probe.wake_all(_PROBES_AT_ONCE)
    mailboxes.keep_up()
    mailboxes.wake_all(_INBOXES_AT_ONCE)
    recordings.wake_all(_RECORDERS_AT_ONCE)
    exports.wake_all(_ARCHIVES_AT_ONCE)
    closings.wake_all(_ERASED_AT_ONCE)
