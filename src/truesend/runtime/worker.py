"""The worker process: Procrastinate's loop, the waker and the classifier, ended in good order by SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from truesend import env

log = logging.getLogger("truesend.worker")

HEARTBEAT_SECONDS = 2.0
STALLED_AFTER_SECONDS = 8.0
GRACE_SECONDS = 6.0
# At most so many renewals in flight per process (design §4).
_REFRESHES_AT_ONCE = 24
# Probes share the threads with the mail, which goes first: all workers together run so many.
_PROBES_AT_ONCE = 4
_LOOKS_AT_ONCE = 8


def main() -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truesend.settings")
    import django

    django.setup()
    asyncio.run(_run())
    return 0


async def _run() -> None:
    from truesend.runtime import identity
    from truesend.tracking.classifier import run_classifier

    concurrency = env.number("WORKER_CONCURRENCY")
    loop = asyncio.get_running_loop()
    # Tasks are plain functions in threads: the default pool is far smaller than the concurrency.
    loop.set_default_executor(ThreadPoolExecutor(concurrency, thread_name_prefix="job"))
    ended = asyncio.Event()

    def stop() -> None:
        identity.stop()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_wake_every_second, name="waker", daemon=True),
        threading.Thread(target=run_classifier, args=(stopping,), name="classifier", daemon=True),
    ]
    for thread in threads:
        thread.start()
    free_locks = asyncio.create_task(_free_locks_of_dead_workers())
    await _work(concurrency, ended)
    stopping.set()
    free_locks.cancel()
    with suppress(asyncio.CancelledError):
        await free_locks
    for thread in threads:
        await asyncio.to_thread(thread.join, 2)
    await asyncio.to_thread(_leave)


async def _work(concurrency: int, ended: asyncio.Event) -> None:
    """Procrastinate's worker, begun again when its database went away."""
    from procrastinate.contrib.django import app as django_app

    while not ended.is_set():
        connector = django_app.connector.get_worker_connector()  # type: ignore[attr-defined]
        app = django_app.with_connector(connector)
        try:
            async with app.open_async():
                _say_ready()
                worker = asyncio.create_task(
                    app.run_worker_async(
                        concurrency=concurrency,
                        queues=["mail"],
                        delete_jobs="always",
                        install_signal_handlers=False,
                        fetch_job_polling_interval=1.0,
                        update_heartbeat_interval=HEARTBEAT_SECONDS,
                        stalled_worker_timeout=STALLED_AFTER_SECONDS,
                        shutdown_graceful_timeout=GRACE_SECONDS,
                    )
                )
                waiting = asyncio.create_task(ended.wait())
                await asyncio.wait({worker, waiting}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if ended.is_set():
                    worker.cancel()  # finishes the running jobs first
                with suppress(asyncio.CancelledError):
                    await worker
        except Exception as error:
            log.warning("The worker lost its database (%s); trying again.", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 1)


def _say_ready() -> None:
    folder = env.data_dir() / "run"
    if folder.is_dir():
        (folder / "worker.ready").write_text(str(os.getpid()), encoding="ascii")


async def _free_locks_of_dead_workers() -> None:
    """A job of a dead worker keeps its lock and so its mailbox: finish it as failed, never retry it."""
    from procrastinate import jobs
    from procrastinate.contrib.django import app as django_app

    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        app = django_app.with_connector(django_app.connector.get_worker_connector())  # type: ignore[attr-defined]
        try:
            async with app.open_async():
                while True:
                    stalled = await app.job_manager.get_stalled_jobs(
                        seconds_since_heartbeat=STALLED_AFTER_SECONDS
                    )
                    for job in stalled:
                        await app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=True)
                    await asyncio.sleep(HEARTBEAT_SECONDS)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("Looking for jobs of dead workers failed (%s); trying again.", type(error).__name__)


def _wake_every_second() -> None:
    """Wake every mailbox with due mail and every token due for renewal or a probe; judge what dead workers left."""
    from django.db import DatabaseError, InterfaceError, close_old_connections

    from truesend.runtime import identity
    from truesend.sending import sweep

    while not identity.wait(1.0):
        try:
            close_old_connections()
            sweep.beat(identity.worker_name())
            _wake()
            sweep.sweep()
        except (DatabaseError, InterfaceError) as error:
            log.warning("The waker lost the database (%s); trying again.", type(error).__name__)


def _wake() -> None:
    from procrastinate.exceptions import AlreadyEnqueued

    from truesend.connections import probe, tokens
    from truesend.connections.tasks import probe_connection
    from truesend.sending import reconcile, wake
    from truesend.sending.tasks import look_up_mailbox, refresh_token

    for connection_id in wake.due_mailboxes():
        wake.defer(connection_id)
    for connection_id in reconcile.due(_LOOKS_AT_ONCE):
        name = f"look:{connection_id}"
        with suppress(AlreadyEnqueued):
            look_up_mailbox.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))
    for connection_id in tokens.due(_REFRESHES_AT_ONCE):
        name = f"refresh:{connection_id}"
        with suppress(AlreadyEnqueued):
            refresh_token.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))
    for place, connection_id in enumerate(probe.due(_PROBES_AT_ONCE)):
        name = f"probe:{place}"
        with suppress(AlreadyEnqueued):
            probe_connection.configure(lock=name, queueing_lock=name).defer(connection_id=str(connection_id))


def _leave() -> None:
    from django.db import DatabaseError, InterfaceError

    from truesend.runtime import identity
    from truesend.sending import sweep

    with suppress(DatabaseError, InterfaceError):
        sweep.leave(identity.worker_name())
