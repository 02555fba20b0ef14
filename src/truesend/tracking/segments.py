"""Append-only segment files: where a hit is safe before it is answered.

Each process writes segments of its own, ``<process>-<number>.log``, and holds an exclusive ``flock`` on
the one it writes. So every loader of the folder can tell a segment that still grows from one that was
closed or whose process died. A segment is made under another name and locked before it gets its own, so
there is no moment at which a living one looks abandoned. A segment on which a write failed is never
written again.

A segment grows ahead of its records, by zeros: so a batch overwrites what the file has already, and syncing it is one
write of data where it would else be one of the file system's journal, too. It is cut to its records when it is closed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

MAX_BYTES = 16 * 1024 * 1024
MAX_AGE = 60.0
"""Seconds after which a segment that holds something is closed."""

AHEAD = (64 * 1024, 1024 * 1024)
"""Bytes of zeros written ahead at first and at most; in between each time twice as many, so few hits need little."""


class Segments:
    """The segments this process writes. Not thread-safe: one thread appends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.process = uuid4().hex[:16]
        self._number = 0
        self._fd: int | None = None
        self._name: str | None = None
        self._size = 0  # bytes of whole records
        self._filled = 0  # bytes of the file
        self._ahead = 0
        self._opened = 0.0

    @property
    def active(self) -> str | None:
        """The name of the segment that may still grow."""
        return self._name

    def append(self, batch: Sequence[bytes]) -> int:
        """Write a batch and make it durable: how many of its records are safe.

        Fewer than all when the disk is full or broken; the next batch then begins a segment of its own.
        """
        data = b"".join(batch)
        wanted, written = len(data), 0
        try:
            if self._fd is None:
                self._open()
            if self._size + wanted > self._filled:
                data += bytes(self._ahead)
                self._ahead = min(self._ahead * 2, AHEAD[1])
            while written < wanted:  # a full disk may take the records and not all of the zeros
                written += os.pwrite(self._file, data[written:] if written else data, self._size + written)
        except OSError:
            return self._give_up(self._complete(batch, written), untouched=not written)
        try:
            os.fdatasync(self._file)
        except OSError:
            return self._give_up([])  # asked again it would succeed, and what it threw away would stay away
        self._filled = max(self._filled, self._size + written)
        self._size += wanted
        if self._size >= MAX_BYTES:
            self.close()
        return len(batch)

    @property
    def _file(self) -> int:
        assert self._fd is not None
        return self._fd

    def close_if_old(self) -> None:
        """Close the segment when it is old and holds something, so that it can be removed once loaded."""
        if self._fd is not None and self._size and time.monotonic() - self._opened >= MAX_AGE:
            self.close()

    def close(self) -> None:
        """Close the segment; the next record begins another."""
        if self._fd is not None:
            with contextlib.suppress(OSError):  # readers know zeros, and a record that was cut off
                os.ftruncate(self._fd, self._size)
            os.close(self._fd)
        self._fd = self._name = None

    def _open(self) -> None:
        self._number += 1
        name = f"{self.process}-{self._number:06d}.log"
        hidden = self.folder / f".{name}"
        fd = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(self.folder / name)
            _sync_folder(self.folder)
        except OSError:
            os.close(fd)
            raise
        self._fd, self._name, self._opened = fd, name, time.monotonic()
        self._size, self._filled, self._ahead = 0, 0, AHEAD[0]

    def _give_up(self, complete: Sequence[bytes], *, untouched: bool = False) -> int:
        """After a failure: how many records are safe. Nothing may follow one that was cut off."""
        if self._fd is None or (untouched and not self._size):
            return 0  # a fresh segment in which nothing stands is tried again
        try:
            if complete:
                os.fdatasync(self._fd)
                self._size += sum(map(len, complete))
        except OSError:
            complete = []
        self.close()
        return len(complete)

    @staticmethod
    def _complete(batch: Sequence[bytes], written: int) -> Sequence[bytes]:
        position = 0
        for number, record in enumerate(batch):
            position += len(record)
            if position > written:
                return batch[:number]
        return batch


def folder_in(data: Path) -> Path:
    """Where the segments of an installation lie, in its data folder."""
    return data / "tracking" / "segments"


def listing(folder: Path) -> list[str]:
    """The names of all segments of the folder, oldest of each process first."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".log") and name[0] != ".")
    except FileNotFoundError:
        return []


def is_growing(path: Path) -> bool:
    """Whether a living process still writes this segment. Raises ``FileNotFoundError`` when it is gone."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def folder_id(folder: Path) -> str:
    """A name for this folder that no other folder has, made on first use."""
    path = folder / ".folder"
    with contextlib.suppress(FileExistsError):
        fresh = folder / f".folder-{uuid4().hex}"
        fresh.write_text(uuid4().hex)
        try:
            os.link(fresh, path)  # whole or not at all, also when two processes come at once
        finally:
            fresh.unlink()
    return path.read_text()


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
