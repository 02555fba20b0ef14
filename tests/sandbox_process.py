"""A sandbox as a process of its own, for any test that needs one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from tests.ports import free_ports


@dataclass
class Sandbox:
    """A running sandbox: its address, its process, and short ways to steer it."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def control(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        params: dict[str, str] | None = None,
        expect: int | None = None,
    ) -> Any:
        """Call `/_sandbox/{path}` and return the JSON; `expect` names the status, by default any 2xx."""
        answer = requests.request(
            method, f"{self.url}/_sandbox/{path.lstrip('/')}", json=json, params=params, timeout=30
        )
        right = answer.ok if expect is None else answer.status_code == expect
        assert right, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def account(self, email: str, provider: str = "google", **fields: Any) -> dict[str, Any]:
        """An account at a provider."""
        made: dict[str, Any] = self.control(
            "POST", "accounts", {"provider": provider, "email": email, **fields}
        )
        return made

    def consent(self, account: str, provider: str = "google", decision: str = "approve", **more: Any) -> None:
        """The next consent screen answers itself so."""
        self.control(
            "POST", "consent", {"provider": provider, "account": account, "decision": decision, **more}
        )

    def fault(self, operation: str, kind: str, provider: str = "google", **more: Any) -> str:
        """Set a fault and return its id."""
        body = {"provider": provider, "operation": operation, "kind": kind, **more}
        return str(self.control("POST", "faults", body)["id"])

    def calls(self, **filters: str) -> list[dict[str, Any]]:
        """The provider calls it has seen."""
        listed: list[dict[str, Any]] = self.control("GET", "calls", params=filters)["items"]
        return listed

    def messages(self, **filters: str) -> list[dict[str, Any]]:
        """What has arrived."""
        listed: list[dict[str, Any]] = self.control("GET", "messages", params=filters)["items"]
        return listed

    def act(self, message_id: str, act: str, **more: Any) -> dict[str, Any]:
        """Do as a recipient would; `as_` stands for `as`."""
        if "as_" in more:
            more["as"] = more.pop("as_")
        done: dict[str, Any] = self.control("POST", f"messages/{message_id}/act", {"act": act, **more})
        return done

    def advance(self, seconds: float) -> None:
        """Move its clock."""
        self.control("POST", "clock", {"advance": seconds})

    def switch(self, provider: str = "google", **values: Any) -> None:
        """Set switches of a provider."""
        self.control("POST", "switches", {provider: values})


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Until `/healthz` answers 200; fails at once when the process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"the sandbox ended with {process.returncode}"
        try:
            if requests.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):  # a socket handed over takes connections before
            time.sleep(0.03)
    raise AssertionError(f"no answer from {url} in {seconds} s")


def start_sandbox(
    data_dir: Path,
    *,
    port: int | None = None,
    tracking_url: str | None = None,
    clock_file: Path | None = None,
) -> Sandbox:
    """Start one and wait until it answers; the caller ends it."""
    number = free_ports(1)[0] if port is None else port
    command = [sys.executable, "-W", "error", "-m", "truesend_sandbox"]
    command += ["--port", str(number), "--data", str(data_dir)]
    if tracking_url is not None:
        command += ["--tracking-url", tracking_url]
    if clock_file is not None:
        command += ["--clock-file", str(clock_file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    sandbox = Sandbox(f"http://localhost:{number}", data_dir, process)
    try:
        wait_until_healthy(sandbox.url, process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return sandbox


@contextmanager
def running_sandbox(
    data_dir: Path,
    *,
    port: int | None = None,
    tracking_url: str | None = None,
    clock_file: Path | None = None,
) -> Iterator[Sandbox]:
    """A sandbox for the length of the block."""
    sandbox = start_sandbox(data_dir, port=port, tracking_url=tracking_url, clock_file=clock_file)
    try:
        yield sandbox
    finally:
        sandbox.process.terminate()
        try:
            sandbox.process.wait(5)
        except subprocess.TimeoutExpired:
            sandbox.process.kill()
            sandbox.process.wait()
