"""A provider that sends nobody back to this installation's address is not gone to: its page would lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import stack as stacks
from tests.consents import notice

from truesend import env

REAL = {
    one.name: one.default
    for one in env.SETTINGS
    if one.name.startswith("KEAP_") and one.name.endswith("_URL") and one.default is not None
}


@pytest.mark.produces("address_refused")
def test_the_real_keap_is_not_asked_to_come_back_without_https(tmp_path: Path) -> None:
    settings = {f"TRUESEND_{name}": str(value) for name, value in REAL.items()}
    with stacks.running(tmp_path / "data", settings=settings) as stack:
        ana = stack.person()
        answer = ana.get("/oauth/keap/start?capabilities=send")
        assert answer.url == f"{stack.url}/integration?cause=address_refused&provider=keap"
        assert "begins with https://" in notice(answer)
        assert ana.connect()["verdict"] == "unproven"  # the others are as they were
