"""Token calls: where they may not go, and what odd answers become."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from truesend.providers import http
from truesend.providers.errors import ProviderError
from truesend.providers.oauth_session import OAuthSession
from truesend.providers.token_call import TokenAnswerError


class _Redirecting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Redirecting) as server:
        server.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_redirect_is_never_followed_with_the_client_secret(server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_port}/token"
    with OAuthSession(client_id="a", client_secret="b") as session, http.quiet_pools():
        with pytest.raises(TokenAnswerError) as caught:
            session.renew(url, "refresh")
        assert caught.value.status == 307
        with pytest.raises(TokenAnswerError):
            session.exchange(url, code="c", verifier="v" * 43)
    assert server.seen == ["/token", "/token"]  # type: ignore[attr-defined]


def test_nobody_there_is_unreachable_not_slow(unused_port: int) -> None:
    with OAuthSession(client_id="a", client_secret="b") as session, pytest.raises(ProviderError) as caught:
        session.renew(f"http://127.0.0.1:{unused_port}/token", "refresh")
    assert caught.value.cause == "provider_unreachable"


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
