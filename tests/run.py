"""``make test``: every test, and how many there were."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import browser, bytecode  # noqa: E402 - the project's folder must be on the path first

# Tests wait far more than they compute: more processes than this machine has cores.
WORKERS = 4
# Each process has a PostgreSQL and, once it needs one, an installation and a browser of its own: a file stays in one.
TOGETHER = ("--company=together", f"--numprocesses={WORKERS}", "--dist=loadfile", "--no-loadscope-reorder")
ALONE = ("--company=alone",)
# More than that is no lateness.
_MOST_AGAIN = 25
_NONE = pytest.ExitCode.NO_TESTS_COLLECTED


class Count:
    """Counts the tests that ran and those that were skipped, and keeps the names of those that failed.

    A test of the first pass that failed in company is run once more, alone, and told as such.
    """

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.skipped: set[str] = set()
        self.failed: dict[str, None] = {}
        self.in_company: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.skipped.add(report.nodeid)
        elif report.when == "call" or report.failed:
            self.ran.add(report.nodeid)
        if report.failed:
            self.failed[report.nodeid] = None


def main(arguments: list[str]) -> int:
    """Arguments are handed to pytest. One that names a file makes it one pass in this process, without workers."""
    os.chdir(ROOT)
    bytecode.keep()
    if browser.find() is None and browser.install() is None:
        print(
            "\n*** There is no Chromium and it could not be installed: the BROWSER TESTS WILL NOT RUN. ***\n"
            "*** Install Debian's package chromium, or run as root where there is an apt-get. ***\n",
            flush=True,
        )
        if os.environ.get("CI") == "true":
            return 1
    count = Count()
    code = run(arguments, count)
    for name in count.in_company:
        print(f"failed in company: {name}", flush=True)
    for name in count.failed:
        print(f"failed: {name}", flush=True)
    print(f"{len(count.ran)} tests ran, {len(count.skipped)} skipped", flush=True)
    return code


def run(arguments: list[str], count: Count) -> int:
    """The exit code of both passes: that of the first which is not good."""
    if any(Path(one.partition("::")[0]).exists() for one in arguments):
        return int(pytest.main(arguments, plugins=[count]))
    print(f"Tests that bear company, {WORKERS} at a time:", flush=True)
    together = pytest.main([*TOGETHER, *arguments], plugins=[count])
    one_is_enough = {"-x", "--exitfirst", "--maxfail=1"} & set(arguments)
    if together not in {pytest.ExitCode.OK, _NONE} and (
        one_is_enough or together != pytest.ExitCode.TESTS_FAILED
    ):
        return int(together)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as again:
        if together == pytest.ExitCode.TESTS_FAILED and len(count.failed) <= _MOST_AGAIN:
            # Four processes on two cores are late at times; what is wrong by itself fails again.
            count.in_company, count.failed = count.failed, {}
            again.write("\n".join(count.in_company))
            again.flush()
        print("\nTests that are alone, one by one:", flush=True)
        alone = pytest.main([*ALONE, f"--again={again.name}", *arguments], plugins=[count])
    if count.in_company and not count.failed:
        together = pytest.ExitCode.OK
    codes = [int(code) for code in (together, alone) if code != _NONE]
    return next((code for code in codes if code), 0) if codes else int(_NONE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
