"""A server that speaks in raw sockets, for tests of what leaves, what comes, and when."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from truesend.providers import http

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """A server for one answer at a time; ``seen`` counts the bytes of each connection."""

    url: str
    seen: list[int] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def read(self, sock: socket.socket, most: int = 65536) -> bytes:
        """Some more bytes; empty at the end, orderly or not."""
        try:
            data = sock.recv(most)
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        self.seen[-1] += len(data)
        return data

    def read_request(self, sock: socket.socket, pace: float = 0.0) -> bool:
        """A whole request with its body, ``pace`` seconds to 64 KB; False when it broke off."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.read(sock)
            if not piece:
                return False
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        left = length - len(body)
        while left > 0:
            piece = self.read(sock, min(65536, left))
            time.sleep(pace * len(piece) / 65536)
            if not piece:
                return False
            left -= len(piece)
        return True


Serve = Callable[[Peer, socket.socket], None]


@contextmanager
def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """``serve`` meets each connection in turn, in a thread that ends with the block."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        peer = Peer(f"http{'s' if tls else ''}://localhost:{listener.getsockname()[1]}/")

        def loop() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                peer.seen.append(0)
                with contextlib.ExitStack() as stack:
                    stack.callback(peer.ended.set)
                    stack.enter_context(sock)
                    stack.enter_context(contextlib.suppress(OSError))
                    serve(peer, stack.enter_context(tls.wrap_socket(sock, server_side=True)) if tls else sock)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield peer
        finally:
            http._pools.clear()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
    assert not thread.is_alive()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for localhost, and the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, secret = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, secret)
    return context, public
