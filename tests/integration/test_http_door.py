"""The outbound door against servers that speak in raw sockets: time, stages, and what must never leave."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.raw_http import OK, Peer, certificate, serving

from truesend.providers import http

MEGABYTE = 1_000_000


def call(
    peer: Peer,
    body: bytes | None = None,
    *,
    fence: Callable[[], None] | None = None,
    timeout: float | None = None,
) -> http.Answer:
    method = "GET" if body is None else "POST"
    return http.request(method, peer.url, operation="test", body=body, fence=fence, timeout=timeout)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "1")


@contextmanager
def failing(stage: str, cause: str, *, after: float, at_most: float) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(http.TransportError) as caught:
        yield
    assert (caught.value.stage, caught.value.cause) == (stage, cause)
    assert after <= time.monotonic() - began < at_most


def test_the_total_limit_grows_with_the_body() -> None:
    assert http.total_timeout(0) == 1
    assert http.total_timeout(35_000_000) == 141


def slowly(peer: Peer, sock: socket.socket) -> None:
    """About 800 KB a second."""
    if peer.read_request(sock, pace=0.08):
        sock.sendall(OK)


def test_a_large_body_has_the_time_that_a_slow_line_takes() -> None:
    with serving(slowly) as peer:
        began = time.monotonic()
        assert call(peer, b"x" * (3 * MEGABYTE)).status == 200
        assert time.monotonic() - began > 2
        assert peer.seen[0] > 3 * MEGABYTE


def test_the_same_through_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setitem(http._pools.connection_pool_kw, "ca_certs", str(authority))
    with serving(slowly, context) as peer:
        assert call(peer, os.urandom(3 * MEGABYTE)).status == 200
        assert peer.seen[0] > 3 * MEGABYTE


def test_a_line_that_stands_still_ends_at_the_total_limit() -> None:
    def stand_still(peer: Peer, sock: socket.socket) -> None:
        peer.read(sock)
        time.sleep(3.5)
        while peer.read(sock):
            pass

    with serving(stand_still) as peer:
        body = b"x" * (30 * MEGABYTE)
        with failing("sent", "provider_timeout", after=2.9, at_most=8):
            call(peer, body, timeout=3)
        assert peer.ended.wait(5)
        assert peer.seen[0] < len(body)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"",
        b"HTTP/1.1 200",
    ],
)
def test_an_answer_that_drips_ends_at_the_total_limit(start: bytes) -> None:
    def drip(peer: Peer, sock: socket.socket) -> None:
        peer.read_request(sock)
        sock.sendall(start)
        for _ in range(30):
            sock.sendall(b"x")
            time.sleep(0.1)

    with serving(drip) as peer, failing("sent", "provider_timeout", after=0.9, at_most=5):
        call(peer)


def test_nobody_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    with failing("connect", "provider_unreachable", after=0, at_most=5):
        http.request("GET", url, operation="test")


def test_a_connection_that_breaks() -> None:
    def hang_up(peer: Peer, sock: socket.socket) -> None:
        peer.read_request(sock)

    with serving(hang_up) as peer, failing("sent", "provider_cut_off", after=0, at_most=5):
        call(peer, b"{}")


def test_an_answer_before_the_body_was_read_is_an_answer() -> None:
    def refuse(peer: Peer, sock: socket.socket) -> None:
        peer.read(sock)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while peer.read_request(sock):
            pass

    with serving(refuse) as peer:
        assert call(peer, b"x" * 200_000).status == 413


class TooLateError(Exception):
    """What a fence says."""


def test_a_fence_that_is_shut_lets_no_byte_out() -> None:
    def shut() -> None:
        raise TooLateError

    def listen(peer: Peer, sock: socket.socket) -> None:
        peer.read_request(sock)

    with serving(listen) as peer:
        with pytest.raises(TooLateError):
            call(peer, b"{}", fence=shut)
        assert peer.ended.wait(5)
        assert peer.seen == [0]


def test_a_fence_that_outlasts_the_call_proves_that_nothing_left() -> None:
    def listen(peer: Peer, sock: socket.socket) -> None:
        peer.read_request(sock)

    with serving(listen) as peer:
        with failing("connect", "provider_timeout", after=1.2, at_most=6):
            call(peer, b"{}", fence=lambda: time.sleep(1.2))
        assert peer.ended.wait(5)
        assert peer.seen == [0]


def test_a_connection_is_used_again_unless_it_was_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(peer: Peer, sock: socket.socket) -> None:
        while peer.read_request(sock):
            sock.sendall(OK)

    with serving(answer) as peer:
        for _ in range(3):
            assert call(peer, b"{}").json() == {}
        assert len(peer.seen) == 1
        monkeypatch.setattr(http, "IDLE_LIMIT_SECONDS", 0.05)
        time.sleep(0.1)
        assert call(peer, b"{}").status == 200
        assert len(peer.seen) == 2


SENDER = """
import sys
from truesend.providers import http
url, size, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
print("ready", flush=True)
try:
    print(http.request("POST", url, operation="test", body=b"x" * size, timeout=timeout).status)
except http.TransportError as error:
    print(error.stage, error.cause, flush=True)
"""


@contextmanager
def sender(peer: Peer, size: int, timeout: float) -> Iterator[subprocess.Popen[str]]:
    """Another process that sends a body."""
    command = [sys.executable, "-c", SENDER, peer.url, str(size), str(timeout)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextmanager
def halfway(size: int, timeout: float) -> Iterator[tuple[Peer, subprocess.Popen[str], threading.Event]]:
    """Another process has handed over part of a body that its peer reads no further before the event is set."""
    go, read_on = threading.Event(), threading.Event()

    def serve(peer: Peer, sock: socket.socket) -> None:
        peer.read(sock, 100)
        go.set()
        read_on.wait(10)
        while peer.read(sock):
            pass

    with serving(serve) as peer, sender(peer, size, timeout) as process:
        assert go.wait(10)
        time.sleep(0.5)
        yield peer, process, read_on


def drain(peer: Peer, sock: socket.socket, quiet: float = 0.5) -> None:
    """Everything that has left, until nothing came for a while."""
    sock.settimeout(quiet)
    with contextlib.suppress(TimeoutError):
        while peer.read(sock):
            pass
    sock.settimeout(10)


def test_a_process_that_was_stopped_in_the_middle_of_a_body_sends_no_further_byte() -> None:
    go, stopped, woken = threading.Event(), threading.Event(), threading.Event()
    counts: list[int] = []

    def serve(peer: Peer, sock: socket.socket) -> None:
        for _ in range(20):
            peer.read(sock)
        go.set()
        stopped.wait(5)
        drain(peer, sock)
        counts.append(peer.seen[-1])
        woken.wait(10)
        while peer.read(sock):
            pass
        counts.append(peer.seen[-1])

    size = 40 * MEGABYTE
    with serving(serve) as peer, sender(peer, size, timeout=3) as process:
        assert go.wait(10)
        os.kill(process.pid, signal.SIGSTOP)
        stopped.set()
        time.sleep(3.5)
        os.kill(process.pid, signal.SIGCONT)
        woken.set()
        assert process.stdout is not None
        assert process.stdout.read() == "sent provider_timeout\n"
        assert peer.ended.wait(5)
    assert 0 < counts[0] < size
    assert counts[1] == counts[0]


def test_an_answer_that_came_while_the_process_was_stopped_is_read() -> None:
    asked, stopped = threading.Event(), threading.Event()

    def serve(peer: Peer, sock: socket.socket) -> None:
        peer.read_request(sock)
        asked.set()
        stopped.wait(10)
        # Longer than what one reading takes.
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000)
        peer.read(sock)

    with serving(serve) as peer, sender(peer, 1000, timeout=1) as process:
        assert asked.wait(10)
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGSTOP)
        stopped.set()
        time.sleep(1.5)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout is not None
        assert process.stdout.read() == "200\n"


def test_an_answer_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def pour(peer: Peer, sock: socket.socket) -> None:
        peer.read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"x" * 6000)
            time.sleep(0.01)

    with serving(pour) as peer, failing("sent", "provider_timeout", after=0.9, at_most=6):
        call(peer)
    monkeypatch.setattr(http, "LARGEST_ANSWER_BYTES", 200_000)
    with serving(pour) as peer, failing("sent", "provider_cut_off", after=0, at_most=5):
        call(peer)


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux gives up on unacknowledged bytes"
)
def test_what_a_stopped_process_had_handed_over_does_not_arrive_after_its_end() -> None:
    size = 600_000
    with halfway(size, timeout=3) as (peer, process, late):
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(3.5)
        late.set()
        assert peer.ended.wait(10)
        assert peer.seen[0] < size
        os.kill(process.pid, signal.SIGCONT)


def test_what_a_killed_process_had_handed_over_is_dropped() -> None:
    size = 600_000
    with halfway(size, timeout=30) as (peer, process, dead):
        process.kill()
        process.wait()
        dead.set()
        assert peer.ended.wait(10)
        assert peer.seen[0] < size
