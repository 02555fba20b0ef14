"""A token endpoint that is down, or refuses our client: one asks, all say why, and all go on once it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import rows
from tests.grants import (
    connected,
    make_due,
    renew_all,
    renewals,
    sandbox_of_ours,
    told,
)
from tests.sandbox_process import Sandbox

from truesend.connections import outages, probe
from truesend.connections.models import Outage, Token
from truesend.organizations.models import Member
from truesend.providers import registry

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with sandbox_of_ours(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def owner() -> Member:
    return rows.member()


def test_of_a_provider_that_is_down_one_asks_and_all_say_why(sandbox: Sandbox, owner: Member) -> None:
    ones = [connected(sandbox, "keap", owner) for _ in range(20)]
    others = [connected(sandbox, "google", owner) for _ in range(3)]
    outage = sandbox.fault("token.refresh", "outage", "keap")
    make_due(*ones, *others)
    assert renew_all("keap") == outages.MISSES == renewals(sandbox)
    assert [told(one)[0] for one in ones] == ["provider_error"] * 20
    assert renew_all("google") == 3  # which is somebody else
    for minutes in range(1, 11):
        sandbox.advance(60)
        renew_all("keap")
        assert renewals(sandbox) <= outages.MISSES + minutes
    assert renewals(sandbox) >= outages.MISSES + 5
    sandbox.control("DELETE", f"faults/{outage}")
    sandbox.advance(100)
    assert renew_all("keap") >= 15
    sandbox.advance(180)  # the last of those that had asked
    renew_all("keap")
    assert [told(one)[0] for one in ones] == ["not_tried"] * 20
    assert not Outage.objects.exists()
    assert Token.objects.filter(dead_at__isnull=False).count() == 0


def test_what_fails_for_one_account_alone_keeps_no_other_waiting(sandbox: Sandbox, owner: Member) -> None:
    sick, *well = (connected(sandbox, "google", owner) for _ in range(3))
    sandbox.fault("token.refresh", "outage", account=sick.address)
    for _ in range(outages.MISSES + 2):
        make_due(sick)
        renew_all("google")
        sandbox.advance(200)
    assert not outages.waiting().exists()
    make_due(*well)
    assert renew_all("google") == 3
    assert [told(one)[0] for one in well] == ["not_tried"] * 2


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_what_is_wrong_with_our_own_client_ends_no_grant_and_goes_on_once_it_is_mended(
    sandbox: Sandbox, owner: Member, provider: str
) -> None:
    ones = [connected(sandbox, provider, owner) for _ in range(8)]
    expired = sandbox.fault("token.refresh", "client_secret_expired", provider)
    make_due(*ones)
    assert renew_all(provider) == outages.MISSES
    causes = {told(one)[0] for one in ones}
    assert causes <= {"client_secret_wrong", "client_secret_expired"}, causes
    assert not Token.objects.filter(dead_at__isnull=False).exists()
    sandbox.control("DELETE", f"faults/{expired}")
    sandbox.advance(100)
    renew_all(provider)
    sandbox.advance(180)
    renew_all(provider)
    assert {told(one)[0] for one in ones} == {"not_tried"}


def test_a_limit_that_names_its_time_is_given_it(sandbox: Sandbox, owner: Member) -> None:
    ones = [connected(sandbox, "microsoft", owner) for _ in range(6)]
    limit = sandbox.fault("token.refresh", "throttle", "microsoft", retry_after=600)
    make_due(*ones)
    assert renew_all("microsoft") == outages.MISSES
    sandbox.control("DELETE", f"faults/{limit}")
    sandbox.advance(500)
    assert renew_all("microsoft") == 0
    sandbox.advance(110)
    assert renew_all("microsoft") >= 1
    assert not outages.waiting().exists()


def test_what_is_done_on_schedule_waits_too_and_a_person_who_asks_does_not(
    sandbox: Sandbox, owner: Member
) -> None:
    """Some providers' probes are renewals."""
    ones = [connected(sandbox, "microsoft", owner) for _ in range(outages.MISSES + 1)]
    sandbox.fault("token.refresh", "outage", "microsoft")
    make_due(*ones)
    renew_all("microsoft")
    before = renewals(sandbox, "microsoft")
    for one in ones:
        probe.verify(one, trigger="schedule")
    assert renewals(sandbox, "microsoft") == before
    probe.verify(ones[0], trigger="ana@northwind.example")
    assert renewals(sandbox, "microsoft") == before + 1
    sandbox.advance(100)  # one may ask again
    for one in ones:
        probe.verify(one, trigger="schedule")
    assert renewals(sandbox, "microsoft") == before + 2
