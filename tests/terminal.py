"""Commands beside a running installation that only set a scene, such as another member: each in a process of its own,
forked from one that has loaded Django already.

A command that is tested is started as its users start it (``Up.run``); most of that time goes into loading. As a
command (``python -m tests.terminal DATA``) this is the process that forks: a line of JSON with the arguments to its
input, a line with exit code and output from its output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Terminal:
    """Takes ``truesend`` commands until it is closed."""

    def __init__(self, data: Path, environment: Mapping[str, str]) -> None:
        log = (data / "log" / "terminal.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.terminal", str(data)],
            env=dict(environment),
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the terminal has ended; see terminal.log"
        code, stdout, stderr = json.loads(line)
        return subprocess.CompletedProcess(arguments, code, stdout, stderr)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def main(data: str) -> int:
    """Load what commands need, then fork for each."""
    os.environ["TRUESEND_DATA_DIR"] = data
    from truesend.cli import _django

    _django()
    from truesend.organizations import commands  # noqa: F401 - loaded here, and not by each

    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            child = os.fork()
            if child == 0:
                os.dup2(stdout.fileno(), 1)
                os.dup2(stderr.fileno(), 2)
                return _command(json.loads(line))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(json.dumps([code, _text(stdout), _text(stderr)]), flush=True)
    return 0


def _command(arguments: list[str]) -> int:
    from truesend import cli

    return cli.main(arguments)


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
