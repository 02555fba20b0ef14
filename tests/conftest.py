"""One whole stack for all tests that leave it standing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import stack as stacks
from tests import up
from tests.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running ``truesend up --sandbox``. Tests make their own people and accounts in it."""
    data = tmp_path_factory.mktemp("stack") / "data"
    with stacks.running(data) as running:
        yield running
    up.remove(data)
