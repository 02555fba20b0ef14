"""A real PostgreSQL for tests: the embedded one, in a temporary data folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from truesend.runtime.postgres import Postgres

# Speed for the suite only. Tests that kill processes start their own server, with everything as in real life.
FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def data_folder(prefix: str = "truesend-tests-") -> Path:
    """A new temporary folder that PostgreSQL's user can pass through when we are root."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


def start(data: Path, settings: Mapping[str, str] = FAST) -> Postgres:
    """Start a server in ``data`` and wait until it answers; the caller stops it."""
    server = Postgres(data, say=lambda sentence: None, settings=settings)
    server.prepare()
    server.start()
    server.wait_ready()
    return server


@contextmanager
def running(settings: Mapping[str, str] = FAST) -> Iterator[Postgres]:
    """A server that lives as long as the block, and leaves nothing behind."""
    data = data_folder()
    server = Postgres(data, say=lambda sentence: None, settings=settings)
    try:
        server.prepare()
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)
