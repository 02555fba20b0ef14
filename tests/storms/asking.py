"""The process that uses connections without asking us (oracle.py), from the side of who asks it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests import up
from tests.stack import Stack


class Oracle:
    """The process that uses connections without asking us."""

    def __init__(self, stack: Stack) -> None:
        given = json.loads((stack.up.data / "run" / "settings.json").read_text(encoding="utf-8"))
        given.pop("PYTHONPATH", None)
        log = (stack.up.data / "log" / "oracle.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("oracle.py"))],
            env=up.environment(given),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()

    def works(
        self, connection: str, capability: str, *, renew: bool = False, quiet: bool = False
    ) -> tuple[bool, str]:
        """Whether it works now, and the words."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"connection": connection, "capability": capability, "renew": renew, "quiet": quiet}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the oracle ended"
        answer = json.loads(line)
        return answer["works"], answer["words"]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
