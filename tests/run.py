"""``make test``: every test, and how many there were."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import browser  # noqa: E402 - the project's folder must be on the path first


class Count:
    """Counts the tests that ran and those that were skipped."""

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.skipped: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.skipped.add(report.nodeid)
        elif report.when == "call" or report.failed:
            self.ran.add(report.nodeid)


def main() -> int:
    """Arguments are handed to pytest."""
    os.chdir(ROOT)
    if browser.find() is None and browser.install() is None:
        print(
            "\n*** There is no Chromium and it could not be installed: the BROWSER TESTS WILL NOT RUN. ***\n"
            "*** Install Debian's package chromium, or run as root where there is an apt-get. ***\n",
            flush=True,
        )
        if os.environ.get("CI") == "true":
            return 1
    count = Count()
    code = int(pytest.main(sys.argv[1:], plugins=[count]))
    print(f"{len(count.ran)} tests ran, {len(count.skipped)} skipped", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
