"""What counts as a standstill and as a dead worker, on real rows; seconds are handed in, not waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection as database
from tests.integration.test_dispatch import connection

from truesend import clock
from truesend.connections.models import Connection
from truesend.organizations.models import Standstill, StandstillMail, User
from truesend.sending import workers
from truesend.sending.models import Worker
from truesend.web import standstill_mail
from truesend.web.standstill import Watch

__all__ = ["connection"]  # a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailing(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """System mail is sent as in real life, to a server that does not answer."""
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    settings.EMAIL_BACKEND = "truesend.organizations.system_mail.SystemMail"


def beat(name: str = "one", seconds_ago: float = 0) -> None:
    at = clock.real_now() - timedelta(seconds=seconds_ago)
    Worker.objects.update_or_create(name=name, defaults={"started_at": at, "beat_at": at})


def looks(watch: Watch, start: float, end: float) -> float:
    """Look every other second; the last moment."""
    now = start
    while now <= end:
        watch.look(now)
        now += 2
    return now - 2


def test_pages_tell_after_twenty_seconds_of_silence_and_a_beat_ends_it() -> None:
    watch, told = Watch(), []
    watch._changed = lambda: told.append(watch.stands_still())
    beat()
    looks(watch, 1000, 1020)
    assert (watch.stands_still(), told) == (False, [])
    looks(watch, 1022, 1040)
    assert (watch.stands_still(), told) == (True, [True])
    # Nobody is mailed yet.
    assert not Standstill.objects.exists()
    beat("two")
    looks(watch, 1042, 1042)
    assert (watch.stands_still(), told) == (False, [True, False])


def test_a_busy_machine_cries_no_wolf() -> None:
    watch = Watch()
    beat()
    # Nobody is served: neither the worker, nor the look, which comes every ten seconds instead of two.
    for now in range(1000, 1050, 10):
        watch.look(now)
        assert not watch.stands_still()
    # From here on the looks come in time, and the silence goes on.
    looks(watch, 1042, 1060)
    assert not watch.stands_still()
    watch.look(1062)
    assert watch.stands_still()


def test_a_minute_of_silence_is_a_standstill_and_a_new_beat_ends_it() -> None:
    watch = Watch()
    beat()
    looks(watch, 1000, 1060)
    assert not Standstill.objects.exists()
    looks(watch, 1062, 1064)
    assert watch.stands_still()
    row = Standstill.objects.get()
    assert (row.reason, row.began_at) == ("silent", Worker.objects.get().beat_at)
    beat("two")
    looks(watch, 1066, 1066)
    assert not watch.stands_still()
    assert Standstill.objects.get().ended_at is not None


def test_a_worker_that_ended_in_good_order_is_missed_since_its_last_beat() -> None:
    beat(seconds_ago=3600)
    watch = Watch()
    looks(watch, 1000, 1064)
    assert watch.stands_still()
    assert Standstill.objects.get().began_at < clock.real_now() - timedelta(minutes=59)
    # A web process that starts now does not need its own minute.
    late = Watch()
    late.look(5000)
    assert late.stands_still()
    beat()
    late.look(5002)
    assert not late.stands_still()


def test_nobody_ever_is_a_standstill_too() -> None:
    watch = Watch()
    looks(watch, 1000, 1062)
    assert watch.stands_still()
    assert Standstill.objects.get().last_beat_at is None


def test_a_pause_of_the_machine_is_none() -> None:
    beat()
    watch = Watch()
    looks(watch, 1000, 1040)
    watch._afresh = True  # its thread saw that it had not been waked for half a minute
    looks(watch, 9000, 9060)
    assert not Standstill.objects.exists()


def test_who_is_told_and_only_once(connection: Connection, mailing: None) -> None:
    User.objects.create_user("ops@northwind.example", is_operator=True)
    first, second = Watch(), Watch()
    for watch in (first, second):
        looks(watch, 1000, 1064)
    assert first.stands_still()
    assert second.stands_still()
    assert list(
        StandstillMail.objects.order_by("address").values_list("address", "to_operator", "is_over")
    ) == [
        ("ana@northwind.example", False, False),
        ("ops@northwind.example", True, False),
    ]
    one, other = standstill_mail._take(), standstill_mail._take()
    assert one is not None
    assert other is not None
    assert {one.address, other.address} == {"ana@northwind.example", "ops@northwind.example"}
    assert standstill_mail._take() is None  # both are taken
    StandstillMail.objects.filter(pk=one.pk).update(sent_at=clock.real_now())
    StandstillMail.objects.filter(pk=other.pk).update(claimed_at=clock.real_now() - timedelta(minutes=6))
    again = standstill_mail._take()
    assert again is not None
    assert again.pk == other.pk  # its process went away before it was sent
    beat()
    for watch in (first, second):
        looks(watch, 1066, 1068)
    # Who was told that it began is told that it is over; to the other both would be news of yesterday.
    assert list(StandstillMail.objects.filter(is_over=True).values_list("address", flat=True)) == [
        one.address
    ]
    StandstillMail.objects.filter(pk=other.pk).update(claimed_at=None)
    last = standstill_mail._take()
    assert last is not None
    assert (last.address, last.is_over) == (one.address, True)
    assert standstill_mail._take() is None


def test_mail_that_cannot_leave_is_tried_again_later(connection: Connection, mailing: None) -> None:
    looks(Watch(), 1000, 1064)
    standstill_mail.send_some()
    (mail,) = StandstillMail.objects.all()
    assert mail.sent_at is None
    assert mail.claimed_at is not None


def job(worker: int | None) -> int:
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status, worker_id)"
            " VALUES ('mail', 'drain_mailbox', gen_random_uuid()::text, 'doing', %s) RETURNING id",
            [worker],
        )
        return int(cursor.fetchone()[0])


def job_worker(seconds_ago: float) -> int:
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [seconds_ago],
        )
        return int(cursor.fetchone()[0])


def jobs() -> set[int]:
    with database.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs")
        return {int(row[0]) for row in cursor.fetchall()}


def test_only_the_jobs_of_silent_workers_are_ended() -> None:
    workers.free_jobs()
    before = jobs()  # of tests that ran earlier
    slow, dead = job_worker(5.0), job_worker(6.5)
    kept = {job(slow)}
    ended = [job(dead), job(None)]
    assert jobs() - before == {*kept, *ended}
    assert workers.free_jobs() == 2
    assert jobs() - before == kept
    workers.beat("slow", slow)
    assert workers.free_jobs() == 0


def test_only_the_connections_of_dead_workers_are_ended() -> None:
    beat("dead", 9)
    beat("slow", 7)
    place = database.settings_dict

    def named(name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            dbname=place["NAME"],
            user=place["USER"],
            password=place["PASSWORD"],
            host=place["HOST"],
            application_name=name,
        )

    with named("slow") as slow, named("another") as another:
        dead = named("dead")
        assert workers.cut_off() == 1
        for one in (slow, another):
            one.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            dead.execute("SELECT 1")
        dead.close()


def test_the_last_worker_is_remembered_and_the_others_are_forgotten() -> None:
    for days in (2, 3):
        beat(f"{days} days ago", days * 86400)
    workers.forget()
    assert [one.name for one in Worker.objects.all()] == ["2 days ago"]
