"""A real tracker process, and requests to it that say whether they were answered."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.ports import free_ports

from truesend.runtime.keys import key_files

HUMAN = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Accept-Language": "en-GB",
}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Tracker:
    """A tracker on a port of its own; ``start`` it again after ``kill``."""

    def __init__(self, data: Path, database_url: str | None, **settings: str) -> None:
        self.port = free_ports(1)[0]
        self.folder = data / "tracking"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TRUESEND_")},
            **key_files(data, {}),
            "TRUESEND_DATA_DIR": str(data),
            **({"TRUESEND_DATABASE_URL": database_url} if database_url else {}),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return when it answers."""
        self.spawn()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if self.get("/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("the tracker does not answer")

    def spawn(self) -> None:
        """Start without waiting."""
        command = [sys.executable, "-m", "truesend.cli", "tracker", "--port", str(self.port)]
        self._process = subprocess.Popen(command, env=self._environment)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(15)

    def get(
        self, path: str, headers: Mapping[str, str] = HUMAN, method: str = "GET", body: bytes | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers=dict(headers))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def health(self) -> dict[str, object]:
        """What it says of itself."""
        return dict(json.loads(self.get("/healthz").body))

    @contextmanager
    def largest_file(self, size: int) -> Iterator[None]:
        """For the time of the block no file of the tracker grows beyond ``size`` bytes."""
        assert self._process is not None
        process = psutil.Process(self._process.pid)
        before = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            process.rlimit(psutil.RLIMIT_FSIZE, before)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """The process itself is stopped for the time of the block; those beside it go on."""
        assert self._process is not None
        process = psutil.Process(self._process.pid)
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    def pid_of(self, name: str) -> int:
        """The process beside it that has this name, once there is one."""
        path = self.folder.parent / "run" / f"{name}.pid"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if path.exists() and (text := path.read_text()):
                return int(text)
            time.sleep(0.02)
        raise TimeoutError(f"there is no {name}")

    def segments(self) -> list[Path]:
        """The segments that are still there."""
        return sorted((self.folder / "segments").glob("*.log"))


@contextmanager
def running(data: Path, database_url: str | None, **settings: str) -> Iterator[Tracker]:
    """A tracker for the time of the block."""
    tracker = Tracker(data, database_url, **settings)
    try:
        tracker.start()
        yield tracker
    finally:
        tracker.kill()


def migrate(data: Path, database_url: str) -> None:
    """Make the tables."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRUESEND_")},
        **key_files(data, {}),
        "TRUESEND_DATA_DIR": str(data),
        "TRUESEND_DATABASE_URL": database_url,
    }
    subprocess.run([sys.executable, "-m", "truesend.cli", "migrate"], env=environment, check=True, timeout=90)
