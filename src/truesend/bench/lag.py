"""How long after its answer a hit is in the table, while the tracker is under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from uuid import UUID, uuid4

import psycopg

from truesend.bench.rows import BenchError

_PATIENCE = 20.0
_BETWEEN = 0.1


def milliseconds(
    url: str, port: int, path_of: Callable[[UUID], str], press: Callable[[], object]
) -> list[float]:
    """Hits of our own in turn while ``press()`` runs in another thread: the milliseconds of each."""
    over = threading.Event()
    failed: list[BaseException] = []

    def load() -> None:
        try:
            press()
        except BaseException as error:
            failed.append(error)
        finally:
            over.set()

    thread = threading.Thread(target=load)
    thread.start()
    found = []
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            time.sleep(_BETWEEN)
            while not over.is_set():
                found.append(_one(connection, port, path_of))
                time.sleep(_BETWEEN)
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return found


def _one(
    connection: psycopg.Connection[tuple[object, ...]], port: int, path_of: Callable[[UUID], str]
) -> float:
    delivery = uuid4()
    http = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        http.request("GET", path_of(delivery))
        http.getresponse().read()
    finally:
        http.close()
    began = time.monotonic()
    query = "SELECT 1 FROM tracking_hit WHERE delivery = %s"
    while connection.execute(query, [delivery]).fetchone() is None:
        if time.monotonic() - began > _PATIENCE:
            raise BenchError(f"A hit was not in the table after {_PATIENCE:.0f} s.")
        time.sleep(0.01)
    return (time.monotonic() - began) * 1000
