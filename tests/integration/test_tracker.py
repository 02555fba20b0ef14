"""The tracker over HTTP: what it answers, what it refuses, what it keeps."""

from __future__ import annotations

import base64
import contextlib
import random
import shutil
import socket
import string
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests import postgres, tracker_process
from tests.tracker_process import HUMAN, Tracker

from truesend.runtime.keys import key_files
from truesend.tracking import losses, records, tokens

TARGET = "https://shop.example/a/ü?x=1&y=%20#top"


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    folder = postgres.data_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def keys(data: Path) -> tokens.Keys:
    return read_keys(data)


def read_keys(data: Path) -> tokens.Keys:
    """The link keys of a data folder, as the tracker there reads them."""
    text = Path(key_files(data, {})["TRUESEND_LINK_KEYS_FILE"]).read_text().strip()
    return [(part.partition(":")[0], base64.b64decode(part.partition(":")[2])) for part in text.split(",")]


@pytest.fixture(scope="module")
def tracker(data: Path) -> Iterator[Tracker]:
    """Without any database."""
    with tracker_process.running(data, None) as running:
        yield running


def seen(tracker: Tracker, delivery: UUID) -> list[records.Record]:
    """What stands in the segments of a delivery."""
    found: list[records.Record] = []
    for path in tracker.segments():
        found += map(records.read, records.unpack_all(path.read_bytes(), at_end=True)[0])
    return [record for record in found if record.delivery == delivery]


def test_a_pixel_is_answered_and_kept(tracker: Tracker, keys: tokens.Keys) -> None:
    delivery = uuid4()
    answer = tracker.get(f"/t/o/{tokens.sign_open(keys, delivery)}.gif")
    assert (answer.status, answer.headers["content-type"], len(answer.body)) == (200, "image/gif", 43)
    assert answer.headers["cache-control"] == "no-store, private"
    assert "set-cookie" not in answer.headers
    (record,) = seen(tracker, delivery)
    assert (record.kind, record.method, record.link) == ("open", "GET", None)
    assert record.user_agent == HUMAN["User-Agent"]
    assert record.headers["accept-language"] == "en-GB"


def test_a_link_leads_to_its_target_byte_for_byte(tracker: Tracker, keys: tokens.Keys) -> None:
    delivery = uuid4()
    answer = tracker.get(f"/t/c/{tokens.sign_click(keys, delivery, 3, TARGET)}?utm=added")
    assert answer.status == 302
    assert answer.headers["location"].encode("latin-1") == TARGET.encode()
    assert answer.headers["referrer-policy"] == "no-referrer"
    (record,) = seen(tracker, delivery)
    assert (record.kind, record.link) == ("click", 3)


def test_the_longest_link_that_is_signed_works(tracker: Tracker, keys: tokens.Keys) -> None:
    target = "https://shop.example/?" + "x" * (tokens.MAX_TARGET_BYTES - 22)
    answer = tracker.get(f"/t/c/{tokens.sign_click(keys, uuid4(), 0, target)}")
    assert (answer.status, answer.headers["location"]) == (302, target)


def test_head_is_answered_without_a_body_and_told_apart(tracker: Tracker, keys: tokens.Keys) -> None:
    delivery = uuid4()
    assert tracker.get(f"/t/o/{tokens.sign_open(keys, delivery)}.gif", method="HEAD").body == b""
    assert tracker.get(f"/t/c/{tokens.sign_click(keys, delivery, 0, TARGET)}", method="HEAD").status == 302
    assert [record.method for record in seen(tracker, delivery)] == ["HEAD", "HEAD"]


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("not an address", None),
    ],
)
def test_a_loopback_peer_names_the_client_in_dev(
    tracker: Tracker, keys: tokens.Keys, forwarded: str, expected: str | None
) -> None:
    delivery = uuid4()
    headers = {**HUMAN, "X-Forwarded-For": forwarded}
    tracker.get(f"/t/o/{tokens.sign_open(keys, delivery)}.gif", headers)
    (record,) = seen(tracker, delivery)
    assert record.ip == expected


def test_forged_tokens_lead_nowhere(tracker: Tracker, keys: tokens.Keys) -> None:
    """A sample; `make proof` runs a million mutations."""
    chance = random.Random(4)
    token = tokens.sign_click(keys, uuid4(), 0, "https://evil.example/")
    alphabet = string.ascii_letters + string.digits + "-_"
    for number in range(300):
        at = chance.randrange(len(token))
        other = chance.choice(alphabet.replace(token[at], ""))
        answer = tracker.get(f"/t/c/{token[:at]}{other}{token[at + 1 :]}")
        assert answer.status == 404, number
        assert "location" not in answer.headers
    print("300 mutated tokens")


def test_one_purpose_does_not_serve_as_the_other(tracker: Tracker, keys: tokens.Keys) -> None:
    assert tracker.get(f"/t/c/{tokens.sign_open(keys, uuid4())}").status == 404
    assert tracker.get(f"/t/o/{tokens.sign_click(keys, uuid4(), 0, TARGET)}.gif").status == 404


def test_a_removed_key_gets_the_page_that_says_so(tracker: Tracker) -> None:
    token = tokens.sign_click([("removed", b"r" * 32)], uuid4(), 0, TARGET)
    answer = tracker.get(f"/t/c/{token}")
    assert (answer.status, b"no longer in use" in answer.body) == (404, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/t/x/abc", 404),
        ("GET", "/t/c/", 404),
        ("GET", "/t/o/.gif", 404),
        ("GET", "/t/c/%00%ff%f0%9f", 404),
        ("GET", "/t/c/../../etc/passwd", 404),
        ("GET", "/t/c/" + "A" * 60_000, 404),
        ("POST", "/t/c/abc", 405),
        ("DELETE", "/t/o/abc.gif", 405),
        ("HEAD", "/healthz", 200),
    ],
)
def test_anything_else_is_refused_calmly(tracker: Tracker, method: str, path: str, status: int) -> None:
    assert tracker.get(path, method=method).status == status


def test_raw_bytes_where_text_belongs(tracker: Tracker, keys: tokens.Keys) -> None:
    delivery = uuid4()
    path = f"/t/o/{tokens.sign_open(keys, delivery)}.gif"
    request = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
        + b"User-Agent: "
        + b"\xff\xfe" * 2000
        + b"\r\nReferer: \xc3\x28\r\nX-Forwarded-For: \xff, 203.0.113.4\r\nVia: a\r\nVia: b\r\n\r\n"
    )
    with socket.create_connection(("localhost", tracker.port), timeout=10) as connection:
        connection.sendall(request)
        assert connection.makefile("rb").readline().split()[1] == b"200"
    (record,) = seen(tracker, delivery)
    assert record.ip == "203.0.113.4"
    assert len(record.user_agent) == 512


@pytest.mark.parametrize(
    "asked",
    [
        {"Range": "bytes=0-10"},
        {"Range": "bytes=9999999-, 0-0, -1, x"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"},
        {"If-Match": '"none"', "If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Range": '"x"', "Range": "bytes=1-1"},
        {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch"},
        {"Expect": "100-continue"},
        {"Cookie": "a=b", "Origin": "https://evil.example", "Accept": "text/html"},
        {f"X-{number}": "y" * 100 for number in range(90)},
    ],
)
def test_whatever_is_asked_beside_it_the_pixel_comes_whole_and_is_kept(
    tracker: Tracker, keys: tokens.Keys, asked: dict[str, str]
) -> None:
    """A 206 or 304 would let a cache answer for us."""
    delivery = uuid4()
    headers = {**HUMAN, **asked}
    answer = tracker.get(f"/t/o/{tokens.sign_open(keys, delivery)}.gif", headers)
    assert (answer.status, len(answer.body), answer.headers["cache-control"]) == (
        200,
        43,
        "no-store, private",
    )
    assert not answer.headers.keys() & {"etag", "last-modified", "accept-ranges", "set-cookie"}
    link = tracker.get(f"/t/c/{tokens.sign_click(keys, delivery, 0, TARGET)}", headers)
    assert link.status == 302
    found = seen(tracker, delivery)
    assert [record.kind for record in found] == ["open", "click"]
    kept = {name.lower(): value for name, value in asked.items() if name.lower() in records.FIELDS}
    assert kept.items() <= found[0].headers.items()


@pytest.mark.parametrize("size", [65_536, 200_000, 2_000_000])
def test_an_address_of_any_length_is_refused_and_the_next_one_answered(
    tracker: Tracker, keys: tokens.Keys, size: int
) -> None:
    """The server may refuse it before we see it, and close."""
    request = b"GET /t/c/" + b"A" * size + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("localhost", tracker.port), timeout=10) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request)
        with contextlib.suppress(OSError):
            assert connection.makefile("rb").readline().split()[1:2] in ([b"404"], [b"414"], [b"400"], [])
    assert tracker.get(f"/t/c/{tokens.sign_click(keys, uuid4(), 0, TARGET)}").status == 302


def test_pipelined_requests_and_a_client_that_leaves_are_kept(tracker: Tracker, keys: tokens.Keys) -> None:
    """Whoever closes before the answer has looked all the same."""
    delivery = uuid4()
    path = f"/t/o/{tokens.sign_open(keys, delivery)}.gif"
    with socket.create_connection(("localhost", tracker.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 5)
        connection.settimeout(10)
        got = b""
        while got.count(b"GIF89a") < 5:
            got += connection.recv(65536)
    with socket.create_connection(("localhost", tracker.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    deadline = time.monotonic() + 5
    while len(seen(tracker, delivery)) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(seen(tracker, delivery)) == 6


def test_a_full_disk_costs_hits_but_no_redirect(tmp_path: Path) -> None:
    """A limit on file sizes makes every write to the segment fail as on a full disk."""
    keys = read_keys(tmp_path)

    def click(tracker: Tracker) -> UUID:
        delivery = uuid4()
        assert tracker.get(f"/t/c/{tokens.sign_click(keys, delivery, 0, TARGET)}").status == 302
        return delivery

    with tracker_process.running(tmp_path, None) as tracker:
        before = click(tracker)
        with tracker.largest_file(64):
            lost = [click(tracker) for _ in range(5)]
            assert tracker.health()["lost"] == 5
        after = click(tracker)
        assert [len(seen(tracker, one)) for one in (before, after)] == [1, 1]
        assert not any(seen(tracker, one) for one in lost)
        assert losses.total(tracker.folder / "losses") == 5


def test_it_ends_in_good_order_and_keeps_the_hits(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, None)
    tracker.start()
    keys, delivery = read_keys(tmp_path), uuid4()
    tracker.get(f"/t/o/{tokens.sign_open(keys, delivery)}.gif")
    assert tracker.stop() == 0
    assert len(seen(tracker, delivery)) == 1
    assert list((tracker.folder / "losses").iterdir()) == []
