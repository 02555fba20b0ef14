"""One sandbox for all tests of this folder, empty for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.sandbox.google_client import GoogleClient
from tests.sandbox.keap_client import KeapClient
from tests.sandbox.microsoft_client import MicrosoftClient
from tests.sandbox.stripe_client import Endpoint, Stripe, endpoint
from tests.sandbox_process import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    sandbox_process.control("POST", "reset")
    return sandbox_process


@pytest.fixture
def google(sandbox: Sandbox) -> GoogleClient:
    return GoogleClient(sandbox)


@pytest.fixture
def keap(sandbox: Sandbox) -> KeapClient:
    return KeapClient(sandbox)


@pytest.fixture
def microsoft(sandbox: Sandbox) -> MicrosoftClient:
    return MicrosoftClient(sandbox)


@pytest.fixture
def stripe(sandbox: Sandbox) -> Iterator[Stripe]:
    made = Stripe(sandbox)
    yield made
    made.session.close()


@pytest.fixture
def hook(sandbox: Sandbox) -> Iterator[Endpoint]:
    """An endpoint that Stripe sends its events to."""
    with endpoint() as made:
        sandbox.switch("stripe", webhook_endpoint=made.url)
        yield made
        sandbox.switch("stripe", webhook_endpoint=None)
