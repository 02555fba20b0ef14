"""The writer: nobody is told that a hit is safe before it is, but for those whom a hanging disk would keep waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from truesend.tracking import writer
from truesend.tracking.losses import Losses
from truesend.tracking.segments import Segments
from truesend.tracking.writer import Writer


class Hanging(Segments):
    """A disk that takes a batch whenever it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.turns = threading.Semaphore(0)
        self.batches: list[list[bytes]] = []

    def append(self, batch: Sequence[bytes]) -> int:
        self.turns.acquire()
        self.batches.append(list(batch))
        return super().append(batch)


async def until(condition: object) -> None:
    """Wait a little for ``condition()``."""
    assert callable(condition)
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def run(folder: Path, scenario: object) -> None:
    async def all_of_it() -> None:
        disk = Hanging(folder)
        taking = Writer(disk, Losses(folder / "losses", disk.process))
        try:
            assert callable(scenario)
            await scenario(disk, taking)
        finally:
            disk.turns.release(100)
            await taking.close()

    asyncio.run(all_of_it())


def test_a_batch_gathers_while_another_is_written_and_starts_when_it_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GATHER", 60.0)
    monkeypatch.setattr(writer, "ENOUGH", 3)

    async def scenario(disk: Hanging, taking: Writer) -> None:
        first = [taking.append(b"%d" % number) for number in range(3)]
        second = [taking.append(b"%d" % number) for number in range(3, 8)]
        disk.turns.release()
        await asyncio.wait_for(asyncio.gather(*first), 5)
        assert not any(one.done() for one in second)
        disk.turns.release()
        await asyncio.wait_for(asyncio.gather(*second), 5)
        assert disk.batches == [[b"0", b"1", b"2"], [b"3", b"4", b"5", b"6", b"7"]]

    run(tmp_path, scenario)


def test_one_hit_alone_waits_no_longer_than_a_batch_gathers(tmp_path: Path) -> None:
    async def scenario(disk: Hanging, taking: Writer) -> None:
        disk.turns.release(2)
        for hit in (b"a", b"b"):
            await asyncio.wait_for(taking.append(hit), 5)
        assert disk.batches == [[b"a"], [b"b"]]

    run(tmp_path, scenario)


def test_a_hanging_disk_keeps_nobody_waiting_and_when_it_wakes_everybody_waits_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 0.1)
    monkeypatch.setattr(writer, "_LOOK", 0.02)

    async def scenario(disk: Hanging, taking: Writer) -> None:
        hanging = taking.append(b"a")
        await asyncio.sleep(0.02)
        behind = taking.append(b"b")
        await asyncio.wait_for(asyncio.gather(hanging, behind), 5)  # answered, not safe
        assert disk.batches == []
        assert taking.append(b"c").done()
        monkeypatch.setattr(writer, "PATIENCE", 60.0)
        disk.turns.release()
        await until(lambda: disk.batches == [[b"a"]] and taking.waiting == 0)
        later = taking.append(b"d")
        await asyncio.sleep(0.05)
        assert not later.done()
        disk.turns.release(2)
        await asyncio.wait_for(later, 5)
        assert disk.batches == [[b"a"], [b"b", b"c"], [b"d"]]

    run(tmp_path, scenario)
