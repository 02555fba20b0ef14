"""Which workers live, and what becomes of what a dead one held: its jobs, and whatever its connections have locked.

Heartbeats are written and compared by the clock of the database, since those of several machines may differ.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from truesend.organizations import known_keys
from truesend.sending.models import Worker

# With a beat each second, a look each second and a second until the mailbox is fetched, under ten in all.
JOBS_FREED_AFTER = timedelta(seconds=6)
# An attempt is judged a little later: whoever did not beat meanwhile may still write the truth itself.
DEAD_AFTER = timedelta(seconds=8)
_FORGOTTEN_AFTER = timedelta(days=1)


def beat(name: str, job_worker: int | None) -> None:
    """This worker lives, and with it the jobs that it took as Procrastinate's worker ``job_worker``."""
    if Worker.objects.filter(pk=name).update(beat_at=Now()) == 0:
        known_keys.note()
        Worker.objects.create(name=name, started_at=Now(), beat_at=Now())
    if job_worker is not None:
        _run("UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %s", [job_worker])


def living() -> QuerySet[Worker, Any]:
    """The names of the workers that beat."""
    return Worker.objects.filter(beat_at__gt=Now() - DEAD_AFTER).values("name")


def free_jobs() -> int:
    """Finish the jobs of dead workers as failed, which frees their mailboxes; how many there were.

    They are deleted like every finished job and never retried: a job only wakes somebody up. One statement, so that
    a worker which beats again in this instant keeps its own.
    """
    return _run(
        """
        DELETE FROM procrastinate_jobs AS job
        WHERE job.status = 'doing' AND NOT EXISTS (
            SELECT FROM procrastinate_workers AS worker
            WHERE worker.id = job.worker_id AND worker.last_heartbeat > now() - %s
        )
        """,
        [JOBS_FREED_AFTER],
    )


def held_jobs(job_worker: int) -> list[int]:
    """The jobs that stand as running in the name of Procrastinate's worker ``job_worker``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %s", [job_worker]
        )
        return [number for (number,) in cursor.fetchall()]


def end_jobs(job_worker: int, ids: list[int]) -> int:
    """Finish jobs of a living worker at which nobody is any more; how many there were."""
    return _run(
        "DELETE FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %s AND id = ANY(%s)",
        [job_worker, ids],
    )


def cut_off() -> int:
    """End the connections of dead workers: a transaction that a stopped one left open locks a mailbox's token.

    A worker's connections bear its name. One that wakes up again connects anew; what it had not committed is gone,
    as after a death.
    """
    return _run(
        f"""
        SELECT pg_terminate_backend(backend.pid) FROM pg_stat_activity AS backend
        JOIN {Worker._meta.db_table} AS worker ON worker.name = backend.application_name
        WHERE worker.beat_at < now() - %s
        AND backend.usename = current_user AND backend.datname = current_database()
        """,  # noqa: S608 - the only word put in is the name of our table
        [DEAD_AFTER],
    )


def forget() -> None:
    """Drop rows of workers that are long gone, but for the last: it tells since when nobody works."""
    newest = Worker.objects.order_by("-beat_at").values("name")[:1]
    Worker.objects.filter(beat_at__lt=Now() - _FORGOTTEN_AFTER).exclude(name__in=newest).delete()


def _run(statement: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
