"""The kill matrix: a worker or PostgreSQL is killed or stopped while forty sends stand at one point of their way.

One installation for all cells. In each, twenty mailboxes that may only send and twenty that are read as well get one
email each; when all forty sends stand at the point, the blow falls. Then the installation heals by itself; time is
moved on by the sandbox's clock, and the harness acts as the person where a person is asked. The books say what
became of every email.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import up
from tests.stack import Stack, until
from tests.storms import blows, ground
from tests.storms.blows import ACTS
from tests.storms.ground import ENDED, Mailbox, Posted, Row, Rows

POINTS = (
    "before_started",
    "started",
    "connecting",
    "sent",
    "answered",
    "before_commit",
    "after_commit",
)
# Here the statement is with PostgreSQL and not committed; elsewhere PostgreSQL has nothing to do.
IN_FLIGHT = frozenset({"before_started", "before_commit"})
MAILBOXES = 20
LATE = 90.0
SCOPES = {False: "send-only", True: "reading"}
# Bytes may leave for so long after an attempt began, on real time.
_FENCE = 10.0
_PATIENCE = 100.0
_STEP, _UNDO = 30, 60
INJECT = Path(__file__).with_name("inject")


@dataclass(frozen=True)
class Cell:
    """Where the sends stand, what happens, and whether the provider's lists are late."""

    point: str
    act: str
    late: bool

    def __str__(self) -> str:
        return f"{self.act} at {self.point}" + (", lists late" if self.late else "")


def cells(seed: int) -> list[Cell]:
    """All of them, in the order of the seed, those with late lists last."""
    dice = random.Random(seed)
    made = []
    for late in (False, True):
        some = [Cell(point, act, late) for point in POINTS for act in ACTS]
        dice.shuffle(some)
        made += some
    return made


@dataclass
class Count:
    """What became of one scope's emails in a cell."""

    accepted: int = 0
    once: int = 0
    # Unknown for a while, by who told the truth then: the Sent folder, a person, the worker itself.
    told_by: Counter[str] = field(default_factory=Counter)
    # Why tries did not end as accepted.
    causes: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    lost: int = 0
    open: int = 0


@dataclass
class Books:
    """A cell's."""

    cell: Cell
    mailboxes: int
    stood: int
    scopes: dict[str, Count]
    trouble: list[str]
    seconds: float

    def shortfalls(self) -> list[str]:
        """What does not balance; empty when every email arrived exactly once and everybody knows it."""
        short = list(self.trouble)
        if self.stood != 2 * self.mailboxes:
            short.append(f"only {self.stood} sends stood there")
        for scope, count in self.scopes.items():
            for name in ("twice", "lost", "open"):
                if number := getattr(count, name):
                    short.append(f"{number} {scope} {name}")
            if not short and count.once != self.mailboxes:
                short.append(f"{count.once} {scope} arrived once")
        return [f"{self.cell}: {one}" for one in short]

    def plain(self) -> dict[str, Any]:
        """For a JSON file. (``asdict`` takes a Counter's pairs for things to count.)"""
        scopes = {
            name: {**vars(count), "told_by": dict(count.told_by), "causes": dict(count.causes)}
            for name, count in self.scopes.items()
        }
        return {**vars(self), "cell": vars(self.cell), "scopes": scopes}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Books:
        """Back from :meth:`plain`."""
        scopes = {
            name: Count(**{**count, "told_by": Counter(count["told_by"]), "causes": Counter(count["causes"])})
            for name, count in plain["scopes"].items()
        }
        return cls(**{**plain, "cell": Cell(**plain["cell"]), "scopes": scopes})

    def __str__(self) -> str:
        told = {
            scope: f"{count.once} once"
            + "".join(f", {number} told by {who}" for who, number in sorted(count.told_by.items()))
            + "".join(f", {number} {cause}" for cause, number in sorted(count.causes.items()))
            for scope, count in self.scopes.items()
        }
        words = "; ".join(f"{scope}: {one}" for scope, one in told.items())
        short = self.shortfalls()
        return f"{self.cell}: {words} ({self.seconds:.0f} s)" + (f" SHORT: {short}" if short else "")


class Matrix:
    """A running installation with so many mailboxes of each scope, for any number of cells."""

    def __init__(self, stack: Stack, orders: Path, mailboxes: int = MAILBOXES) -> None:
        self._stack, self._orders = stack, orders
        self._rows = Rows(stack)
        self._runs = 0
        self._each = mailboxes
        self.mailboxes: list[Mailbox] = [
            one for reads in SCOPES for one in ground.mailboxes(stack, mailboxes, reads=reads, each=10)
        ]

    def run(self, cell: Cell) -> Books:
        """One cell, from forty posted emails to balanced books."""
        began = time.monotonic()
        self._runs += 1
        name = f"cell{self._runs}-{int(cell.late)}"
        delay = LATE if cell.late else None
        self._stack.sandbox.switch(sent_listing_delay=delay, history_delay=delay)
        ground.wait_for_work(self._stack, self._rows)
        to, trouble = f"{name}@globex.example", list[str]()
        wanted = ((one, f"{name}-{n}", to) for n, one in enumerate(self.mailboxes))
        posted = ground.post_all(wanted, undo=_UNDO)
        itself = cell.act in blows.SIGNALS and cell.point not in IN_FLIGHT
        act = blows.SIGNALS[cell.act].name if itself else "tell"
        order = {"cell": name, "point": cell.point, "count": len(self.mailboxes), "act": act}
        _write(self._orders / "order.json", json.dumps(order))
        helper = self._second_worker() if cell.act == "worker stopped for long" else None
        try:
            self._stack.sandbox.advance(_UNDO)  # all are due in this instant
            fired = json.loads(until(lambda: _read(self._orders / f"fired-{name}"), bool, 40))
            worker, stood = int(fired["pid"]), int(fired["stood"])
            struck = time.monotonic()
            healing = _Healing(self._stack, self._rows, posted, to, struck, helper)
            if cell.point in IN_FLIGHT:
                with blows.held_back(self._rows.url()) as held:
                    _write(self._orders / f"go-{name}", "go")
                    stood = held.waiting(stood)
                    self._strike(cell, worker, healing, before=lambda: None, then=held.let_go)
            else:
                go = self._orders / f"go-{name}"
                self._strike(cell, worker, healing, before=lambda: _write(go, "go"), then=lambda: None)
            healing.go()
            healing.dismiss()
        finally:
            if helper is not None and helper.poll() is None:
                helper.kill()
                helper.wait()
            (self._orders / "order.json").unlink(missing_ok=True)
        trouble += healing.trouble
        trouble += [
            f"{number} answers of a person were refused: {words}" for words, number in healing.refused.items()
        ]
        scopes = {SCOPES[reads]: self._count(posted, to, reads) for reads in SCOPES}
        return Books(cell, self._each, stood, scopes, trouble, time.monotonic() - began)

    def twice(self) -> int:
        """Marks that have arrived more than once by now, in all cells: a last look."""
        found = self._stack.sandbox.messages()
        return sum(one["count"] > 1 for one in found if one["delivery"])

    def _strike(
        self,
        cell: Cell,
        worker: int,
        healing: _Healing,
        *,
        before: Callable[[], None],
        then: Callable[[], None],
    ) -> None:
        """Do what the cell says, to its end: whatever was stopped goes on again.

        ``before`` lets those who wait at the point go on, right after the blow at PostgreSQL; ``then`` lets what
        waits in PostgreSQL go on, after a blow at the worker.
        """
        if cell.act == "worker killed":
            blows.kill([worker])
            then()
        elif cell.act == "worker stopped":
            with blows.stopped([worker]):
                then()
                time.sleep(2.0)
        elif cell.act == "worker stopped for long":
            with blows.stopped([worker]), self._slowly():
                then()
                healing.help_comes()
                healing.go(until=healing.is_sent_again)
        elif cell.act == "postgres killed":
            blows.kill(blows.postgres(self._stack))
            before()
        elif cell.act == "postgres stopped":
            with blows.stopped(blows.postgres(self._stack)):
                before()
                time.sleep(_FENCE + 2)
            then()

    def _second_worker(self) -> subprocess.Popen[bytes]:
        """Another worker on the same database, at work and then stopped, so that it takes none of the sends."""
        given = json.loads((self._stack.up.data / "run" / "settings.json").read_text(encoding="utf-8"))
        settings = {**given, "TRUESEND_WORKER_CONCURRENCY": "12"}
        log = self._stack.up.data / "log" / "worker-2.log"
        with log.open("ab") as opened:
            process = subprocess.Popen(
                up.command("worker"), env=up.environment(settings), stdout=opened, stderr=opened, cwd="/"
            )
        try:
            until(lambda: self._rows.beats(process.pid), bool, 60)
        except AssertionError:
            process.kill()
            process.wait()
            raise
        process.send_signal(signal.SIGSTOP)
        return process

    @contextlib.contextmanager
    def _slowly(self) -> Iterator[None]:
        """A provider so slow that a send can be met on its way."""
        fault = self._stack.sandbox.fault("send", "slow", ms=2000, when="after")
        try:
            yield
        finally:
            self._stack.sandbox.control("DELETE", f"faults/{fault}")

    def _count(self, posted: list[Posted], to: str, reads: bool) -> Count:
        some = [one for one in posted if one.mailbox.reads == reads]
        rows = self._rows.of(one.delivery for one in some)
        arrived = ground.arrivals(self._stack, to)
        count = Count()
        for one in some:
            row, times = rows[one.delivery], arrived.get(one.delivery, 0)
            count.accepted += row.status == "accepted"
            count.once += row.status == "accepted" and times == 1
            count.twice += times > 1
            count.lost += row.status in ENDED and times == 0
            count.open += row.status not in ENDED
            count.told_by.update(set(filter(None, row.settled_by.split(","))))
            count.causes.update(row.causes)
        return count


class _Healing:
    """Lets an installation repair itself, moves the time, and answers where a person is asked."""

    def __init__(
        self,
        stack: Stack,
        rows: Rows,
        posted: list[Posted],
        to: str,
        struck: float,
        helper: subprocess.Popen[bytes] | None,
    ) -> None:
        self._stack, self._rows, self._posted, self._to = stack, rows, posted, to
        self._struck = struck
        self.trouble: list[str] = []
        self.refused: Counter[str] = Counter()
        self._helper = helper

    def go(self, until: Callable[[dict[str, Row]], bool] | None = None) -> None:
        """Until every delivery has ended, or ``until`` says so."""
        end = time.monotonic() + _PATIENCE
        while True:
            rows = self._rows.of(one.delivery for one in self._posted)
            if until is not None and until(rows):
                return
            left = [one for one in self._posted if rows[one.delivery].status not in ENDED]
            if not left and self._rows.open_attempts() == 0:
                break
            if time.monotonic() > end:
                self.trouble.append(f"not healed within {_PATIENCE:.0f} s")
                break
            if left:
                self._move_on(left, rows)
            time.sleep(0.3)

    def is_sent_again(self, rows: dict[str, Row]) -> bool:
        """Second tries are under way, or there is nothing to try; at the latest a while after the fence."""
        again = sum(row.status == "sending" and row.attempts > 1 for row in rows.values())
        return again > 0 or time.monotonic() > self._struck + _FENCE + 45

    def _move_on(self, left: list[Posted], rows: dict[str, Row]) -> None:
        """Answer what may be answered; where nothing moves by itself, move the clock."""
        now = self._now()
        asked = [
            one
            for one in left
            if not one.mailbox.reads
            and rows[one.delivery].status == "unknown"
            and _passed(rows[one.delivery].ask_from, now)
            and _passed(rows[one.delivery].over_at, time.time())
        ]
        if asked:
            arrived = ground.arrivals(self._stack, self._to)
            for one in asked:
                words = ground.answer_for(self._stack, one, arrived.get(one.delivery, 0))
                # A worker that goes on again may tell first.
                if words not in {"sent", "not_sent"} and "not_unknown" not in words:
                    self.refused[words] += 1
            return
        moving = any(
            row.status == "sending" or (row.status == "queued" and _passed(row.due_at, now))
            for row in (rows[one.delivery] for one in left)
        )
        if not moving:
            # In steps, so that Sent is looked at while its lists are still late.
            self._stack.sandbox.advance(_STEP)
            time.sleep(1.0)

    def _now(self) -> float:
        clock: float = struct.unpack("<d", (self._stack.up.data / "run" / "clock").read_bytes())[0]
        return time.time() + clock

    def help_comes(self) -> None:
        """The second worker goes to work."""
        if self._helper is not None:
            self._helper.send_signal(signal.SIGCONT)

    def dismiss(self) -> None:
        """It goes in good order."""
        if self._helper is None:
            return
        self._helper.terminate()
        try:
            if code := self._helper.wait(15):
                self.trouble.append(f"the second worker ended with {code}")
        except subprocess.TimeoutExpired:
            self.trouble.append("the second worker did not end within 15 s of SIGTERM")


def _passed(moment: Any, now: float) -> bool:
    return moment is not None and moment.timestamp() <= now


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
    """For an installation whose worker takes orders: forty sends at once, and a way in from outside."""
    orders.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, [str(INJECT), os.environ.get("PYTHONPATH", "")]))
    return {
        "PYTHONPATH": path,
        "STORM_ORDERS": str(orders),
        "TRUESEND_WORKER_CONCURRENCY": str(2 * MAILBOXES + 1),
        "TRUESEND_WEB_THREADS": "8",
        "TRUESEND_HTTP_TIMEOUT": "10",
    }
