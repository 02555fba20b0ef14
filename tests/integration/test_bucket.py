"""One bucket to a client, whoever spends from it: threads, processes, a provider that shuts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection, connections

from truesend import clock
from truesend.sending import bucket
from truesend.sending.models import ClientBucket

pytestmark = pytest.mark.django_db(transaction=True)

RATE = 100
# A quarter of a second's tokens.
LEASE = 25

SPENDER = """
import json, sys, threading, time
import django
django.setup()
from django.db import connection
from truesend.sending import bucket
went, lock = [], threading.Lock()
def spend(end):
    mine = []
    while time.monotonic() < end:
        wait = bucket.take("google")
        if wait:
            time.sleep(min(wait, 0.05))
        else:
            mine.append(time.time())
    with lock:
        went.extend(mine)
    connection.close()
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + float(sys.argv[1])
threads = [threading.Thread(target=spend, args=(end,)) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(sorted(went)), flush=True)
"""


@pytest.fixture(autouse=True)
def slow_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRUESEND_GOOGLE_SENDS_PER_SECOND", str(RATE))
    bucket._leases.clear()
    yield
    bucket._leases.clear()


def take_all() -> int:
    """Sends until the bucket says no."""
    count = 0
    while bucket.take("google") == 0:
        count += 1
    return count


def now_empty() -> None:
    """The row as somebody leaves it who has just spent everything, and nothing leased."""
    take_all()
    bucket._leases.clear()
    ClientBucket.objects.update(tokens=0, refilled_at=clock.real_now())


def test_a_rested_bucket_gives_its_burst_and_then_says_how_long() -> None:
    began = time.monotonic()
    count = take_all()
    spent = time.monotonic() - began
    assert RATE <= count <= RATE * (1 + spent) + 1
    wait = bucket.take("google")
    assert 0 < wait <= bucket.SHARE


def test_it_fills_at_its_rate_and_not_beyond_its_burst() -> None:
    for rested, least in ((timedelta(seconds=0.5), RATE / 2), (timedelta(hours=5), RATE)):
        now_empty()
        began = time.monotonic()
        ClientBucket.objects.update(refilled_at=clock.real_now() - rested)
        count = take_all()
        assert least <= count <= least + RATE * (time.monotonic() - began) + 1


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    now_empty()
    ClientBucket.objects.update(refilled_at=clock.real_now() + timedelta(hours=1))
    assert take_all() == 0
    assert ClientBucket.objects.get().refilled_at > clock.real_now() + timedelta(minutes=50)


def test_a_slow_client_says_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_GOOGLE_SENDS_PER_SECOND", "1")
    assert take_all() == 1
    assert bucket.SHARE <= bucket.take("google") <= 1


def test_a_rate_is_what_the_provider_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUESEND_GOOGLE_SENDS_PER_SECOND")
    began = time.monotonic()
    count = take_all()
    assert 160 <= count <= 160 * (1 + time.monotonic() - began) + 1


def test_few_sends_lease_few_tokens() -> None:
    assert bucket.take("google") == 0
    assert ClientBucket.objects.get().tokens == RATE - 1
    bucket._leases["google"].until = 0.0  # two seconds later
    assert bucket.take("google") == 0
    assert bucket._leases["google"].granted == 1


def test_what_was_leased_lapses() -> None:
    for _ in range(8):
        assert bucket.take("google") == 0
    lease = bucket._leases["google"]
    assert lease.tokens == 7  # of 8, after 1, 2 and 4
    lease.until = 0.0
    assert bucket.take("google") == 0
    assert (lease.granted, lease.tokens) == (1, 0)


def test_a_lease_is_at_most_a_quarter_of_a_second() -> None:
    take_all()
    assert bucket._leases["google"].granted <= LEASE


def test_many_sends_ask_the_database_seldom(django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        for _ in range(60):
            assert bucket.take("google") == 0


def test_a_provider_that_refuses_the_client_shuts_the_bucket() -> None:
    assert bucket.take("google") == 0
    bucket.drain("google", clock.now() + timedelta(minutes=5))
    assert 295 < bucket.take("google") <= 300
    assert 295 < bucket.take("google") <= 300
    bucket.drain("google", clock.now() + timedelta(seconds=1))
    bucket._leases.clear()
    assert 290 < bucket.take("google") <= 300
    ClientBucket.objects.update(closed_until=clock.now() - timedelta(seconds=1))
    bucket._leases.clear()
    time.sleep(0.1)  # it was emptied, and fills again
    assert bucket.take("google") == 0


def test_shutting_an_unused_bucket_makes_one() -> None:
    bucket.drain("google", clock.now() + timedelta(hours=1))
    assert bucket.take("google") > 3500


def test_threads_of_one_process_share_its_lease() -> None:
    now_empty()
    ClientBucket.objects.update(tokens=RATE)
    went: list[int] = []

    def spend() -> None:
        went.append(take_all())
        connections.close_all()

    began = time.monotonic()
    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert RATE <= sum(went) <= RATE * (1 + time.monotonic() - began) + 1


def test_two_processes_with_eight_threads_each_stay_within_the_rate() -> None:
    now_empty()
    seconds = 4.0
    database = connection.settings_dict
    address = (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{database['NAME']}"
        f"?host={quote(str(database['HOST']), safe='')}&port={database['PORT']}"
    )
    environment = {**os.environ, "TRUESEND_DATABASE_URL": address}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SPENDER, str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        ClientBucket.objects.update(tokens=0, refilled_at=clock.real_now())
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        each = [json.loads(process.communicate(timeout=30)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert all(each)
    went = sorted(each[0] + each[1])
    took = went[-1] - went[0]
    # It was empty, so what went is what flowed in meanwhile.
    assert len(went) <= RATE * (took + 0.5) + 2 * LEASE
    assert len(went) >= RATE * took * 0.5
    for first, moment in enumerate(went):
        within = sum(moment <= other < moment + 1 for other in went[first:])
        # A process that was held up finds what was saved meanwhile, up to the burst.
        assert within <= RATE + RATE + 2 * LEASE
