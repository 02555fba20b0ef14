"""The blocklist's file: what it holds, and that nothing broken ever counts."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from truesend.blocklist.files import Blocklist, Damaged, Followed, packed, read, unpacked, write

OTHER = UUID(int=7)


def ids(*wanted: UUID) -> bytes:
    return b"".join(sorted(one.bytes for one in wanted))


def test_hosts_and_deliveries_are_found() -> None:
    mine = [uuid4() for _ in range(1000)]
    found = unpacked(packed(["evil.example", "bad.test"], ids(*mine)))
    assert all(found.blocks(one.bytes, b"https://good.example/") for one in mine)
    assert not any(found.has(uuid4().bytes) for _ in range(1000))
    assert found.blocks(OTHER.bytes, b"https://www.evil.example/x")
    assert not found.blocks(OTHER.bytes, b"https://notevil.example/")
    assert not found.blocks(OTHER.bytes, "https://\N{SNOWMAN}.example/".encode())


def test_every_cut_and_every_flipped_byte_is_seen() -> None:
    whole = packed(["evil.example"], ids(uuid4(), uuid4()))
    for end in range(len(whole)):
        with pytest.raises(Damaged):
            unpacked(whole[:end])
    for at in range(len(whole)):
        with pytest.raises(Damaged):
            unpacked(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
    with pytest.raises(Damaged):
        unpacked(whole + b"x")


def test_garbage_is_no_list() -> None:
    chance = random.Random(5)
    for size in (0, 1, 19, 20, 21, 4096):
        with pytest.raises(Damaged):
            unpacked(chance.randbytes(size))


def test_a_reader_sees_the_old_or_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "tracking" / "blocklist"
    write(path, packed(["one.example"], b""))
    first = read(path)
    write(path, packed(["two.example"], ids(OTHER)))
    assert first.blocks(OTHER.bytes, b"https://one.example/")
    assert read(path).has(OTHER.bytes)
    assert [one.name for one in path.parent.iterdir()] == ["blocklist"]


def test_following(tmp_path: Path) -> None:
    path = tmp_path / "blocklist"
    followed = Followed(path)

    def now() -> Blocklist | None:
        followed.look()
        return followed.current

    assert now() is None
    write(path, packed([], b""))
    assert now() is None  # an empty list costs what none costs
    write(path, packed(["evil.example"], b""))
    known = now()
    assert known is not None
    whole = packed(["other.example"], b"")
    path.write_bytes(whole[: len(whole) // 2])
    assert now() is known  # a torn one changes nothing
    path.write_bytes(b"")
    assert now() is known
    path.write_bytes(whole)
    assert now() is not known
    path.unlink()
    assert now() is None


def test_a_running_loop_follows_within_a_second(tmp_path: Path) -> None:
    async def run() -> float:
        followed = Followed(tmp_path / "blocklist")
        followed.start()
        loop = asyncio.get_running_loop()
        began = loop.time()
        write(tmp_path / "blocklist", packed(["evil.example"], b""))
        while followed.current is None:
            await asyncio.sleep(0.01)
        followed.stop()
        return loop.time() - began

    assert asyncio.run(asyncio.wait_for(run(), 5)) < 1
