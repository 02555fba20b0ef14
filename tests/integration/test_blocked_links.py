"""Links that the operator has blocked, at a tracker: with and without a database, and with a file that is broken.

Also what every answer of the tracker has: no referrer, no cookie.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from tests import postgres, tracker_process
from tests.integration.test_tracker import read_keys, seen
from tests.tracker_process import Answer, Tracker

from truesend.blocklist import files
from truesend.runtime.postgres import Postgres
from truesend.tracking import tokens

GOOD, EVIL = "https://good.example/x", "https://www.evil.example/login?a=b"


@pytest.fixture
def data() -> Iterator[Path]:
    folder = postgres.data_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres.running({}) as running:
        folder = postgres.data_folder()
        tracker_process.migrate(folder, running.url)
        shutil.rmtree(folder)
        yield running


def click(tracker: Tracker, target: str = EVIL, delivery: UUID | None = None, method: str = "GET") -> Answer:
    token = tokens.sign_click(read_keys(tracker.folder.parent), delivery or uuid4(), 0, target)
    return tracker.get(f"/t/c/{token}", method=method)


def seconds_until(condition: Callable[[], bool], most: float = 5) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < most, "never"
        time.sleep(0.02)
    return time.monotonic() - began


def block(data: Path, *hosts: str, deliveries: tuple[UUID, ...] = ()) -> None:
    files.write(files.path_in(data), files.packed(hosts, b"".join(sorted(one.bytes for one in deliveries))))


def run(server: Postgres, statement: str, *values: object) -> None:
    """As a page does, in another process."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(statement, values)
        connection.execute("NOTIFY truesend_blocklist")


def test_a_blocked_link_answers_a_page_without_a_database(data: Path) -> None:
    with tracker_process.running(data, None) as tracker:
        assert click(tracker).status == 302
        mine = uuid4()
        block(data, "evil.example", deliveries=(mine,))
        assert seconds_until(lambda: click(tracker).status == 403) < 1
        answer = click(tracker, delivery=mine, target=GOOD)
        assert answer.status == 403
        assert "location" not in answer.headers
        assert b"The operator of this installation has blocked it" in answer.body
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert click(tracker, method="HEAD").body == b""
        # It was no visit; what is not blocked goes on, and pictures are answered and counted.
        assert seen(tracker, mine) == []
        assert click(tracker, GOOD).status == 302
        assert click(tracker, "https://notevil.example/").status == 302
        pixel = tracker.get(f"/t/o/{tokens.sign_open(read_keys(data), mine)}.gif")
        assert (pixel.status, len(pixel.body)) == (200, 43)
        assert [one.kind for one in seen(tracker, mine)] == ["open"]
        # Lifted.
        block(data)
        assert seconds_until(lambda: click(tracker).status == 302) < 1


def test_a_broken_file_blocks_and_breaks_nothing(data: Path) -> None:
    whole = files.packed(["evil.example"], b"".join(sorted(uuid4().bytes for _ in range(100))))
    path = files.path_in(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole[:-5])
    with tracker_process.running(data, None) as tracker:
        assert click(tracker).status == 302
        path.write_bytes(whole)
        seconds_until(lambda: click(tracker).status == 403)
        for broken in (b"", whole[:50], b"\0" * len(whole), whole[:-1] + b"x"):
            path.write_bytes(broken)
            time.sleep(files.PERIOD * 2)
            assert click(tracker).status == 403  # as it was
            assert click(tracker, GOOD).status == 302
        path.unlink()
        path.mkdir()
        time.sleep(files.PERIOD * 2)
        assert click(tracker, GOOD).status == 302
        path.rmdir()
        seconds_until(lambda: click(tracker).status == 302)


def test_a_million_blocked_deliveries_do_not_stop_the_answers(data: Path) -> None:
    mine = uuid4()
    many = sorted([uuid4().bytes for _ in range(1_000_000)] + [mine.bytes])
    with tracker_process.running(data, None) as tracker:
        files.write(files.path_in(data), files.packed([], b"".join(many)))
        slowest = 0.0
        blocked = False
        end = time.monotonic() + 5
        while not blocked and time.monotonic() < end:
            began = time.monotonic()
            blocked = click(tracker, GOOD, delivery=mine).status == 403
            slowest = max(slowest, time.monotonic() - began)
        assert blocked
        assert click(tracker, GOOD).status == 302
        assert slowest < 0.5


def test_the_list_comes_from_the_database_and_outlives_it(data: Path, server: Postgres) -> None:
    mine = uuid4()
    insert = "INSERT INTO blocklist_block (id, kind, value, reason, created_at) VALUES (%s, %s, %s, 'phishing', now())"
    with tracker_process.running(data, server.url) as tracker:
        assert click(tracker).status == 302
        run(server, insert, uuid4(), "host", "evil.example")
        assert seconds_until(lambda: click(tracker).status == 403) < 1
        run(server, insert, uuid4(), "delivery", str(mine))
        assert seconds_until(lambda: click(tracker, GOOD, delivery=mine).status == 403) < 1
        # Somebody removes the file: it comes back.
        files.path_in(data).unlink()
        seconds_until(lambda: files.path_in(data).exists())
        seconds_until(lambda: click(tracker).status == 403)
        # A link of an organization that was blocked and is erased since: nothing but its id is known any more.
        gone, theirs = uuid4(), uuid4()
        run(server, "INSERT INTO blocklist_outlived (delivery, organization) VALUES (%s, %s)", theirs, gone)
        run(server, insert, uuid4(), "organization", str(gone))
        assert seconds_until(lambda: click(tracker, GOOD, delivery=theirs).status == 403) < 1
        assert click(tracker, GOOD).status == 302
    with tracker_process.running(data, "postgresql://localhost:1/nothing") as tracker:
        assert click(tracker).status == 403
        assert click(tracker, GOOD).status == 302
    with tracker_process.running(data, server.url) as tracker:
        run(server, "DELETE FROM blocklist_block")
        assert seconds_until(lambda: click(tracker).status == 302) < 2


def test_no_answer_of_the_tracker_tells_a_referrer_or_sets_a_cookie(data: Path) -> None:
    block(data, "evil.example")
    with tracker_process.running(data, None) as tracker:
        keys = read_keys(data)
        pixel = f"/t/o/{tokens.sign_open(keys, uuid4())}.gif"
        strange = tokens.sign_click([("other", b"x" * 32)], uuid4(), 0, GOOD)
        good = f"/t/c/{tokens.sign_click(keys, uuid4(), 0, GOOD)}"
        evil = f"/t/c/{tokens.sign_click(keys, uuid4(), 0, EVIL)}"
        told = {
            (path, method): tracker.get(path, {"Cookie": "a=b", "Referer": GOOD}, method)
            for path in (pixel, good, evil, f"/t/c/{strange}", "/t/c/forged", "/", "/healthz")
            for method in ("GET", "HEAD", "POST")
        }
    assert {answer.status for answer in told.values()} == {200, 302, 403, 404, 405}
    for what, answer in told.items():
        assert answer.headers.get("referrer-policy") == "no-referrer", what
        assert "set-cookie" not in answer.headers, what
        assert answer.headers["cache-control"] == "no-store, private", what
