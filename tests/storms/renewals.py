"""The kill matrix of renewals: at each step of one, at every provider, a process or PostgreSQL dies, or a disk is full.

One installation for all cells. In each, some connections of every provider are due at once; when all their renewals
stand at the point, the blow falls. Then the installation heals by itself. The books say which connections still have a
key that works, and of the others whether they say why.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack import Person, Stack, until
from tests.storms import blows, ground
from tests.storms.ground import Rows
from tests.storms.matrix import INJECT

PROVIDERS = ("google", "microsoft", "keap")
# Whose refresh token works once: an answer that nobody could write down is the end of a grant.
ONCE = "keap"
EACH = 4
_PATIENCE = 100.0
_STOPPED = 8.0


@dataclass(frozen=True)
class Cell:
    """Where the renewals stand, what happens there, whether the disk is full, and whether a used token goes on."""

    point: str
    act: str
    full: bool = False
    grace: bool = False

    def __str__(self) -> str:
        return (
            f"{self.act} at {self.point}"
            + (", disk full" if self.full else "")
            + (", with a grace for used tokens" if self.grace else "")
        )

    @property
    def loses(self) -> bool:
        """Whether the provider whose tokens work once leaves nothing to keep: it has answered, and nobody has it."""
        unheard = self.point in {"renewal_sent", "renewal_answered"} or (
            self.point == "rescued" and self.full
        )
        return unheard and self.act == "worker killed" and not self.grace

    @property
    def stands(self) -> tuple[str, ...]:
        """The providers whose renewals come to the point."""
        return (ONCE,) if self.point == "rescued" else PROVIDERS


CELLS = (
    *(
        Cell(point, "worker killed")
        for point in ("before_call", "renewal_sent", "renewal_answered", "rescued", "stored")
    ),
    *(Cell(point, "worker killed", grace=True) for point in ("renewal_sent", "renewal_answered")),
    *(Cell(point, "postgres killed") for point in ("before_call", "renewal_answered", "rescued")),
    *(Cell(point, "postgres stopped") for point in ("renewal_answered", "rescued")),
    Cell("renewal_answered", "nothing", full=True),
    Cell("renewal_answered", "postgres killed", full=True),
    Cell("renewal_answered", "postgres stopped", full=True),
    Cell("rescued", "worker killed", full=True),
)


def cells(seed: int) -> list[Cell]:
    """All of them, in the order of the seed."""
    return random.Random(seed).sample(CELLS, len(CELLS))


@dataclass
class Books:
    """A cell's: connections by provider that live, that say what they died of, and whatever is wrong."""

    cell: Cell
    each: int
    stood: int
    live: Counter[str]
    said: Counter[str]
    calls: Counter[str]
    trouble: list[str]
    seconds: float

    def shortfalls(self) -> list[str]:
        """What does not balance; empty when nothing is lost that could be kept, and what is lost says why."""
        short = list(self.trouble)
        wanted = self.each * len(self.cell.stands)
        # What is stored is due no more, so that nobody comes to the help of threads that stand there.
        if self.stood < (1 if self.cell.point == "stored" else wanted):
            short.append(f"only {self.stood} renewals stood there")
        for provider in PROVIDERS:
            # On a busy machine a blow comes so late that the renewal it was meant for is stored: nothing is lost.
            lost = self.each if provider == ONCE and self.cell.loses else 0
            if self.live[provider] < self.each - lost:
                short.append(f"{self.live[provider]} of {provider} live, {self.each - lost} could")
            if self.live[provider] + self.said[provider] != self.each:
                gone = self.each - self.live[provider]
                short.append(f"{self.said[provider]} of {provider} say that a renewal was lost, {gone} were")
        return [f"{self.cell}: {one}" for one in short]

    def plain(self) -> dict[str, Any]:
        """For a JSON file."""
        counts = {name: dict(getattr(self, name)) for name in ("live", "said", "calls")}
        return {**vars(self), "cell": vars(self.cell), **counts}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Books:
        """Back from :meth:`plain`."""
        counts = {name: Counter(plain[name]) for name in ("live", "said", "calls")}
        return cls(**{**plain, "cell": Cell(**plain["cell"]), **counts})

    def __str__(self) -> str:
        live = ", ".join(f"{self.live[one]} of {one}" for one in PROVIDERS)
        said = f"; {self.said.total()} lost, and they say so" if self.said else ""
        short = self.shortfalls()
        return f"{self.cell}: {live} live{said} ({self.seconds:.0f} s)" + (
            f" SHORT: {short}" if short else ""
        )


@dataclass(frozen=True)
class _Connected:
    person: Person
    id: str
    address: str
    provider: str


class Matrix:
    """A running installation with so many connections of each provider, for any number of cells."""

    def __init__(self, stack: Stack, orders: Path, each: int = EACH) -> None:
        self._stack, self._orders, self._each = stack, orders, each
        self._rows = Rows(stack)
        self._runs = 0
        self._person = stack.person()
        self._all = [
            self._connect(f"{provider}{number}.{self._person.email}", provider)
            for provider in PROVIDERS
            for number in range(each)
        ]

    def _connect(self, address: str, provider: str) -> _Connected:
        found = self._person.connect(address, provider=provider)
        assert found["address"] == address
        return _Connected(self._person, found["id"], address, provider)

    def run(self, cell: Cell) -> Books:
        """One cell, from connections that are due to those that live."""
        began = time.monotonic()
        self._runs += 1
        name = f"cell{self._runs}"
        ground.wait_for_work(self._stack, self._rows)
        self._stack.sandbox.switch("keap", refresh_grace=3600.0 if cell.grace else 0.0)
        self._still()
        before = {row[0]: row[1] for row in self._tokens()}
        calls = self._calls()
        count = self._each * len(cell.stands)
        act = "SIGKILL" if cell.act == "worker killed" else "tell"
        order = {"cell": name, "point": cell.point, "count": count, "act": act}
        with self._full() if cell.full else contextlib.nullcontext():
            _write(self._orders / "order.json", json.dumps(order))
            try:
                self._make_due()
                fired = json.loads(until(lambda: _read(self._orders / f"fired-{name}"), bool, 60))
                self._strike(cell, self._orders / f"go-{name}")
                trouble = self._heal(before)
            finally:
                (self._orders / "order.json").unlink(missing_ok=True)
        made = self._calls()
        made.subtract(calls)
        live, said, odd = self._judge()
        self._reconnect()
        return Books(
            cell, self._each, int(fired["stood"]), live, said, made, trouble + odd, time.monotonic() - began
        )

    def _strike(self, cell: Cell, go: Path) -> None:
        if cell.act == "postgres killed":
            blows.kill(blows.postgres(self._stack))
            _write(go, "go")
        elif cell.act == "postgres stopped":
            with blows.stopped(blows.postgres(self._stack)):
                _write(go, "go")
                time.sleep(_STOPPED)
        else:
            _write(go, "go")

    def _still(self) -> None:
        """No probe gets in the way: some providers' probes are renewals."""
        until(
            lambda: self._ask("SELECT count(*) FROM connections_token WHERE probe_due_at < now()"), _none, 60
        )
        self._ask("UPDATE connections_token SET probe_due_at = now() + interval '300 days' RETURNING 1")

    def _make_due(self) -> None:
        self._ask("UPDATE connections_token SET due_at = '2020-01-01' WHERE dead_at IS NULL RETURNING 1")

    def _tokens(self) -> list[tuple[Any, ...]]:
        """(connection, version, dead, whether its renewal may be answered still, whether one is due)."""
        return self._ask(
            "SELECT connection_id::text, version, dead_at IS NOT NULL, begun_at IS NOT NULL FROM connections_token"
        )

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._rows.ask(query)

    def _calls(self) -> Counter[str]:
        """Calls of the token endpoints with a refresh token, by provider."""
        seen = self._stack.sandbox
        return Counter({one: len(seen.calls(provider=one, operation="token.refresh")) for one in PROVIDERS})

    def _heal(self, before: dict[str, int]) -> list[str]:
        """Until every one has a new key or is dead; the clock is moved where nothing moves by itself."""
        end = time.monotonic() + _PATIENCE
        while True:
            left = [
                connection
                for connection, version, dead, begun in self._tokens()
                if not dead and (version == before[connection] or begun)
            ]
            if not left:
                return []
            if time.monotonic() > end:
                return [f"{len(left)} not healed within {_PATIENCE:.0f} s"]
            self._stack.sandbox.advance(30)
            time.sleep(1.0)

    def _judge(self) -> tuple[Counter[str], Counter[str], list[str]]:
        """Asked one by one: which of them work at their provider, and which say that a renewal was lost."""
        live, said, odd = Counter[str](), Counter[str](), list[str]()
        for one in self._all:
            shown = one.person.api("POST", f"connections/{one.id}/verify").json()
            proof = next(part["proof"] for part in shown["capabilities"] if part["name"] == "send")
            if shown["verdict"] in {"working", "unproven"}:
                live[one.provider] += 1
            elif shown["cause"] == "renewal_lost" and "The renewal of " in proof["words"]:
                said[one.provider] += 1
            else:
                odd.append(f"{one.provider}: {shown['verdict']}, {shown['cause']}: {shown['sentence']}")
        return live, said, odd

    def _reconnect(self) -> None:
        dead = {row[0] for row in self._tokens() if row[2]}
        for one in self._all:
            if one.id in dead:
                assert self._connect(one.address, one.provider).id == one.id

    @contextlib.contextmanager
    def _full(self) -> Iterator[None]:
        """No room for answers: a disk of its own that is full; where none may be mounted, no folder at all."""
        folder = self._stack.up.data / "rescue"
        folder.mkdir(mode=0o700, exist_ok=True)
        # One inode, which is the folder's: no file can be made.
        command = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=1,mode=700", "tmpfs", str(folder)]
        if os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            try:
                yield
            finally:
                subprocess.run(["umount", "--lazy", str(folder)], check=True)
            return
        folder.rmdir()
        folder.write_text("no folder")
        try:
            yield
        finally:
            folder.unlink()


def _none(rows: list[tuple[Any, ...]]) -> bool:
    return bool(rows[0][0] == 0)


def _write(path: Path, text: str) -> None:
    written = path.with_suffix(".new")
    written.write_text(text, encoding="ascii")
    written.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def settings(orders: Path) -> dict[str, str]:
    """For an installation whose worker takes orders, and whose calls end soon."""
    orders.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, [str(INJECT), os.environ.get("PYTHONPATH", "")]))
    return {
        "PYTHONPATH": path,
        "STORM_ORDERS": str(orders),
        "TRUESEND_WORKER_CONCURRENCY": "8",
        "TRUESEND_WEB_THREADS": "8",
        "TRUESEND_HTTP_TIMEOUT": "10",
    }
