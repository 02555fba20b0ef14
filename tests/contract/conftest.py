"""Every provider, as the contract wants it, against a real sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.contract.mailboxes import GoogleMailbox, KeapMailbox, Mailbox, MicrosoftMailbox
from tests.sandbox_process import Sandbox, running_sandbox

from truesend.providers import http, sandboxed

MAILBOXES: tuple[type[Mailbox], ...] = (GoogleMailbox, MicrosoftMailbox, KeapMailbox)


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("contract")) as running:
        yield running


@pytest.fixture
def sandbox(sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Empty, and where every provider's settings point."""
    sandbox_process.control("POST", "reset")
    for name, value in sandboxed.settings(sandbox_process.url).items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "3")
    with http.quiet_pools():
        yield sandbox_process


@pytest.fixture(params=MAILBOXES, ids=lambda kind: kind.key)
def mailbox(request: pytest.FixtureRequest, sandbox: Sandbox) -> Mailbox:
    """A mailbox at each provider in turn, with sending and reading granted."""
    kind: type[Mailbox] = request.param
    return kind(sandbox)
