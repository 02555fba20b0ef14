"""`python -m truesend_sandbox`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import ctypes
import ipaddress
import signal
import socket
import sys
from pathlib import Path

from truesend_sandbox.server import serve
from truesend_sandbox.store import StoreTaken

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, so that nothing is left running."""
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        return


def _listen(host: str, port: int, fd: int | None) -> socket.socket:
    """The listening socket. Raises `SystemExit` with a sentence when it is not a loopback one or taken."""
    if fd is not None:
        sock = socket.socket(fileno=fd)
    else:
        try:
            info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        except socket.gaierror as error:
            raise SystemExit(f"sandbox: {host} is no address of this machine: {error}") from None
        sock = socket.socket(info[0], socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not ipaddress.ip_address(info[4][0]).is_loopback:
            raise SystemExit(
                f"sandbox: {host} is not a loopback address; the sandbox serves this machine only"
            )
        try:
            sock.bind(info[4])
        except OSError as error:
            raise SystemExit(f"sandbox: cannot listen on {host}:{port}: {error.strerror}") from None
    if not ipaddress.ip_address(sock.getsockname()[0]).is_loopback:
        raise SystemExit("sandbox: the socket handed over is not a loopback one")
    sock.listen(1024)
    sock.setblocking(False)
    return sock


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM; the exit code."""
    parser = argparse.ArgumentParser(prog="truesend_sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--fd", type=int, help="a listening socket handed over by the parent")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clock-file", type=Path, help="default: clock in the data folder")
    parser.add_argument(
        "--tracking-url", help="address of the tracker, which acting may fetch besides loopback"
    )
    parser.add_argument("--stripe-webhook-url", help="where Stripe's events go, on this machine")
    given = parser.parse_args(arguments)
    _die_with_parent()
    sock = _listen(given.host, given.port, given.fd)
    try:
        serve(
            sock,
            data=given.data,
            clock_file=given.clock_file or given.data / "clock",
            tracking_url=given.tracking_url,
            stripe_webhook_url=given.stripe_webhook_url,
            announce=given.fd is None,
        )
    except StoreTaken as error:
        raise SystemExit(f"sandbox: {error}") from None
    return 0


if __name__ == "__main__":
    sys.exit(main())
