"""Hits without a pause while the tracker, its loader and PostgreSQL are killed, stopped, and the disk is full.

Every hit is of a delivery of its own, so that each can be looked for in the table afterwards. A client that loses its
connection makes another and goes on, as a browser does: what it sees meanwhile stands in the books.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg
import requests
from tests import up as ups
from tests.stack import until
from tests.up import Up

from truesend.runtime.keys import key_files
from truesend.tracking import losses, tokens

TARGET = b"https://shop.example/a?x=1"
CLIENTS = 48
PATIENCE = 30.0
"""Seconds a client waits for an answer before it counts as stalled."""

DISK_MB = 96
FULL = "disk full"


@dataclass
class Books:
    """What the storm came to. ``answered`` names the blow during which each hit was."""

    blows: Counter[str] = field(default_factory=Counter)
    answered: dict[UUID, str] = field(default_factory=dict)
    unanswered: set[UUID] = field(default_factory=set)
    wrong: list[bytes] = field(default_factory=list)
    refused: int = 0
    stalled: int = 0
    longest: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    double: int = 0
    lost: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        waits = ", ".join(f"{blow} {ms / 1000:.2f} s" for blow, ms in self.longest.items())
        return (
            f"{len(self.answered):,} hits answered in {self.seconds:.0f} s under {dict(self.blows)}; "
            f"{len(self.unanswered)} connections broke before an answer, {self.refused} refused, "
            f"{self.stalled} stalled, {len(self.wrong)} wrong answers; longest answer: {waits}; "
            f"{self.missing.total()} missing, {self.lost} told as lost on the full disk, {self.double} double"
        )

    def shortfalls(self) -> list[str]:
        """What does not balance; empty when every answered hit is counted once, or told as lost on a full disk."""
        short = []
        if self.wrong:
            short.append(f"{len(self.wrong)} answers were no redirect: {self.wrong[0]!r}")
        if self.refused or self.stalled:
            short.append(f"{self.refused} connections were refused, {self.stalled} got no answer")
        if before := {blow: count for blow, count in self.missing.items() if blow != FULL}:
            short.append(f"hits are missing: {before}")
        if self.missing[FULL] != self.lost:
            short.append(f"{self.missing[FULL]} hits are missing, {self.lost} were told as lost")
        if self.double:
            short.append(f"{self.double} hits are double")
        return short


class Clients:
    """Connections that ask without a pause, in a thread of their own."""

    def __init__(self, port: int, keys: tokens.Keys, books: Books) -> None:
        self._port, self._keys, self._books = port, keys, books
        self.blow = "calm"
        self._over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self) -> Clients:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()

    async def _all(self) -> None:
        await asyncio.gather(*(self._one() for _ in range(CLIENTS)))

    async def _one(self) -> None:
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not self._over:
            delivery = uuid4()
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    streams = streams or await asyncio.open_connection("127.0.0.1", self._port)
                    head = await self._ask(*streams, delivery)
            except ConnectionRefusedError:
                self._books.refused += 1
                await asyncio.sleep(0.05)
            except TimeoutError:
                self._books.stalled += 1
            except (OSError, asyncio.IncompleteReadError):
                self._books.unanswered.add(delivery)
            else:
                self._answered(delivery, head, time.monotonic() - began)
                continue
            if streams is not None:
                streams[1].close()
                streams = None
        if streams is not None:
            streams[1].close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delivery: UUID) -> bytes:
        token = tokens.sign_click(self._keys, delivery, 0, TARGET.decode())
        writer.write(f"GET /t/c/{token} HTTP/1.1\r\nHost: x\r\nUser-Agent: storm\r\n\r\n".encode())
        return await reader.readuntil(b"\r\n\r\n")

    def _answered(self, delivery: UUID, head: bytes, seconds: float) -> None:
        books = self._books
        if not (head.startswith(b"HTTP/1.1 302 ") and b"location: " + TARGET + b"\r\n" in head):
            books.wrong.append(head)
        books.answered[delivery] = self.blow
        books.longest[self.blow] = max(books.longest[self.blow], round(seconds * 1000))


def storm(data: Path, *, kills: int, hung: float, seed: int) -> Books:
    """``truesend up`` in a new folder under hits; ``kills`` of each part, PostgreSQL stopped for ``hung`` seconds."""
    dice, books, began = random.Random(seed), Books(), time.monotonic()
    tracking = data / "tracking"
    tracking.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
    data.chmod(tracking.stat().st_mode & 0o777)
    with _small_disk(tracking) as small, ups.running(data, sandbox=False) as up:
        keys = _keys(data)
        with Clients(up.port + 1, keys, books) as clients:
            until(lambda: len(books.answered), lambda count: count > 500, 20)
            for part in ("tracker", "loader", "postgres"):
                clients.blow = f"{part} killed"
                for _ in range(kills):
                    time.sleep(dice.uniform(0.2, 0.7))
                    _kill(up, part)
                    books.blows[clients.blow] += 1
                time.sleep(1)
            clients.blow = "PostgreSQL stopped"
            with _stopped(up):
                time.sleep(hung)
            books.blows[clients.blow] += 1
            _all_in_table(up, books)
            clients.blow = FULL
            with _full(up, tracking, small=small):
                until(lambda: losses.total(tracking / "losses"), bool, 60)
                time.sleep(1)
            until(partial(_keeps_again, up, books), bool, 30)
            books.blows[clients.blow] += 1
            clients.blow = "calm again"
            time.sleep(1)
        books.lost = losses.total(tracking / "losses")
        _balance(up, books)
    books.seconds = time.monotonic() - began
    return books


def _keys(data: Path) -> tokens.Keys:
    name, _, secret = Path(key_files(data, {})["TRUESEND_LINK_KEYS_FILE"]).read_text().strip().partition(":")
    return [(name, base64.b64decode(secret))]


def _kill(up: Up, part: str) -> None:
    """SIGKILL, and wait until another one is there; PostgreSQL with all of its processes, as a crash does."""
    pid = until(partial(up.pid, part), bool, 60)
    family = [psutil.Process(pid)]
    if part == "postgres":
        family += family[0].children(recursive=True)
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGKILL)
    until(partial(up.pid, part), lambda other: bool(other) and other != pid, 60)
    if part == "tracker":  # else the next blow would meet one that is not yet at work
        until(partial(_answers, up), bool, 60)


def _answers(up: Up) -> bool:
    try:
        return requests.get(f"{up.tracking_url}/healthz", timeout=30).status_code == 200
    except requests.RequestException:
        return False


@contextlib.contextmanager
def _stopped(up: Up) -> Iterator[None]:
    server = psutil.Process(until(partial(up.pid, "postgres"), bool, 60))
    family = [server, *server.children(recursive=True)]
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.suspend()
    try:
        yield
    finally:
        for one in reversed(family):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own for a folder, where we may make one: whether there is."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=711", "tmpfs", str(folder)]
    made = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def _full(up: Up, folder: Path, *, small: bool) -> Iterator[None]:
    """No room for hits: a file takes all that is free, again and again; else no file of the tracker may grow."""
    if not small:
        process = psutil.Process(until(partial(up.pid, "tracker"), bool, 60))
        before = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (64, before[1]))
        try:
            yield
        finally:
            process.rlimit(psutil.RLIMIT_FSIZE, before)
        return
    over = threading.Event()
    filler = folder / "filler"

    def fill() -> None:
        with filler.open("ab", buffering=0) as file:
            while not over.wait(0.01):
                with contextlib.suppress(OSError):
                    while file.write(bytes(1 << 20)):
                        pass

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        filler.unlink()


def _keeps_again(up: Up, books: Books) -> bool:
    """Whether a hit of just now reaches the table."""
    latest = next(reversed(books.answered))
    time.sleep(0.7)
    return latest in _counts(up, [latest])


def _all_in_table(up: Up, books: Books) -> None:
    """Wait until what was answered so far is there, or a while is over."""
    answered = list(books.answered)
    until(lambda: len(_counts(up, answered)), lambda found: found >= len(answered), 90)


def _balance(up: Up, books: Books) -> None:
    everything = [*books.answered, *books.unanswered]
    end = time.monotonic() + 60
    counts = _counts(up, everything)
    while len(books.answered.keys() - counts.keys()) > books.lost and time.monotonic() < end:
        time.sleep(0.5)
        counts = _counts(up, everything)
    books.missing = Counter(blow for delivery, blow in books.answered.items() if delivery not in counts)
    books.double = sum(count > 1 for count in counts.values())


def _counts(up: Up, deliveries: list[UUID]) -> dict[UUID, int]:
    """How often each delivery's hit is in the table, through a database that is away for a while."""
    url = (up.data / "run" / "database_url").read_text().strip()
    query = "SELECT delivery, sum(count) FROM tracking_hit WHERE delivery = ANY(%s) GROUP BY delivery"

    def ask() -> dict[UUID, int] | None:
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                return {one: int(count) for one, count in connection.execute(query, [deliveries])}
        except psycopg.OperationalError:
            return None

    found: Callable[[dict[UUID, int] | None], bool] = lambda rows: rows is not None  # noqa: E731
    return until(ask, found, 60) or {}
