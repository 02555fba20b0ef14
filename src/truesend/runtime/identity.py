"""Which worker this is, and whether it is on its way out."""

from __future__ import annotations

import os
import socket
import threading
import time

_stopping = threading.Event()
_born = time.time_ns()  # part of the name only: a pid comes back, a birth does not
_host = socket.gethostname()[:40]


def worker_name() -> str:
    """A name no other worker ever had."""
    return f"{_host}:{os.getpid()}:{_born // 1_000_000}"


def stop() -> None:
    """Begin no new delivery."""
    _stopping.set()


def is_stopping() -> bool:
    """Whether the worker is to end."""
    return _stopping.is_set()


def wait(seconds: float) -> bool:
    """Sleep unless the worker is to end; True when it is."""
    return _stopping.wait(seconds)
