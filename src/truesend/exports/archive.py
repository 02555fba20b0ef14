"""A ZIP written while its rows are read: never in memory whole, never at its place before it is whole."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_MODE = 0o600


@dataclass(frozen=True)
class Part:
    """A file of the archive. ``read`` gives (rows that are done with it, text or bytes), over and over.

    ``about`` is its line in the archive's README; ``packed`` whether it is worth compressing.
    """

    name: str
    read: Callable[[], Iterator[tuple[int, str | bytes]]]
    about: str = ""
    packed: bool = True


def write(path: Path, parts: Iterator[Part], at: datetime, progress: Callable[[int], None]) -> int:
    """Write the archive to ``path``, mode 0600; its size in bytes.

    ``progress`` is told how many rows are done, and may raise: then nothing is left. Raises ``OSError``.
    """
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                for part in parts:
                    _add(archive, part, at, progress)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def _add(archive: zipfile.ZipFile, part: Part, at: datetime, progress: Callable[[int], None]) -> None:
    told = zipfile.ZipInfo(part.name, at.astimezone(UTC).timetuple()[:6])
    told.external_attr = _MODE << 16
    told.compress_type = zipfile.ZIP_DEFLATED if part.packed else zipfile.ZIP_STORED
    with archive.open(told, "w", force_zip64=True) as out:
        for rows, content in part.read():
            out.write(content.encode() if isinstance(content, str) else content)
            progress(rows)
