"""Where archives lie: `exports/` in the data folder, readable by nobody else on the machine."""

from __future__ import annotations

import socket
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from truesend import clock, env

# A file without a row may be one whose row is about to be there, on a clock that nobody can move.
_ORPHANED_SECONDS = 3600.0


def here() -> str:
    """The name of this machine's folder: elsewhere its files are not."""
    return f"{socket.gethostname()[:40]}:{env.data_dir()}"[:100]


def folder() -> Path:
    """The folder, made where there is none."""
    found = env.data_dir() / "exports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(export_id: UUID) -> Path:
    """Where an archive is, or would be."""
    return folder() / f"{export_id}.zip"


def remove(export_id: UUID) -> None:
    """Delete an archive, and what was begun of it; twice is fine."""
    path = path_of(export_id)
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.part").unlink(missing_ok=True)


def names() -> list[UUID]:
    """The archives whose files lie here for a while already."""
    found, now = [], clock.real_now().timestamp()
    for path in folder().glob("*.zip*"):
        try:
            old = now - path.stat().st_mtime > _ORPHANED_SECONDS
            if old:
                found.append(UUID(path.name.partition(".")[0]))
        except (OSError, ValueError):
            continue
    return found


def remove_all_but(kept: Collection[UUID]) -> int:
    """Delete the archives whose rows are gone; how many."""
    gone = set(names()) - set(kept)
    for one in gone:
        remove(one)
    return len(gone)
