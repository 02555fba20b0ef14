"""``truesend up`` as tests start it: a real process in its own data folder, on ports of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests import few_rounds
from tests.ports import free_ports
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("postgres", "web", "tracker", "worker")


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without the settings of the test suite."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRUESEND_", "DJANGO_"))
    }
    return {**kept, **(settings or {})}


def command(*arguments: str, python: str = sys.executable) -> list[str]:
    """``truesend`` with these arguments."""
    return [python, "-m", "truesend.cli", *arguments]


def processes_of(data: Path) -> dict[int, str]:
    """Living processes that have the data folder in their command line or environment, ourselves left out."""
    found: dict[int, str] = {}
    needle = os.fsencode(data)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            if needle in words or needle in (entry / "environ").read_bytes():
                found[int(entry.name)] = words.replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            continue
    return found


def wait_for(condition: object, seconds: float, what: str) -> None:
    """Wait until ``condition()`` is true."""
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.03)


@dataclass
class Up:
    """A running ``truesend up``."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    sandbox_port: int | None
    stderr: Path
    seconds: float
    line: str
    _terminal: Terminal | None = None

    @property
    def url(self) -> str:
        """The web app's address."""
        return f"http://localhost:{self.port}"

    @property
    def tracking_url(self) -> str:
        """The tracker's address."""
        return f"http://localhost:{self.port + 1}"

    @property
    def sandbox_url(self) -> str:
        """The sandbox's address."""
        return f"http://localhost:{self.sandbox_port}"

    def pid(self, part: str) -> int | None:
        """What the part's pid file says."""
        try:
            return int((self.data / "run" / f"{part}.pid").read_text())
        except (OSError, ValueError):
            return None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another ``truesend`` command beside it, as in a second terminal."""
        settings = {"TRUESEND_DATA_DIR": str(self.data)}
        return subprocess.run(
            command(*arguments),
            env=environment(settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def scene(self, *arguments: str) -> None:
        """A ``truesend`` command that is not what is tested: it succeeds, and costs a tenth."""
        if self._terminal is None:
            self._terminal = Terminal(self.data, environment(few_rounds.added()))
        done = self._terminal.run(*arguments)
        assert done.returncode == 0, done.stderr

    def leave(self) -> None:
        """End what set the scene."""
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; exit code and seconds."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30), time.monotonic() - began

    def rest_of_stdout(self) -> str:
        """What it printed after its ready line; once it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read()


def start(
    data: Path,
    *,
    sandbox: bool = True,
    settings: Mapping[str, str] | None = None,
    python: str = sys.executable,
    user: tuple[int, int] | None = None,
    patience: float = 60,
) -> Up:
    """Start and wait for the ready line. ``user`` is (uid, gid)."""
    port, _, sandbox_port = free_ports(3)
    arguments = ["up", "--data", str(data), "--port", str(port)]
    if sandbox:
        arguments += ["--sandbox", "--sandbox-port", str(sandbox_port)]
    stderr = data.with_name(f"{data.name}.stderr")
    began = time.monotonic()
    with stderr.open("w") as errors:
        process = subprocess.Popen(
            command(*arguments, python=python),
            env=environment(settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd="/",
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=[] if user else None,
        )
    line = _first_line(process, patience)
    seconds = time.monotonic() - began
    if not line.startswith("ready:"):
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        raise AssertionError(f"not ready after {seconds:.0f} s: {line}\n{stderr.read_text()}\n{_logs(data)}")
    return Up(process, data, port, sandbox_port if sandbox else None, stderr, seconds, line)


def _first_line(process: subprocess.Popen[str], patience: float) -> str:
    import threading

    assert process.stdout is not None
    stdout: IO[str] = process.stdout
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(patience)
    return lines[0] if lines else ""


def _logs(data: Path) -> str:
    texts = []
    for path in sorted((data / "log").glob("*.log")):
        texts.append(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}")
    return "\n".join(texts)


@contextmanager
def running(data: Path, **options: object) -> Iterator[Up]:
    """A running ``truesend up``, ended with the block however that ends."""
    up = start(data, **options)  # type: ignore[arg-type]
    try:
        yield up
    finally:
        up.leave()
        if up.process.poll() is None:
            up.process.terminate()
            try:
                up.process.wait(20)
            except subprocess.TimeoutExpired:
                up.process.kill()
                up.process.wait()
        assert up.process.stdout is not None
        up.process.stdout.close()


def remove(data: Path) -> None:
    """A data folder with what root keeps of it elsewhere."""
    mark = data / "postgres_id"
    if mark.exists():
        shutil.rmtree(Path("/var/lib/truesend") / mark.read_text().strip(), ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    data.with_name(f"{data.name}.stderr").unlink(missing_ok=True)


def python_for(uid: int, gid: int) -> tuple[str, dict[str, str]] | None:
    """A Python that an ordinary user can start, and the environment in which it finds this project.

    Ours may stand below root's home; the system's, of the same version, is then taken with our packages.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    script = "import sys, psycopg, django, truesend; sys.exit(not sys.version.startswith(sys.argv[1]))"
    paths = f"{ROOT / 'src'}:{sysconfig.get_path('purelib')}"
    for python, extra in ((sys.executable, {}), (f"/usr/bin/python{version}", {"PYTHONPATH": paths})):
        try:
            subprocess.run(
                [python, "-c", script, version],
                env=environment(extra),
                cwd="/",
                capture_output=True,
                check=True,
                user=uid,
                group=gid,
                extra_groups=[],
            )
        except (OSError, subprocess.SubprocessError):
            continue
        return python, extra
    return None
