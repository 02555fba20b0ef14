"""What a storm counted, told in the output of the run: also by a test in another process, where a print is lost.

A test gives its line to ``record_property`` under :data:`TOLD`.
"""

from __future__ import annotations

import pytest

TOLD = "told"


class Teller:
    """Writes the lines of tests as their reports come in."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or report.when != "call":
            return
        for name, value in report.user_properties:
            if name == TOLD:
                terminal.ensure_newline()
                terminal.write_line(str(value))
