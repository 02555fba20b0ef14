"""A small web server that writes down who asked it for what, in the tracker's place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
TARGET = "https://example.com/landing?x=1"


@dataclass
class Hit:
    method: str
    path: str
    headers: Message
    body: bytes = b""


@dataclass
class Listener:
    """`/t/o/…` answers a picture, `/t/c/…` a redirect to `TARGET`, a `validationToken` itself, the rest a page."""

    url: str
    hits: list[Hit] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener("")

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            listener.hits.append(Hit(self.command, self.path, self.headers, sent))
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            if self.path.startswith("/t/c/"):
                self.send_response(302)
                self.send_header("Location", TARGET)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = GIF if self.path.startswith("/t/o/") else b"<p>A page</p>"
            kind = "image/gif" if body is GIF else "text/html"
            if token:
                body, kind = token[0].encode(), "text/plain"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = _answer

        def log_message(self, *_: object) -> None:
            """Nothing: the hits are the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
