"""The threads that renew: as many as there is work for, 24 calls at most, and nobody waits behind one that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection, transaction
from tests import rows
from tests.grants import token
from tests.stack import until

from truesend import clock
from truesend.connections import renewal, tokens
from truesend.connections.models import Connection, Token
from truesend.connections.renewers import Renewers
from truesend.providers import http
from truesend.providers.contract import Grant

pytestmark = pytest.mark.django_db(transaction=True)

BODY = b'{"access_token": "ya29.new", "expires_in": 3599, "token_type": "Bearer"}'


class Slow(ThreadingHTTPServer):
    """A token endpoint that takes its time, and counts who waits for it at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.seconds = 0.3
        self.now = self.most = self.calls = 0


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def do_POST(self) -> None:
        with self.server.lock:
            self.server.now += 1
            self.server.calls += 1
            self.server.most = max(self.server.most, self.server.now)
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.seconds)
        with self.server.lock:
            self.server.now -= 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    with Slow() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("TRUESEND_GOOGLE_TOKEN_URL", f"http://127.0.0.1:{server.server_port}/token")
        monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "client")
        monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "secret")
        with http.quiet_pools():
            yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def renewers() -> Iterator[Renewers]:
    made = Renewers()
    yield made
    made.end(20)


def due(count: int, name: str = "ana") -> list[Connection]:
    """So many connections whose key has run out."""
    owner, made = rows.member(name), []
    for _ in range(count):
        one = rows.mailbox(owner)
        with transaction.atomic():
            tokens.replace(one, Grant("ya29.old", 3599, "1//refresh", frozenset()), clock.now())
        made.append(one)
    Token.objects.filter(connection__in=made).update(due_at=clock.now(), access_expires_at=clock.now())
    return made


def left() -> int:
    return Token.objects.filter(due_at__lte=clock.now()).count()


def wake_until(renewers: Renewers, good: Callable[[], bool], seconds: float = 30) -> None:
    """As the waker does, each second."""
    end = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < end
        renewers.wake()
        time.sleep(0.2)


def test_never_more_than_24_calls_at_once_whoever_asks(endpoint: Slow, renewers: Renewers) -> None:
    ones = due(90)
    got: list[str] = []

    def need(one: Connection) -> None:
        got.append(tokens.access_token(one, trigger="send"))
        connection.close()

    needing = [threading.Thread(target=need, args=(one,)) for one in ones[-12:]]
    renewers.wake()
    for thread in needing:
        thread.start()
    wake_until(renewers, lambda: left() == 0)
    for thread in needing:
        thread.join()
    assert got == ["ya29.new"] * 12
    assert endpoint.calls == 90
    assert 18 <= endpoint.most <= renewal.AT_ONCE


def test_few_that_are_due_take_few_threads_and_rest_after_it(endpoint: Slow, renewers: Renewers) -> None:
    endpoint.seconds = 0.05
    due(3)
    wake_until(renewers, lambda: left() == 0)
    assert endpoint.most <= 2
    assert endpoint.calls == 3
    renewers.wake()  # nothing is due
    until(lambda: len(renewers._threads), lambda count: count == 0, 15)


def test_nobody_waits_behind_calls_that_hang(endpoint: Slow, renewers: Renewers) -> None:
    endpoint.seconds = 6.0
    due(4)
    wake_until(renewers, lambda: endpoint.now == 4, 5)
    endpoint.seconds = 0.05
    (fresh,) = due(1, "ben")
    wake_until(renewers, lambda: token(fresh).access_expires_at > clock.now(), 5)


def test_whoever_ends_begins_nothing_more_and_ends_what_is_under_way(endpoint: Slow) -> None:
    renewers = Renewers()
    due(30)
    renewers.wake()
    until(lambda: endpoint.now, lambda count: count >= 4, 10)
    renewers.end(20)
    done = endpoint.calls
    assert left() == 30 - done > 0
    renewers.wake()
    time.sleep(0.5)
    assert endpoint.calls == done
