"""Whether a client is right is told without any user, of every provider alike."""

from __future__ import annotations

import pytest
from tests.contract.mailboxes import Mailbox
from tests.sandbox_process import Sandbox

from truesend.providers import clients, registry
from truesend.providers.clients import Client

BACK = "http://localhost:8000/oauth/{}/callback"


def test_a_right_client_is_told_by_the_refusal_of_a_code(mailbox: Mailbox, sandbox: Sandbox) -> None:
    adapter = registry.provider(mailbox.key)
    found = adapter.check_client(BACK.format(mailbox.key))
    assert (found.check, found.ok, found.cause) == ("client", True, ""), found
    calls = [one for one in sandbox.calls(provider=mailbox.key) if one["operation"].startswith("token")]
    assert len(calls) == 1  # it is asked once, and nothing else is


@pytest.mark.parametrize("wrong", ["secret", "id"])
def test_a_wrong_client_is_told_from_it(mailbox: Mailbox, wrong: str) -> None:
    adapter = registry.provider(mailbox.key)
    right = clients.require(mailbox.key)
    tried = Client(
        "nobody" if wrong == "id" else right.id,
        "0ther-s3cret-entirely" if wrong == "secret" else right.secret,
        "tried",
        right.extra,
    )
    with clients.trying(mailbox.key, tried):
        found = adapter.check_client(BACK.format(mailbox.key))
    assert not found.ok
    assert found.cause in {"client_unknown", "client_secret_wrong"}, found
    assert "0ther" not in found.words


def test_an_outage_proves_neither(mailbox: Mailbox, sandbox: Sandbox) -> None:
    sandbox.fault("token", "outage", provider=mailbox.key)
    found = registry.provider(mailbox.key).check_client(BACK.format(mailbox.key))
    assert not found.ok
    assert found.cause in {"provider_error", "provider_unreachable", "provider_timeout", "provider_cut_off"}


def test_an_operator_is_told_how_to_get_one(mailbox: Mailbox) -> None:
    setup = registry.provider(mailbox.key).setup
    assert setup.console_url.startswith("https://")
    assert all(setup.labels)
    assert len(setup.steps) >= 3
    assert all(one.words.endswith(".") for one in setup.steps)
    assert {"client_unknown", "client_secret_wrong"} <= setup.fixes.keys()


def test_whether_the_return_address_is_registered_is_told_where_it_can_be(
    mailbox: Mailbox, sandbox: Sandbox
) -> None:
    adapter = registry.provider(mailbox.key)
    sandbox.account("ana@northwind.example", provider=mailbox.key)
    sandbox.consent("ana@northwind.example", provider=mailbox.key)  # of somebody else, meanwhile
    found = adapter.check_redirect(BACK.format(mailbox.key))
    other = adapter.check_redirect("http://localhost:8000/elsewhere")
    if not adapter.setup.can_be_silent:
        assert (found, other) == (None, None)
        assert sandbox.calls(provider=mailbox.key) == []
        return
    assert found is not None
    assert found.ok
    assert other is not None
    assert (other.ok, other.cause) == (False, "redirect_mismatch")
    assert len(sandbox.control("GET", "state")["consents"]) == 1
