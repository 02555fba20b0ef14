"""Segments: safe once appended, never written again after a failure, never taken while they grow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from truesend.tracking import losses, segments
from truesend.tracking.segments import Segments


def test_what_was_appended_stands_in_a_growing_segment(tmp_path: Path) -> None:
    ours = Segments(tmp_path)
    assert ours.append([b"one", b"two"]) == 2
    (name,) = segments.listing(tmp_path)
    assert name == ours.active
    assert (tmp_path / name).read_bytes().rstrip(b"\0") == b"onetwo"
    assert segments.is_growing(tmp_path / name)
    ours.close()
    assert (tmp_path / name).read_bytes() == b"onetwo"
    assert not segments.is_growing(tmp_path / name)


def test_a_segment_is_closed_by_size_and_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MAX_BYTES", 10)
    ours = Segments(tmp_path)
    growing = []
    ours.append([b"x" * 10])
    growing.append(ours.active is not None)
    ours.append([b"y"])
    ours.close_if_old()
    growing.append(ours.active is not None)
    monkeypatch.setattr(segments, "MAX_AGE", 0.0)
    ours.close_if_old()
    growing.append(ours.active is not None)
    assert growing == [False, True, False]
    assert len(segments.listing(tmp_path)) == 2


def test_a_full_disk_keeps_what_fits_and_goes_on_in_a_new_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file system needs root: so the write itself falls short, as on a full disk."""
    ours = Segments(tmp_path)
    ours.append([b"aaaa"])
    real, room = os.pwrite, [6]

    def short(fd: int, data: bytes, offset: int) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        written = real(fd, bytes(data)[: room[0]], offset)
        room[0] -= written
        return written

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", short)
        assert ours.append([b"bbbb", b"cccc", b"dddd"]) == 1
        assert ours.append([b"eeee"]) == 0
        assert ours.append([b"ffff"]) == 0
    assert ours.append([b"gggg"]) == 1
    first, second = (tmp_path / name for name in segments.listing(tmp_path))
    assert first.read_bytes() == b"aaaabbbb"
    assert second.read_bytes().rstrip(b"\0") == b"gggg"


def test_where_the_zeros_end_records_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "AHEAD", (10, 40))
    ours = Segments(tmp_path)
    sizes = []
    for number in range(20):
        assert ours.append([b"%05d" % number]) == 1
        sizes.append((tmp_path / segments.listing(tmp_path)[0]).stat().st_size)
    assert sizes[:4] == [15, 15, 15, 40]
    assert len(set(sizes)) == 4
    ours.close()
    (path,) = tmp_path.glob("*.log")
    assert path.read_bytes() == b"".join(b"%05d" % number for number in range(20))


def test_what_a_failed_sync_threw_away_is_not_taken_for_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel tells of a failed write-back once; the next sync succeeds, and the data is gone."""
    ours = Segments(tmp_path)
    ours.append([b"safe"])
    real, failures = os.fdatasync, [OSError(5, "Input/output error")]

    def once(fd: int) -> None:
        if failures:
            raise failures.pop()
        real(fd)

    monkeypatch.setattr(os, "fdatasync", once)
    assert ours.append([b"lost"]) == 0
    assert ours.append([b"next"]) == 1
    first, second = (tmp_path / name for name in segments.listing(tmp_path))
    assert first.read_bytes() == b"safe"
    assert second.read_bytes().rstrip(b"\0") == b"next"


def test_a_folder_keeps_its_name(tmp_path: Path) -> None:
    assert segments.folder_id(tmp_path) == segments.folder_id(tmp_path)
    assert segments.listing(tmp_path) == []


def test_losses_are_summed_over_processes_and_leave_no_file_when_there_are_none(tmp_path: Path) -> None:
    one, two = losses.Losses(tmp_path, "one"), losses.Losses(tmp_path, "two")
    failing = []
    for number in (3, 0, 4):
        one.add(number)
        failing.append(one.failing)
    assert failing == [True, False, True]
    assert losses.total(tmp_path) == 7
    one.close()
    two.close()
    assert [path.name for path in tmp_path.iterdir()] == ["one.lost"]
