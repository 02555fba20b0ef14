"""An installation of single parts, as on several machines: a database of its own, and web, tracker and worker started
one by one with the settings of the moment.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from tests import postgres, setting_up, up
from tests.ports import free_ports
from tests.sandbox_process import Sandbox, running_sandbox
from tests.stack import until

from truesend.runtime.keys import key_files


@dataclass
class Parts:
    """Its settings, as an operator would keep them, and what runs."""

    data: Path
    port: int
    sandbox: Sandbox
    settings: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the web process really listens."""
        return f"http://localhost:{self.port}"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A ``truesend`` command to its end."""
        return subprocess.run(
            up.command(*words),
            env=up.environment(self.settings),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, part: str) -> None:
        """Start one and wait until it is at work."""
        options = {"web": ["--port", str(self.port)], "tracker": ["--port", str(self.port + 1)]}.get(part, [])
        log = (self.data / "log" / f"{part}.log").open("ab")
        self.running[part] = subprocess.Popen(
            up.command(part, *options),
            env=up.environment(self.settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        if part != "worker":
            port = self.port if part == "web" else self.port + 1
            until(lambda: _answers(port), bool, 60)

    def stop(self, part: str) -> None:
        """End one."""
        process = self.running.pop(part)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def again(self) -> None:
        """Start everything that runs again, with the settings of now."""
        parts = list(self.running)
        for part in parts:
            self.stop(part)
        for part in parts:
            self.start(part)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://localhost:{port}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def installed(folder: Path) -> Iterator[Parts]:
    """A database that is prepared, and nothing running; the providers stand beside it."""
    data = folder / "data"
    for name in ("", "run", "log"):
        (data / name).mkdir(mode=0o700)
    port = free_ports(2)[0]
    with postgres.running() as server, running_sandbox(folder / "providers") as sandbox:
        settings = {
            **setting_up.addresses(sandbox),
            "TRUESEND_DATABASE_URL": server.url,
            "TRUESEND_DATA_DIR": str(data),
            "TRUESEND_PUBLIC_URL": f"http://localhost:{port}",
            "TRUESEND_TRACKING_URL": f"http://localhost:{port + 1}",
            "TRUESEND_EMAIL_URL": f"{sandbox.url}/_sandbox/mail",
        }
        key_files(data, settings)
        for name in ("secret_key", "encryption_keys", "link_keys"):
            settings[f"TRUESEND_{name.upper()}_FILE"] = str(data / name)
        parts = Parts(data, port, sandbox, settings)
        done = parts.run("migrate")
        assert done.returncode == 0, done.stderr
        try:
            yield parts
        finally:
            for part in list(parts.running):
                parts.stop(part)


def another_key() -> str:
    """A ring of one key that nothing was sealed with."""
    import base64

    return f"{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
