"""A mail server that takes greetings and sign-ins, and refuses those it is told to; one offers TLS and cannot do it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 mail.example ready")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            self.server.heard.append(word.decode())  # type: ignore[attr-defined]
            if word == b"EHLO":
                offered = ["250-STARTTLS"] if self.server.encrypts else []  # type: ignore[attr-defined]
                self._say("250-mail.example", *offered, "250 AUTH PLAIN")
            elif word == b"STARTTLS":
                self._say("454 not just now")
            elif word == b"AUTH":
                self._say("535 no" if self.server.refuses else "235 welcome")  # type: ignore[attr-defined]
            elif word == b"DATA":
                self._say("354 go on")
                while self.rfile.readline() not in {b".\r\n", b""}:
                    pass
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mail_server(
    *, refuses: bool = False, encrypts: bool = False, heard: list[str] | None = None
) -> Iterator[int]:
    """Its port; ``heard`` gets the commands it is given."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        server.refuses = refuses  # type: ignore[attr-defined]
        server.encrypts = encrypts  # type: ignore[attr-defined]
        server.heard = heard if heard is not None else []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
