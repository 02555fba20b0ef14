"""What prod refuses, and that every part does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ports import free_ports

from truesend import env

SAFE = {"PUBLIC_URL": "https://mail.example", "TRACKING_URL": "https://t.example", "ENVIRONMENT": "prod"}
UNSAFE = {
    "PUBLIC_URL": "http://mail.example",
    "TRACKING_URL": "http://t.example",
    "SANDBOX_URL": "http://localhost:9000",
    "CLOCK_FILE": "/nowhere/clock",
    "GUESS_LIMITS": "off",
    "EMAIL_URL": "http://localhost:9000/_sandbox/mail",
}


@pytest.fixture(autouse=True)
def prod(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SAFE.items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)


def test_prod_takes_what_is_safe() -> None:
    env.refuse_unsafe()


@pytest.mark.parametrize("name", UNSAFE)
def test_prod_names_the_setting_and_not_its_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"TRUESEND_{name}", UNSAFE[name])

    with pytest.raises(env.SettingError) as refused:
        env.refuse_unsafe()

    assert f"TRUESEND_{name} must" in str(refused.value) or f"TRUESEND_{name} is" in str(refused.value)
    assert "example" not in str(refused.value)
    assert "localhost" not in str(refused.value)
    assert "/nowhere" not in str(refused.value)


@pytest.mark.parametrize("name", UNSAFE)
def test_elsewhere_the_same_is_taken(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"TRUESEND_{name}", UNSAFE[name])
    monkeypatch.setenv("TRUESEND_ENVIRONMENT", "stage")

    env.refuse_unsafe()


@pytest.mark.parametrize("part", ["up", "web", "tracker", "worker", "migrate"])
def test_no_part_starts_in_prod_with_an_unsafe_value(tmp_path: Path, part: str) -> None:
    settings = {"TRUESEND_PUBLIC_URL": "http://mail.example", "TRUESEND_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "truesend.cli", part]
    if part in {"up", "web", "tracker"}:
        command += ["--port", str(free_ports(2)[0])]

    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode != 0
    assert "TRUESEND_PUBLIC_URL must begin with https:// in prod." in done.stderr
    assert "Traceback" not in done.stderr
