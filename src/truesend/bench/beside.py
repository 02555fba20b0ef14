"""A worker with PostgreSQL beside a server that answers everything alike: what sends and renewals are measured on."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from truesend import env
from truesend.bench import machine
from truesend.bench.installation import await_true, data_folder, end, migrate, program, truesend
from truesend.bench.rows import BenchError
from truesend.providers.sandboxed import settings as provider_settings
from truesend.runtime.keys import key_files
from truesend.runtime.postgres import Postgres

_PATIENCE = 600.0


@dataclass(frozen=True)
class Ground:
    """What runs: PostgreSQL, and the server; ``first`` is the file with the first request that the server got."""

    data: Path
    database: str
    postgres: int
    server_port: int
    first: Path

    def settings(self, concurrency: int) -> dict[str, str]:
        """The environment of a program of ours on it."""
        provider = provider_settings(f"http://127.0.0.1:{self.server_port}")
        return {
            **key_files(self.data, {}),
            **{env.PREFIX + name: value for name, value in provider.items()},
            # What a provider lets one client send is not what is measured here.
            **{
                env.PREFIX + one.name: "100000"
                for one in env.SETTINGS
                if one.name.endswith("_SENDS_PER_SECOND")
            },
            f"{env.PREFIX}DATA_DIR": str(self.data),
            f"{env.PREFIX}DATABASE_URL": self.database,
            f"{env.PREFIX}WORKER_CONCURRENCY": str(concurrency),
        }

    @contextmanager
    def worker(self, concurrency: int) -> Iterator[int]:
        """The real one, while the block runs: its process id."""
        log, ready = self.data / "log" / "worker.log", self.data / "run" / "worker.ready"
        ready.unlink(missing_ok=True)
        with program(truesend("worker"), log, **self.settings(concurrency)) as process:
            await_true(ready.exists, process, log, "The worker", 60)
            yield process.pid
            if end(process) > 20:
                raise BenchError("The worker did not end.")

    def mark(self, calls: int, threads: int) -> dict[str, float]:
        """The same bytes by bare threads: ``{seconds, cpu_ms, p99_ms, per_second}``."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "truesend.bench.bare_send"]
            + [str(self.server_port), str(self.first), str(calls), str(threads)],
            env=machine.clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        if done.returncode != 0:
            raise BenchError(f"The bare calls failed: {done.stderr.strip()[-300:]}")
        report = {name: float(value) for name, value in json.loads(done.stdout).items()}
        return {**report, "per_second": calls / report["seconds"]}


@contextmanager
def ground() -> Iterator[Ground]:
    """PostgreSQL with our tables in it, and the server."""
    with data_folder() as data:
        for name in ("log", "run"):
            (data / name).mkdir(mode=0o700, exist_ok=True)
        port = machine.free_ports(1)[0]
        first, log = data / "first-request", data / "log" / "fixed.log"
        command = [sys.executable, "-P", "-m", "truesend.bench.fixed", str(port), str(first)]
        server = Postgres(data, say=lambda sentence: None)
        try:
            server.prepare()
            server.start()
            server.wait_ready()
            assert server.pid is not None
            made = Ground(data, server.url, server.pid, port, first)
            migrate(made.settings(1))
            with program(command, log) as fixed:
                await_true(lambda: _listens(port), fixed, log, "The answering server", 30)
                yield made
        finally:
            server.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def peak_mb(pid: int) -> float:
    """The most memory a process ever held, shared pages included."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchError("The worker's memory could not be read.")
