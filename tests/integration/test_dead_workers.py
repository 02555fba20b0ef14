"""Workers that die or are stopped hold nothing up: their jobs end, their mailboxes are free, their locks are gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import stack as stacks
from tests import up as ups
from tests.stack import Person, Stack, until

from truesend.runtime.parts import HUNG_AFTER

# Design §3.
FREE_WITHIN = 10.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of one's own, whose worker is not needed: each test starts two others beside it."""
    data = tmp_path_factory.mktemp("dead") / "data"
    with stacks.running(data) as started:
        yield started
    ups.remove(data)


@contextmanager
def another_worker(own: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """A worker beside that of ``up``, as on another machine."""
    environment = ups.environment(json.loads((own.up.data / "run" / "settings.json").read_text()))
    process = subprocess.Popen(ups.command("worker"), env=environment, stderr=subprocess.DEVNULL)
    try:
        until(
            lambda: rows(own, "SELECT 1 FROM sending_worker WHERE name LIKE %s", f"%:{process.pid}:%"),
            bool,
            60,
        )
        yield process
    finally:
        process.kill()
        process.wait()


def rows(own: Stack, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What the database says."""
    url = (own.up.data / "run" / "database_url").read_text().strip()
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def hangs_in(own: Stack, person: Person, connection: str) -> tuple[int, list[str]]:
    """Three emails in a mailbox whose provider does not answer the first; which process hangs in it."""
    own.sandbox.fault("send", "never", account=person.email, times=1)
    emails = [person.send(connection)["id"] for _ in range(3)]
    ((worker,),) = until(
        lambda: rows(
            own,
            "SELECT a.worker FROM sending_attempt a JOIN sending_delivery d ON d.id = a.delivery_id"
            " WHERE d.connection_id = %s AND a.outcome = ''",
            connection,
        ),
        bool,
        20,
    )
    return int(worker.split(":")[1]), emails


def serve(own: Stack, person: Person, emails: list[str], since: float) -> float:
    """Seconds until the first email after the lost one is accepted, once all have come to an end."""
    until(lambda: any(status(person, one) == "sent" for one in emails), bool, 30)
    took = time.monotonic() - since
    for one in emails:
        person.email_when(one, ("sent", "unknown"), 30)
    return took


def status(person: Person, email: str) -> str:
    """As the API tells it."""
    return str(person.api("GET", f"emails/{email}").json()["status"])


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_the_mailbox_of_a_killed_worker_is_served_again_within_ten_seconds(own: Stack) -> None:
    ana = own.person()
    connection = ana.connect()["id"]
    took = []
    for _ in range(int(os.environ.get("KILLS", "2"))):
        with another_worker(own):
            pid, emails = hangs_in(own, ana, connection)
            killed = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            took.append(serve(own, ana, emails, killed))
    print(f"free after {', '.join(f'{one:.1f}' for one in took)} s")
    assert max(took) < FREE_WITHIN, took


def test_a_job_whose_end_the_database_did_not_take_holds_no_mailbox(own: Stack) -> None:
    """It stands as running in the name of a worker that lives, and nobody is at it."""
    ana = own.person()
    connection = ana.connect()["id"]
    lock = f"mailbox:{connection}"
    ((job,),) = rows(
        own,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id)"
        " SELECT 'mail', 'drain_mailbox', %s, %s, %s, 'doing', max(id) FROM procrastinate_workers RETURNING id",
        lock, lock, json.dumps({"connection_id": connection}),
    )  # fmt: skip
    ana.email_when(ana.send(connection)["id"], "sent", 30)
    assert rows(own, "SELECT 1 FROM procrastinate_jobs WHERE id = %s", job) == []


def test_probes_go_on_after_the_connections_of_the_worker_were_cut(own: Stack) -> None:
    """A thread keeps its connection from job to job, and one that has died is not kept."""
    ana = own.person()
    connection = ana.connect()["id"]
    for _ in range(20):
        rows(own, "UPDATE connections_token SET probe_due_at = now() WHERE connection_id = %s", connection)
        until(lambda: probe_is_ahead(own, connection), bool, 30)
    rows(
        own,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name IN (SELECT name FROM sending_worker)",
    )
    rows(own, "UPDATE connections_token SET probe_due_at = now() WHERE connection_id = %s", connection)
    until(lambda: probe_is_ahead(own, connection), bool, 45)


def probe_is_ahead(own: Stack, connection: str) -> bool:
    """Whether it was made and planned anew."""
    query = "SELECT 1 FROM connections_token WHERE connection_id = %s AND probe_due_at > now()"
    return bool(rows(own, query, connection))


@pytest.mark.timeout(180)
def test_a_stopped_worker_holds_no_mailbox_and_works_on_when_it_wakes_up(own: Stack) -> None:
    ana = own.person()
    connection = ana.connect()["id"]
    with another_worker(own):
        pid, emails = hangs_in(own, ana, connection)
        with stopped(pid):
            serve(own, ana, emails, time.monotonic())
        again = hangs_until(own, ana, connection, pid)
        for one in again:
            ana.email_when(one, ("sent", "unknown"), 60)
    for delivery in (
        d["id"] for one in emails + again for d in ana.api("GET", f"emails/{one}").json()["deliveries"]
    ):
        assert sum(one["count"] for one in own.sandbox.messages(delivery=delivery)) <= 1


def hangs_until(own: Stack, person: Person, connection: str, pid: int) -> list[str]:
    """Send until the worker ``pid`` has sent one; the emails."""
    emails: list[str] = []

    def sent_by_it() -> bool:
        email = person.send(connection)["id"]
        emails.append(email)
        person.email_when(email, ("sent", "unknown"), 30)
        return bool(
            rows(
                own,
                "SELECT 1 FROM sending_attempt a JOIN sending_delivery d ON d.id = a.delivery_id"
                " WHERE d.email_id = %s AND a.worker LIKE %s",
                email,
                f"%:{pid}:%",
            )
        )

    until(sent_by_it, bool, 60)
    return emails


@pytest.mark.timeout(180)
def test_a_worker_stopped_in_the_middle_of_a_renewal_locks_no_token(own: Stack) -> None:
    ana = own.person()
    connection = ana.connect()["id"]
    ana.email_when(ana.send(connection)["id"], "sent")
    own.sandbox.fault("token.refresh", "never", account=ana.email, times=1)
    expired = "UPDATE connections_token SET access_expires_at = now() - interval '1 hour'"
    assert rows(own, f"{expired} WHERE connection_id = %s RETURNING 1", connection)
    with another_worker(own):
        email = ana.send(connection)["id"]
        ((holder,),) = until(
            lambda: rows(
                own,
                "SELECT DISTINCT application_name FROM pg_stat_activity"
                " WHERE state = 'idle in transaction' AND xact_start < now() - interval '1 s'",
            ),
            bool,
            20,
        )
        with stopped(int(holder.split(":")[1])):
            ana.email_when(email, "sent", 30)


@pytest.mark.timeout(240)
def test_up_ends_a_worker_that_hangs_and_starts_another(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with stacks.running(data) as only:
        ana = only.person()
        connection = ana.connect()["id"]
        pid = only.up.pid("worker")
        assert pid is not None
        # Whoever wakes up in time is left alone.
        with stopped(pid):
            time.sleep(15)
        ana.email_when(ana.send(connection)["id"], "sent")
        assert only.up.pid("worker") == pid
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        email = ana.send(connection)["id"]
        # A real minute and a quarter: this test waits for it.
        until(lambda: only.up.pid("worker"), lambda one: one not in {None, pid}, HUNG_AFTER + 20)
        took = time.monotonic() - began
        assert HUNG_AFTER - 2 < took < HUNG_AFTER + 15
        ana.email_when(email, "sent", 30)
        assert only.up.stderr.read_text().count("worker ") == 1
        assert f"worker showed no life for {HUNG_AFTER:.0f} s, was ended and is started again." in (
            only.up.stderr.read_text()
        )
    ups.remove(data)
