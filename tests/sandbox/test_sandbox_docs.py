"""docs/sandbox.md names every endpoint, fault, switch, act and agent there is, and no other switch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from truesend_sandbox import control
from truesend_sandbox.faults import GRANT_CAUSES, GROUPS, KINDS
from truesend_sandbox.mailbox.agents import AGENTS
from truesend_sandbox.mailbox.answers import KEYS
from truesend_sandbox.server import PROVIDERS
from truesend_sandbox.world import World

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text()


def _named(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def test_every_endpoint_is_listed() -> None:
    own = [route for provider in PROVIDERS for route in provider.controls(cast(World, None))]
    paths = {route.path for route in [*control.routes(), *own] if "{rest" not in route.path}
    missing = {path for path in paths if path not in DOCS}
    assert missing == set()


def test_every_switch_stands_in_the_table_with_its_default() -> None:
    for provider in PROVIDERS:
        section = DOCS.partition(f"### Switches of {provider.title}")[2].partition("\n#")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", section, re.M))
        defaults = {
            switch.name: str(switch.default).lower()
            if isinstance(switch.default, bool)
            else str(switch.default)
            for switch in provider.switches
        }
        assert rows == defaults
        for switch in provider.switches:
            assert switch.meaning in section, switch.name
            assert switch.certainty in section, switch.name


def test_faults_operations_pages_acts_and_agents_are_named() -> None:
    named = _named(DOCS)
    wanted = {*KINDS, *GRANT_CAUSES, *GROUPS, *KEYS, *AGENTS, "open", "click", "scan"}
    for provider in PROVIDERS:
        wanted |= {*provider.operations, *provider.error_pages}
    found = {part for name in named for part in re.split(r"[\s,|]+", name)}
    assert wanted - found == set()
