"""What `make test` says of tests that failed beside others."""

from __future__ import annotations

from typing import Literal

import pytest
from tests.run import Count


def failed(count: Count, name: str, *marks: str) -> None:
    marked: dict[str, Literal[1]] = {name: 1, **dict.fromkeys(marks, 1)}
    count.pytest_runtest_logreport(pytest.TestReport(name, (name, 1, name), marked, "failed", None, "call"))


def test_what_failed_in_company_is_run_again_but_a_storm_has_failed() -> None:
    count = Count()
    failed(count, "late")
    failed(count, "lost", "storm")
    assert count.once_more() == ["late"]
    assert (list(count.in_company), list(count.failed)) == (["late"], ["lost"])
    failed(count, "late")
    assert list(count.failed) == ["lost", "late"]
