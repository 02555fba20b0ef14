"""Every fault kind of the sandbox on every operation where it makes sense at Keap: what is said then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import fault_run
from tests.fault_run import Run
from tests.fault_texts import Case
from tests.fault_texts.keap import CASES, LAST

from truesend_sandbox.faults import KINDS
from truesend_sandbox.keap.grants import CAUSES as GRANT_CAUSES

# All cases are met in the set-up of the first.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    data = tmp_path_factory.mktemp("faults") / "data"
    with fault_run.running(data, "keap", CASES, last=LAST) as met:
        yield met


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_said(run: Run, case: Case) -> None:
    fault_run.assert_said(run, case)


def test_every_kind_of_the_sandbox_is_met() -> None:
    assert {case.kind for case in CASES} == {*KINDS, "account"}
    for operation in ("send", "token"):
        met = {
            case.more["cause"] for case in CASES if (case.operation, case.kind) == (operation, "expire_grant")
        }
        assert met == set(GRANT_CAUSES)
