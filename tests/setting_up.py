"""An installation that nobody has set up yet: providers at hand, and no client of its own at any of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import few_rounds, prepared, up
from tests.sandbox_process import Sandbox, running_sandbox
from tests.stack import Stack

from truesend.providers import sandboxed


def addresses(sandbox: Sandbox) -> dict[str, str]:
    """Settings that point every provider at a sandbox, and name no client."""
    return {
        f"TRUESEND_{name}": value
        for name, value in sandboxed.settings(sandbox.url).items()
        if "_CLIENT_" not in name
    }


@contextmanager
def untouched(data: Path, **settings: str) -> Iterator[Stack]:
    """A running installation without clients; the providers run beside it, not as its sandbox."""
    prepared.lay(data)
    with (
        running_sandbox(data.with_name(f"{data.name}-providers")) as sandbox,
        up.running(
            data, sandbox=False, settings=few_rounds.added({**addresses(sandbox), **settings})
        ) as started,
    ):
        yield Stack(started, sandbox)
