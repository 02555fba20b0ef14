"""Somebody who answers where a provider should be, and says whatever a test wants."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hypothesis import strategies as st

from truesend.providers import http

BODIES_THAT_ARE_NONE = (b"", b"[" * 20_000, b"<h1>Hello</h1>", b"\xef\xbb\xbf{}", b"9" * 5_000, b"null")


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Answering(ThreadingHTTPServer):
    """Answers every request with the next of what it was told to say, over and over."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.will_say([Said(500)])

    def will_say(self, said: Sequence[Said]) -> None:
        """The answers from now on."""
        self.said = itertools.cycle(said)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has read enough hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = next(self.server.said)
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@contextmanager
def answering() -> Iterator[Answering]:
    """One for the length of the block."""
    with Answering() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        with http.quiet_pools():
            yield running
        running.shutdown()
        thread.join()


def leaves(*words: str) -> st.SearchStrategy[Any]:
    """Values of JSON that hold no others, ``words`` of the provider among them."""
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["a\x00\ud800b", *words]),
    )


def answers(
    names: Sequence[str], words: Sequence[str], headers: Sequence[str], alike: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[Said]]:
    """Some answers: JSON of any shape with ``names`` in it, ``alike`` ones that could nearly be right, and no JSON."""
    any_json = st.recursive(
        leaves(*words),
        lambda inside: st.one_of(
            st.lists(inside, max_size=4), st.dictionaries(st.sampled_from(list(names)), inside, max_size=8)
        ),
        max_leaves=30,
    )
    bodies = st.one_of(
        any_json.map(lambda value: json.dumps(value).encode()),
        alike.map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=60),
        st.sampled_from(BODIES_THAT_ARE_NONE),
    )
    told = st.dictionaries(
        st.sampled_from(list(headers)),
        st.sampled_from(["", "0", "1e9", "2.128", "9" * 40, "-1", "\xe9", "soon", "minute|day"]),
        max_size=len(headers),
    )
    statuses = st.sampled_from(
        [200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 413, 429, 500, 503, 554]
    )
    return st.lists(st.builds(Said, statuses, told, bodies), min_size=1, max_size=6)
