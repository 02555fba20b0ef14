"""A database as a first start leaves it, made once in a run and copied to where a test wants an installation.

To make a cluster and to migrate it takes more than the rest of a start. Tests of the first start itself, and of copies,
begin with an empty folder (``up.running``).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres

from truesend.runtime import folder, placement
from truesend.runtime.keys import key_files

_WHERE = "PREPARED_DATABASE"
_PASSWORDS = ("postgres_admin_password", "postgres_password")


@contextmanager
def kept() -> Iterator[None]:
    """What is prepared within serves this process and those it starts, and goes at the end."""
    if _WHERE in os.environ:
        yield
        return
    made = postgres.data_folder("truesend-prepared-")
    os.environ[_WHERE] = str(made)
    try:
        yield
    finally:
        del os.environ[_WHERE]
        shutil.rmtree(made, ignore_errors=True)


def is_kept() -> bool:
    """Whether this is a run of tests. The proof has nothing prepared."""
    return _WHERE in os.environ


def lay(data: Path) -> None:
    """Make the data folder, with a cluster whose database is migrated and empty."""
    source = _made(Path(os.environ[_WHERE]))
    data = folder.open_folder(data)
    cluster = placement.place(data).cluster
    for name in _PASSWORDS:
        shutil.copy2(source / name, data / name)
    subprocess.run(["cp", "-a", str(placement.place(source).cluster), str(cluster)], check=True)


def _made(place: Path) -> Path:
    """The data folder that is copied; whoever of several processes comes first makes it."""
    data = place / "data"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "whole").exists():
            _make(data)
            (place / "whole").touch()
    return data


def _make(data: Path) -> None:
    folder.open_folder(data)
    server = postgres.start(data)
    try:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUESEND_")}
        settings = {
            **key_files(data, {}),
            "TRUESEND_DATA_DIR": str(data),
            "TRUESEND_DATABASE_URL": server.url,
        }
        command = [sys.executable, "-m", "truesend.cli", "migrate"]
        done = subprocess.run(command, env={**kept, **settings}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        server.stop(20)
