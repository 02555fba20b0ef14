"""One whole stack for all tests that leave it standing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import produced, up
from tests import stack as stacks
from tests.deliveries import Deliveries, known_deliveries
from tests.stack import Stack

from truesend import live_events


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running ``truesend up --sandbox``. Tests make their own people and accounts in it."""
    data = tmp_path_factory.mktemp("stack") / "data"
    # Copies of one email leave at the pace of tests, not of mailboxes.
    with stacks.running(data, settings={"TRUESEND_COPIES_PER_MINUTE": "6000"}) as running:
        yield running
    up.remove(data)


@pytest.fixture(autouse=True)
def _nobody_remembers() -> None:
    """Tests empty the database: the data folder must not remember the installation that was in it."""
    from truesend.organizations import installation

    shutil.rmtree(Path(os.environ["TRUESEND_DATA_DIR"]) / "installation", ignore_errors=True)
    installation.forget()


@pytest.fixture(autouse=True)
def _produces(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test says that it produces was told to somebody in it."""
    marks = list(request.node.iter_markers("produces"))
    produced.listen(marks)
    yield
    for mark in marks:
        produced.assert_told(mark)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """What a test has changed is told to open pages while its database is still there."""
    assert live_events.told(10)


@pytest.fixture
def deliveries() -> Iterator[Deliveries]:
    """Deliveries for tracking to know, in the place of sending’s."""
    with known_deliveries() as known:
        yield known
