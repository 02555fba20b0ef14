"""What a data folder remembers of the installation it works for: beside the database, never in it.

A database that is restored brings its own past with it. The folder was there: it knows which installation it worked
for and how far that had come.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from truesend.env import PREFIX
from truesend.runtime.files import write_private

_FOLDER = "installation"
_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Memory:
    """Which installation this folder worked for, how far it had come then, and whether the folder is a copy."""

    installation: UUID
    counter: int
    copied: bool


def recall(data: Path) -> Memory | None:
    """What is remembered in a data folder; None where it never worked for an installation.

    What cannot be read belongs to nobody: it matches no installation.
    """
    try:
        kept = json.loads((data / _FOLDER / "known.json").read_text(encoding="utf-8"))
        return Memory(
            UUID(str(kept["installation"])), int(kept["counter"]), copied=_is_copied(data, kept["here"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Memory(_NOBODY, 0, copied=True)


def note(data: Path, installation: UUID, counter: int, *, anew: bool = False) -> None:
    """Remember, on the disk, that ``installation`` has come as far as ``counter``; it never goes back.

    Call it after the commit of the counter: what is remembered must be in the database. ``anew`` forgets what was
    before and counts this folder as an original. Raises :class:`OSError`.
    """
    with _locked(data):
        before = None if anew else recall(data)
        if before is not None and before.installation == installation:
            if before.counter >= counter:
                return
            here = json.loads((data / _FOLDER / "known.json").read_text(encoding="utf-8"))["here"]
        else:
            here = _mark(data)
        kept = {"installation": str(installation), "counter": counter, "here": here}
        write_private(data / _FOLDER / "known.json", json.dumps(kept) + "\n")


def is_embedded(data: Path) -> bool:
    """Whether the database lies in this folder, so that a copy of the folder is a copy of the database."""
    return os.environ.get(f"{PREFIX}DATABASE_URL_FILE", "") == str(data / "run" / "database_url")


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    folder = data / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _mark(data: Path) -> list[int]:
    """What tells this folder from its copies: number and change time of a file that nobody writes again.

    No copying program can give a file the change time of another one.
    """
    path = data / _FOLDER / "here"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.fsync(descriptor)
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return [found.st_ino, found.st_ctime_ns]


def _is_copied(data: Path, here: list[int]) -> bool:
    """Both have to differ: a change of owner or mode moves the time, and some file systems number anew."""
    inode, changed = here
    try:
        found = (data / _FOLDER / "here").stat()
    except FileNotFoundError:
        return True
    return found.st_ino != inode and found.st_ctime_ns != changed


__all__ = ["Memory", "is_embedded", "note", "recall"]
