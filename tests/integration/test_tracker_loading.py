"""From segments to PostgreSQL with real processes: exactly once, whatever dies."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg
import pytest
from tests import figures, postgres, tracker_process
from tests.integration.test_tracker import read_keys
from tests.tracker_process import HUMAN, Tracker

from truesend.runtime.postgres import Postgres
from truesend.tracking import tokens

TARGET = "https://shop.example/"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """With fsync and everything as in real life: it is going to be killed."""
    with postgres.running({}) as running:
        folder = postgres.data_folder()
        tracker_process.migrate(folder, running.url)
        shutil.rmtree(folder)
        yield running


@pytest.fixture
def tracker(server: Postgres) -> Iterator[Tracker]:
    folder = postgres.data_folder()
    with tracker_process.running(folder, server.url) as running:
        yield running
    shutil.rmtree(folder)


class Load:
    """Hits from several clients at once, each of a delivery of its own, and which of them were answered."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._keys = read_keys(tracker.folder.parent)
        self.answered: set[UUID] = set()
        self.unanswered: set[UUID] = set()
        self.wrong: list[int] = []

    def hit(self) -> None:
        delivery = uuid4()
        try:
            answer = self._tracker.get(f"/t/c/{tokens.sign_click(self._keys, delivery, 0, TARGET)}")
        except OSError:
            self.unanswered.add(delivery)
            time.sleep(0.02)
            return
        self.answered.add(delivery)
        if answer.status != 302:
            self.wrong.append(answer.status)

    def until(self, count: int, clients: int = 8) -> threading.Thread:
        """Go on in the background until ``count`` hits were answered."""

        def run() -> None:
            while len(self.answered) < count:
                self.hit()

        def all_clients() -> None:
            with ThreadPoolExecutor(clients) as pool:
                for job in [pool.submit(run) for _ in range(clients)]:
                    job.result()

        thread = threading.Thread(target=all_clients)
        thread.start()
        return thread


def counted(server: Postgres, tracker: Tracker, expected: set[UUID], patience: float = 20) -> Counter[UUID]:
    """Rows by delivery, once every segment is loaded or everything expected is there."""
    deadline = time.monotonic() + patience
    while True:
        with psycopg.connect(server.url) as connection:
            rows = connection.execute("SELECT delivery, sum(count) FROM tracking_hit GROUP BY 1").fetchall()
        found = Counter({delivery: int(count) for delivery, count in rows})
        if expected <= found.keys() or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def check(found: Counter[UUID], load: Load) -> None:
    assert load.wrong == []
    assert {delivery for delivery in load.answered if found[delivery] != 1} == set()
    assert {delivery for delivery in load.unanswered if found[delivery] > 1} == set()


@pytest.mark.alone
def test_a_hit_is_in_the_table_at_once_and_announced(server: Postgres, tracker: Tracker) -> None:
    load = Load(tracker)
    with psycopg.connect(server.url, autocommit=True) as listener:
        listener.execute("LISTEN truesend_hits")
        started = time.monotonic()
        load.hit()
        assert any(True for _ in listener.notifies(timeout=5, stop_after=1))
        passed = time.monotonic() - started
        row = listener.execute(
            "SELECT kind, link, method, host(ip), user_agent, headers, count, classified_at, network"
            " FROM tracking_hit WHERE delivery = %s",
            [next(iter(load.answered))],
        ).fetchone()
    assert row == (
        "click",
        0,
        "GET",
        "127.0.0.1",
        HUMAN["User-Agent"],
        {"accept-language": "en-GB"},
        1,
        None,
        None,
    )
    assert passed < figures.limit(1.0)


@pytest.mark.timeout(110)
def test_killing_the_tracker_under_load_counts_every_answered_hit_once(
    server: Postgres, tracker: Tracker, capsys: pytest.CaptureFixture[str]
) -> None:
    hits, kills = 500, 3
    load = Load(tracker)
    thread = load.until(hits)
    for kill in range(1, kills + 1):
        while len(load.answered) < kill * hits // (kills + 1):
            time.sleep(0.002)
        tracker.kill()
        tracker.start()
    thread.join()
    check(counted(server, tracker, load.answered), load)
    with capsys.disabled():
        print(f"\ntracker killed {kills} times under {len(load.answered)} hits")


@pytest.mark.timeout(110)
def test_killing_the_loader_under_load_counts_every_answered_hit_once(
    server: Postgres, tracker: Tracker, capsys: pytest.CaptureFixture[str]
) -> None:
    hits, kills = 500, 5
    load = Load(tracker)
    thread = load.until(hits)
    killed: set[int] = set()
    while len(killed) < kills:
        pid = tracker.pid_of("loader")
        if pid in killed or len(load.answered) < len(killed) * hits // (kills + 1):
            time.sleep(0.01)
            continue
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    thread.join()
    assert load.unanswered == set()
    check(counted(server, tracker, load.answered), load)
    with capsys.disabled():
        print(f"\nloader killed {kills} times under {len(load.answered)} hits")


def test_several_processes_answer_and_one_that_dies_comes_back(server: Postgres) -> None:
    folder = postgres.data_folder()
    with tracker_process.running(folder, server.url, TRUESEND_TRACKER_PROCESSES="3") as tracker:
        helpers = [psutil.Process(tracker.pid_of(f"tracker-{number}")) for number in (2, 3)]
        load = Load(tracker)
        with tracker.suspended():  # so it is the others that answer
            load.until(50).join()
        assert load.unanswered == set()
        helpers[0].kill()
        thread = load.until(300)
        deadline = time.monotonic() + 20
        while tracker.pid_of("tracker-2") == helpers[0].pid and time.monotonic() < deadline:
            time.sleep(0.05)
        thread.join()
        check(counted(server, tracker, load.answered), load)
        back = psutil.Process(tracker.pid_of("tracker-2"))
        assert back.pid != helpers[0].pid
        assert tracker.stop() == 0
        assert not any(one.is_running() for one in (back, helpers[1]))
        assert tracker.segments() == []
    shutil.rmtree(folder)


def test_segments_of_a_dead_process_are_loaded_and_removed(server: Postgres, tracker: Tracker) -> None:
    load = Load(tracker)
    load.until(20).join()
    tracker.kill()
    (segment,) = tracker.segments()
    with segment.open("ab") as file:
        file.write(segment.read_bytes()[:37])  # a record cut off by the end of its process
    tracker.start()
    load.until(25).join()
    check(counted(server, tracker, load.answered), load)
    deadline = time.monotonic() + 10
    while segment.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not segment.exists()
    with psycopg.connect(server.url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM tracking_segmentoffset WHERE segment = %s", [segment.name]
        ).fetchone() == (0,)


def test_two_trackers_of_one_folder_count_once(server: Postgres, tracker: Tracker) -> None:
    """The second takes over what a killed first left, while the first comes back and does the same."""
    second = Tracker(tracker.folder.parent, server.url)
    second.start()
    try:
        load, other = Load(tracker), Load(second)
        threads = [load.until(100), other.until(100)]
        time.sleep(0.1)
        tracker.kill()
        tracker.start()
        for thread in threads:
            thread.join()
        found = counted(server, tracker, load.answered | other.answered)
        check(found, load)
        check(found, other)
    finally:
        second.kill()


@pytest.mark.timeout(110)
def test_killing_postgresql_under_load_loses_nothing(
    server: Postgres, tracker: Tracker, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load(tracker)
    thread = load.until(600)
    for kill in range(1, 3):
        while len(load.answered) < kill * 150:
            time.sleep(0.002)
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while server.pid is not None:
            time.sleep(0.01)
        before = len(load.answered)
        time.sleep(0.3)
        assert len(load.answered) > before or not thread.is_alive()
        server.start()
        server.wait_ready()
    thread.join()
    assert load.unanswered == set()
    check(counted(server, tracker, load.answered), load)
    with capsys.disabled():
        print(f"\nPostgreSQL killed twice under {len(load.answered)} hits")


@pytest.mark.alone
def test_a_hung_postgresql_slows_no_redirect(server: Postgres, tracker: Tracker) -> None:
    load = Load(tracker)
    load.hit()
    counted(server, tracker, load.answered)
    with hung(server):
        slowest = 0.0
        for _ in range(50):
            started = time.monotonic()
            load.hit()
            slowest = max(slowest, time.monotonic() - started)
        assert slowest < figures.limit(1.0)
        assert load.unanswered == set()
    check(counted(server, tracker, load.answered), load)


@contextlib.contextmanager
def hung(server: Postgres) -> Iterator[None]:
    """Every process of the server stopped, none dead."""
    assert server.pid is not None
    postmaster = psutil.Process(server.pid)
    stopped = [postmaster, *postmaster.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(stopped):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def test_a_flood_is_one_row_and_its_sum_is_exact(server: Postgres, tracker: Tracker) -> None:
    delivery = uuid4()
    path = f"/t/o/{tokens.sign_open(read_keys(tracker.folder.parent), delivery)}.gif"
    with ThreadPoolExecutor(8) as pool:
        assert all(answer.status == 200 for answer in pool.map(lambda _: tracker.get(path), range(400)))
    deadline = time.monotonic() + 10
    rows: list[int] = []
    while sum(rows) < 400 and time.monotonic() < deadline:
        with psycopg.connect(server.url) as connection:
            query = "SELECT count FROM tracking_hit WHERE delivery = %s ORDER BY count"
            rows = [row[0] for row in connection.execute(query, [delivery])]
        time.sleep(0.1)
    assert rows == [1] * 100 + [300]


def test_what_the_database_refuses_holds_up_nothing(server: Postgres, tracker: Tracker) -> None:
    """A constraint that only some hits break stands for anything PostgreSQL may refuse."""
    keys, bad, good = read_keys(tracker.folder.parent), uuid4(), uuid4()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            f"ALTER TABLE tracking_hit ADD CONSTRAINT no_bad CHECK (delivery <> '{bad}') NOT VALID"
        )
        try:
            for delivery in (bad, good):
                tracker.get(f"/t/o/{tokens.sign_open(keys, delivery)}.gif")
            assert counted(server, tracker, {good})[good] == 1
        finally:
            connection.execute("ALTER TABLE tracking_hit DROP CONSTRAINT no_bad")


def test_without_tables_hits_wait(tmp_path: Path) -> None:
    """A tracker that is started before the first migration."""
    with postgres.running() as empty:
        folder = postgres.data_folder()
        with tracker_process.running(folder, empty.url) as tracker:
            load = Load(tracker)
            load.until(5).join()
            tracker_process.migrate(folder, empty.url)
            check(counted(empty, tracker, load.answered), load)
            assert tracker.health()["database"] == "ready"
        shutil.rmtree(folder)


def test_ending_in_good_order_leaves_nothing_behind(server: Postgres, tracker: Tracker) -> None:
    load = Load(tracker)
    load.until(30).join()
    assert tracker.stop() == 0
    assert tracker.segments() == []
    check(counted(server, tracker, load.answered, patience=0), load)
