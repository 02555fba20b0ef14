"""Live events: who may hear them, what they carry, and that many of them harm nobody."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest
import requests
from tests import figures, up
from tests import stack as stacks
from tests.stack import Stack, until
from tests.streams import open_streams

STREAMS = 200


@pytest.mark.alone
def test_an_open_is_told_to_the_organization_and_to_nobody_else(stack: Stack) -> None:
    ana, stranger = stack.person(), stack.person("eve", "Elsewhere")
    connection = ana.connect()
    with (
        open_streams(stack.url, ana.bearer, 1) as mine,
        open_streams(stack.url, stranger.bearer, 1) as theirs,
    ):
        sent = ana.send(connection["id"])
        delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]
        stack.sandbox.advance(30)
        (message,) = stack.sandbox.messages(delivery=delivery["id"])
        stack.sandbox.act(message["id"], "open", as_="gmail")
        hit = time.monotonic()
        until(lambda: mine.count(b"event: signal"), lambda heard: heard == 1, 5)
        assert time.monotonic() - hit < figures.limit(1.0)
        events = [line for line in mine.received[0].split(b"\n") if line.startswith(b"data:")]
        for event in events:
            assert set(json.loads(event[5:])) == {"id", "at"}
        assert sent["id"].encode() in mine.received[0]
        assert b"event:" not in theirs.received[0]


def test_a_stream_needs_a_member(stack: Stack) -> None:
    url = f"{stack.url}/api/v1/events"
    for headers in ({}, {"Authorization": "Bearer ts_wrong"}, {"Cookie": "truesend_session=forged"}):
        answer = requests.get(url, headers=headers, timeout=10)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    assert (
        requests.post(
            url, headers={"Authorization": f"Bearer {stack.person().bearer}"}, timeout=10
        ).status_code
        == 405
    )


def test_the_session_of_a_page_opens_a_stream(stack: Stack) -> None:
    ana = stack.person()
    with ana.get("/api/v1/events", stream=True) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()) == b"retry: 1000"


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_two_hundred_streams_leave_pages_usable_and_end_with_the_server(tmp_path: Path) -> None:
    with stacks.running(tmp_path / "data") as stack:
        ana = stack.person()
        ana.connect()
        with open_streams(stack.url, ana.bearer, STREAMS) as streams:
            assert streams.opened() == STREAMS
            times = []
            for _ in range(10):
                for path in ("/emails", "/integration", "/emails/new"):
                    began = time.monotonic()
                    assert ana.get(path).status_code == 200
                    times.append(time.monotonic() - began)
            print(f"pages with {STREAMS} streams: median {statistics.median(times) * 1000:.0f} ms")
            code, seconds = stack.up.terminate()
            assert code == 0
            assert seconds < figures.limit(10)
            until(lambda: len(streams.ended), lambda ended: ended == STREAMS, 5)
        assert not up.processes_of(tmp_path / "data")
    up.remove(tmp_path / "data")
