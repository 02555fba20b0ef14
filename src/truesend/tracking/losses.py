"""Counting hits that could be answered but not kept, in a file that is made while there is still room.

The file holds one 8-byte number. It is overwritten in place, so that counting works on a full disk.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

_COUNT = struct.Struct("<Q")


class Losses:
    """This process's counter. Not thread-safe: one thread counts."""

    def __init__(self, folder: Path, process: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.count = 0
        self._path = folder / f"{process}.lost"
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._failing = False
        self._stored = -1  # no room even for this number: it is written as soon as there is
        self.add(0)

    @property
    def failing(self) -> bool:
        """Whether the last batch lost something."""
        return self._failing

    def add(self, number: int) -> None:
        """Count ``number`` more hits as lost; 0 says that all of a batch were kept."""
        self._failing = number > 0
        self.count += number
        if self.count != self._stored:
            with contextlib.suppress(OSError):
                os.pwrite(self._fd, _COUNT.pack(self.count), 0)
                self._stored = self.count

    def close(self) -> None:
        """Forget the file when nothing was lost."""
        os.close(self._fd)
        if self.count == 0:
            self._path.unlink(missing_ok=True)


def total(folder: Path) -> int:
    """All hits ever lost by the trackers of this folder, for the health line."""
    lost = 0
    for path in folder.glob("*.lost"):
        try:
            raw = path.read_bytes()
        except OSError:
            continue
        if len(raw) == _COUNT.size:
            lost += int(_COUNT.unpack(raw)[0])
    return lost
