"""Return addresses by each provider's rules, and settings that do not belong together."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from truesend.diagnostics import return_addresses
from truesend.providers import clients, registry, sandboxed


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("TRUESEND_")]:
        monkeypatch.delenv(name)
    before = clients._kept
    clients._kept = clients._Kept()
    yield
    clients._kept = before


@pytest.mark.parametrize(
    ("provider", "url", "refused"),
    [
        ("google", "http://localhost:8000", ""),
        ("google", "https://truesend.example", ""),
        ("google", "http://truesend.example", "takes http only for this machine itself"),
        ("google", "https://192.0.2.7", "takes no bare IP address"),
        ("microsoft", "http://localhost:8000", ""),
        ("microsoft", "http://10.0.0.7:8000", "takes http only for this machine itself"),
        ("keap", "http://localhost:8000", "with https only"),
        ("keap", "http://truesend.example", "with https only"),
        ("keap", "https://truesend.example", ""),
    ],
)
def test_what_a_provider_takes(
    monkeypatch: pytest.MonkeyPatch, provider: str, url: str, refused: str
) -> None:
    monkeypatch.setenv("TRUESEND_PUBLIC_URL", url)
    found = return_addresses.refused_by_rule(registry.provider(provider))
    assert (found is None) == (refused == "")
    if found is not None:
        assert refused in found.sentence
        assert found.fix is not None
        assert "TRUESEND_PUBLIC_URL" in found.fix.words


def test_of_what_stands_in_for_a_provider_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_KEAP_TOKEN_URL", "http://localhost:9000/token")
    assert return_addresses.refused_by_rule(registry.provider("keap")) is None


def mismatches(provider: str) -> list[tuple[str, str]]:
    found = return_addresses.mismatches(registry.provider(provider))
    return [(one.status.value, one.sentence) for one in found]


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_a_whole_sandbox_and_a_whole_provider_fit(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    assert mismatches(provider) == []
    monkeypatch.setenv(f"TRUESEND_{provider.upper()}_CLIENT_ID", "real")
    monkeypatch.setenv(f"TRUESEND_{provider.upper()}_CLIENT_SECRET", "real")
    assert mismatches(provider) == []
    for name, value in sandboxed.settings("http://localhost:9000").items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    monkeypatch.setenv("TRUESEND_SANDBOX_URL", "http://localhost:9000")
    assert mismatches(provider) == []


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_half_a_client(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv(f"TRUESEND_{provider.upper()}_CLIENT_ID", "real")
    ((status, sentence),) = mismatches(provider)
    assert status == "wrong"
    assert f"TRUESEND_{provider.upper()}_CLIENT_SECRET is not set" in sentence


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_the_sandboxs_client_at_the_real_provider(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    for name, value in sandboxed.settings("http://localhost:9000").items():
        if "_CLIENT_" in name:
            monkeypatch.setenv(f"TRUESEND_{name}", value)
    ((status, sentence),) = mismatches(provider)
    assert status == "wrong"
    assert "The sandbox's client is used at the real" in sentence


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_a_real_client_beside_the_sandbox(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    for name, value in sandboxed.settings("http://localhost:9000").items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    monkeypatch.setenv("TRUESEND_SANDBOX_URL", "http://localhost:9000")
    monkeypatch.setenv(f"TRUESEND_{provider.upper()}_CLIENT_ID", "real")
    ((status, sentence),) = mismatches(provider)
    assert status == "warning"
    assert f"TRUESEND_{provider.upper()}_TOKEN_URL" in sentence


def test_one_address_elsewhere_and_the_others_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_ID", "real")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET", "real")
    monkeypatch.setenv("TRUESEND_GOOGLE_TOKEN_URL", "http://proxy.example/token")
    ((status, sentence),) = mismatches("google")
    assert status == "warning"
    assert "Some addresses of Google lead elsewhere (TRUESEND_GOOGLE_TOKEN_URL)" in sentence


@pytest.mark.parametrize(
    ("environment", "url", "warned"),
    [
        ("dev", "http://localhost:8000", False),
        ("stage", "http://localhost:8000", True),
        ("stage", "http://127.0.0.1:8000", True),
        ("prod", "https://localhost", True),
        ("prod", "https://truesend.example", False),
    ],
)
def test_an_address_of_ones_own_machine(
    monkeypatch: pytest.MonkeyPatch, environment: str, url: str, warned: bool
) -> None:
    monkeypatch.setenv("TRUESEND_ENVIRONMENT", environment)
    monkeypatch.setenv("TRUESEND_PUBLIC_URL", url)
    assert (return_addresses.of_public_url() is not None) == warned
