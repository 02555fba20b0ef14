"""Settings that cannot be read, do not fit, or are none, each with what helps and never with its value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from truesend.diagnostics import settings_checks
from truesend.diagnostics.findings import Status

KEY = f"{'A' * 43}="


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRUESEND_")]:
        monkeypatch.delenv(name)


def test_nothing_set_is_fine() -> None:
    (found,) = settings_checks.settings()
    assert found.status is Status.OK
    assert settings_checks.are_readable()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENVIRONMENT", "production", "must be dev, stage or prod"),
        ("PUBLIC_URL", "truesend.example", "must begin with http:// or https://"),
        ("PUBLIC_URL", "http://truesend.example:99999", "must begin with"),
        ("PUBLIC_URL", "https://", "names no host"),
        ("DATABASE_URL", "mysql://root@localhost/x", "must begin with postgres:// or postgresql://"),
        ("EMAIL_URL", "mail.example:25", "must begin with"),
        ("WEB_THREADS", "many", "must be a positive whole number"),
        ("WEB_THREADS", "0", "must be a positive whole number"),
        ("HTTP_TIMEOUT", "-5", "must be a positive whole number"),
        ("GOOGLE_SENDS_PER_SECOND", "fast", "must be a positive whole number"),
        ("BILLING", "paypal", "must be none or stripe"),
        ("STRIPE_PRICES", "gold=price_0123456789", "must read tier=price_"),
        ("ENCRYPTION_KEYS", "s3cret", "must read id:base64"),
        ("LINK_KEYS", f"a:{KEY},a:{KEY}", "names a key id twice"),
    ],
)
def test_a_value_that_cannot_be_one(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"TRUESEND_{name}", value)
    (found,) = settings_checks.settings()
    assert found.status is Status.WRONG
    assert f"TRUESEND_{name} {said}" in found.sentence
    assert found.fix is not None
    assert f"TRUESEND_{name}" in found.fix.words
    if len(value) > 8:
        assert value not in found.sentence + found.fix.words
    assert not settings_checks.are_readable()


def configured(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)


def test_billing_by_stripe_needs_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_BILLING", "stripe")
    (found,) = settings_checks.settings()
    assert found.sentence == "TRUESEND_STRIPE_SECRET_KEY is not set, and TRUESEND_BILLING=stripe needs it."
    stripe = {"SECRET_KEY": "sk_test_x", "WEBHOOK_SECRET": "whsec_x", "PRICES": "starter=price_1"}
    configured(monkeypatch, {f"STRIPE_{name}": value for name, value in stripe.items()})
    (found,) = settings_checks.settings()
    assert found.status is Status.OK


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRUESEND_SECRET_KEY_FILE", str(tmp_path / "nowhere"))
    (found,) = settings_checks.settings()
    assert found.status is Status.WRONG
    assert found.fix is not None
    assert str(tmp_path / "nowhere") in found.fix.words
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("TRUESEND_SECRET_KEY_FILE", str(binary))
    (found,) = settings_checks.settings()
    assert found.status is Status.WRONG


def test_what_is_unsafe_in_prod_is_told_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_ENVIRONMENT", "prod")
    monkeypatch.setenv("TRUESEND_GUESS_LIMITS", "off")
    said = [one.sentence for one in settings_checks.settings() if one.status is Status.WRONG]
    assert len(said) == 3
    assert any("PUBLIC_URL must begin with https://" in one for one in said)
    assert any("TRACKING_URL must begin with https://" in one for one in said)
    assert any("GUESS_LIMITS must not be off" in one for one in said)


def test_in_prod_there_is_a_proxy_and_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"PUBLIC_URL": "https://a.example", "TRACKING_URL": "https://t.example"}
    configured(monkeypatch, {"ENVIRONMENT": "prod", **addresses})
    (found,) = settings_checks.settings()
    assert found.status is Status.WARNING
    assert "TRUSTED_PROXIES is not set" in found.sentence
    monkeypatch.setenv("TRUESEND_TRUSTED_PROXIES", "1")
    (found,) = settings_checks.settings()
    assert found.status is Status.OK
    monkeypatch.setenv("TRUESEND_TRUSTED_PROXIES", "0")
    (found,) = settings_checks.settings()
    assert found.status is Status.WRONG


def test_a_misspelt_name_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENTID", "x")
    (found,) = settings_checks.settings()
    assert found.status is Status.WARNING
    assert "Is TRUESEND_GOOGLE_CLIENT_ID meant?" in found.sentence
    monkeypatch.delenv("TRUESEND_GOOGLE_CLIENTID")
    monkeypatch.setenv("TRUESEND_WHATEVER_THIS_IS", "x")
    (found,) = settings_checks.settings()
    assert found.fix is not None
    assert found.fix.unset == ("TRUESEND_WHATEVER_THIS_IS",)


def test_a_secret_by_file_is_no_unknown_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret")
    monkeypatch.setenv("TRUESEND_GOOGLE_CLIENT_SECRET_FILE", str(path))
    assert [one.status for one in settings_checks.settings()] == [Status.OK]


@pytest.mark.parametrize(
    ("name", "sandbox", "status"),
    [
        ("dev", "", "ok"),
        ("dev", "http://localhost:9000", "ok"),
        ("stage", "http://localhost:9000", "warning"),
    ],
)
def test_which_environment_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str, sandbox: str, status: str
) -> None:
    monkeypatch.setenv("TRUESEND_ENVIRONMENT", name)
    monkeypatch.setenv("TRUESEND_SANDBOX_URL", sandbox)
    assert settings_checks.environment().status == status


def test_keys_in_the_folder_count_and_none_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "link_keys").write_text(f"a:{KEY}\n")
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"b:{KEY}")
    settings_checks.keys_at_hand(tmp_path)
    assert os.environ["TRUESEND_LINK_KEYS_FILE"] == str(tmp_path / "link_keys")
    assert "TRUESEND_ENCRYPTION_KEYS_FILE" not in os.environ
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link_keys"]
    monkeypatch.delenv("TRUESEND_LINK_KEYS_FILE")
