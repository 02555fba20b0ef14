"""The kill matrix: a worker or PostgreSQL is killed or stopped while forty sends stand at one point of their way.

One installation for all cells, with the mailboxes of every provider, each with every choice of permissions it has. In a
cell each mailbox whose sends come by the point gets one email; when all stand there, the blow falls. Then the
installation heals by itself; time is moved on by the sandbox's clock, and the harness acts as the person where a person
is asked. The books say what became of every email.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import up
from tests.stack import Stack, until
from tests.storms import blows, ground, groups, leftovers
from tests.storms.ground import ENDED, Mailbox, Posted, Rows
from tests.storms.groups import Group
from tests.storms.healing import FENCE, Healing
from tests.storms.matrix_books import IN_FLIGHT, Books, Cell, Count

# Of each group: 40 in all.
MAILBOXES = 8
LATE = 90.0
# Switches of the sandbox by which what was sent shows late.
_LATE_BY = {
    "google": ("sent_listing_delay", "history_delay"),
    "microsoft": ("listing_delay", "transit_seconds"),
    "keap": ("history_delay",),
}
_UNDO = 60
INJECT = Path(__file__).with_name("inject")


class Matrix:
    """A running installation with so many mailboxes of each group, for any number of cells."""

    def __init__(self, stack: Stack, orders: Path, mailboxes: int = MAILBOXES) -> None:
        self._stack, self._orders = stack, orders
        self._rows = Rows(stack)
        self._runs = 0
        self._each = mailboxes
        self.mailboxes: dict[Group, list[Mailbox]] = {
            group: ground.mailboxes(stack, group, mailboxes, each=10) for group in groups.every()
        }

    def run(self, cell: Cell) -> Books:
        """One cell, from posted emails to balanced books."""
        began = time.monotonic()
        self._runs += 1
        name = f"cell{self._runs}-{int(cell.late)}"
        self._show_late(LATE if cell.late else None)
        ground.wait_for_work(self._stack, self._rows)
        to, trouble = f"{name}@globex.example", list[str]()
        mailboxes = [one for group in cell.groups() for one in self.mailboxes[group]]
        wanted = ((one, f"{name}-{n}", to) for n, one in enumerate(mailboxes))
        posted = ground.post_all(wanted, undo=_UNDO)
        itself = cell.act in blows.SIGNALS and cell.point not in IN_FLIGHT
        act = blows.SIGNALS[cell.act].name if itself else "tell"
        order = {"cell": name, "point": cell.point, "count": len(mailboxes), "act": act}
        _write(self._orders / "order.json", json.dumps(order))
        helper = self._second_worker() if cell.act == "worker stopped for long" else None
        try:
            self._stack.sandbox.advance(_UNDO)  # all are due in this instant
            fired = json.loads(until(lambda: _read(self._orders / f"fired-{name}"), bool, 40))
            worker, stood = int(fired["pid"]), int(fired["stood"])
            struck = time.monotonic()
            healing = Healing(self._stack, self._rows, posted, to, struck, helper)
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
        counts = {str(group): self._count(posted, to, group) for group in cell.groups()}
        return Books(cell, self._each, stood, counts, trouble, time.monotonic() - began)

    def _show_late(self, seconds: float | None) -> None:
        for provider in {group.provider for group in self.mailboxes}:
            self._stack.sandbox.switch(provider, **dict.fromkeys(_LATE_BY[provider], seconds))

    def twice(self) -> int:
        """Marks that have arrived more than once by now, in all cells: a last look."""
        found = self._stack.sandbox.messages()
        return sum(one["count"] > 1 for one in found if one["delivery"])

    def left_behind(self) -> list[str]:
        """Subjects of drafts that still lie in mailboxes, once there was time to clear them away."""
        self._show_late(None)
        ground.wait_for_work(self._stack, self._rows)
        leftovers.wait_until_cleared(self._stack, self._rows)
        everybody = [one for some in self.mailboxes.values() for one in some]
        return sorted(leftovers.of(self._stack.sandbox, everybody))

    def _strike(
        self,
        cell: Cell,
        worker: int,
        healing: Healing,
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
                time.sleep(FENCE + 2)
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
        """Providers so slow that a send can be met on its way."""
        providers = {group.provider for group in self.mailboxes}
        faults = [self._stack.sandbox.fault("send", "slow", one, ms=2000, when="after") for one in providers]
        try:
            yield
        finally:
            for fault in faults:
                self._stack.sandbox.control("DELETE", f"faults/{fault}")

    def _count(self, posted: list[Posted], to: str, group: Group) -> Count:
        some = [one for one in posted if one.mailbox.group == group]
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
            told_by = set(filter(None, row.settled_by.split(",")))
            count.told_by.update(told_by)
            count.asked += group.told and "person" in told_by
            count.causes.update(row.causes)
        return count


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
        "TRUESEND_WORKER_CONCURRENCY": str(len(groups.every()) * MAILBOXES + 1),
        "TRUESEND_WEB_THREADS": "8",
        "TRUESEND_HTTP_TIMEOUT": "10",
    }
