"""Renewals at every provider of the sandbox: nothing is lost that can be kept, and what ends is named."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from tests import rows
from tests.grants import (
    connected,
    given,
    make_due,
    renew_all,
    renewals,
    sandbox_of_ours,
    token,
    told,
    works,
)
from tests.sandbox_process import Sandbox

from truesend import clock, env
from truesend.connections import homecoming, probe, renewal, rescue, tokens
from truesend.connections.models import Connection, LedgerEntry, Proof, Token
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.errors import ProviderError

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with sandbox_of_ours(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def owner() -> Member:
    return rows.member()


# -- what is due ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_a_renewal_replaces_the_key_and_is_noted(sandbox: Sandbox, owner: Member, provider: str) -> None:
    one, other = connected(sandbox, provider, owner), connected(sandbox, provider, owner)
    before, untouched = token(one), token(other).version
    make_due(one)
    assert renew_all(provider) == 1
    after = token(one)
    assert after.version == before.version + 1
    assert after.due_at is not None
    assert clock.now() < after.due_at < after.access_expires_at
    assert {after.begun_at, after.begun_by, after.lost_at} == {None}
    assert works(one, tokens.access_token(one, trigger="test"))
    newest = LedgerEntry.objects.filter(connection=one).latest("id")
    assert (newest.kind, newest.trigger, newest.result) == ("refresh", "schedule", "ok")
    proved = Proof.objects.filter(connection=one, ok=True, call="token.refresh")
    assert {proof.check_name for proof in proved} == {"grant", "renew"}
    assert (token(other).version, renewals(sandbox, provider)) == (untouched, 1)  # the other was not due


def test_a_key_that_works_once_lives_through_weeks_in_which_nobody_comes(
    sandbox: Sandbox, owner: Member
) -> None:
    one = connected(sandbox, "keap", owner)
    for _ in range(50):  # longer than the 45 days after which Keap ends what is not used
        sandbox.advance(DAY)
        renew_all("keap")
    assert token(one).dead_at is None
    assert 50 <= renewals(sandbox) <= 70  # each renewal is a risk: no more than the keys' lives ask for
    assert works(one, tokens.access_token(one, trigger="test"))


def test_the_token_before_is_kept_until_the_new_one_has_worked(sandbox: Sandbox, owner: Member) -> None:
    one = connected(sandbox, "keap", owner)
    first = token(one)
    for _ in range(2):
        used = bytes(token(one).refresh or b"")
        make_due(one)
        renew_all("keap")
        assert bytes(token(one).previous_refresh or b"") == used
    assert bytes(token(one).refresh or b"") != bytes(first.refresh or b"")


# -- what is lost -----------------------------------------------------------------------------------------------


def lose(sandbox: Sandbox, one: Connection) -> None:
    """A renewal that is carried out and whose answer does not arrive."""
    sandbox.fault("token.refresh", "lost_answer", "keap", account=one.address, times=1)
    make_due(one)
    assert renew_all("keap") == 1


def test_a_lost_answer_is_told_with_its_hour_and_its_kind(sandbox: Sandbox, owner: Member) -> None:
    one = connected(sandbox, "keap", owner)
    lose(sandbox, one)
    assert (token(one).dead_at, token(one).lost_how) == (None, "provider_cut_off")
    assert told(one)[0] == "provider_cut_off"
    sandbox.advance(180)
    assert renew_all("keap") == 1
    cause, words = told(one)
    assert cause == "renewal_lost"
    assert "was cut off before the answer came; now Keap says “invalid_grant: Invalid refresh token”" in words
    assert f"The renewal of {token(one).lost_at:%-d %b %Y, %H:%M} UTC" in words
    assert token(one).dead_at is not None
    sandbox.advance(3600)
    assert renew_all("keap") == 0  # nothing but a consent helps
    with transaction.atomic():
        tokens.replace(one, given(sandbox, "keap", one.address), clock.now())
    assert (token(one).dead_at, token(one).lost_at, token(one).lost_how) == (None, None, "")


def test_where_a_used_token_goes_on_for_a_while_the_next_try_saves_it(
    sandbox: Sandbox, owner: Member
) -> None:
    sandbox.switch("keap", refresh_grace=600.0)
    one = connected(sandbox, "keap", owner)
    lose(sandbox, one)
    sandbox.advance(180)
    assert renew_all("keap") == 1
    assert (token(one).dead_at, token(one).lost_at) == (None, None)
    assert works(one, tokens.access_token(one, trigger="test"))


def test_a_refusal_that_was_heard_loses_nothing(sandbox: Sandbox, owner: Member) -> None:
    one = connected(sandbox, "keap", owner)
    sandbox.fault("token.refresh", "client_secret_expired", "keap", times=1)
    make_due(one)
    renew_all("keap")
    assert (token(one).lost_at, token(one).begun_at) == (None, None)


def test_a_renewal_that_is_under_way_elsewhere_is_let_be(sandbox: Sandbox, owner: Member) -> None:
    """A process that died, or that is about to come back with the only copy of the next key."""
    one = connected(sandbox, "keap", owner)
    make_due(one)
    Token.objects.filter(pk=one.pk).update(
        begun_at=clock.now(), begun_where="elsewhere", begun_until=clock.real_now() + timedelta(seconds=3)
    )
    assert renew_all("keap") == 0
    began = time.monotonic()
    # Whoever needs it now waits until no answer can come any more.
    access = tokens.access_token(one, trigger="test", renew=True)
    assert time.monotonic() - began > 2
    assert works(one, access)
    assert renewals(sandbox) == 1


def test_what_was_announced_and_never_came_back_is_lost_from_the_next_try_on(
    sandbox: Sandbox, owner: Member
) -> None:
    one = connected(sandbox, "keap", owner)
    began = clock.now() - timedelta(minutes=7)
    announced = {"begun_at": began, "begun_until": clock.real_now() - timedelta(minutes=5)}
    make_due(one)
    Token.objects.filter(pk=one.pk).update(begun_where="elsewhere", **announced)
    assert renew_all("keap") == 0  # its answer may lie on another machine's disk
    here = renewal._announcement().here
    Token.objects.filter(pk=one.pk).update(begun_where=here)
    sandbox.control("POST", "faults", {
        "provider": "keap", "operation": "token.refresh", "kind": "expire_grant", "cause": "unused", "times": 1,
    })  # fmt: skip
    assert renew_all("keap") == 1
    assert token(one).lost_at == began
    cause, words = told(one)
    assert cause == "renewal_lost"
    assert "was interrupted here before its answer was stored" in words


def test_an_answer_on_the_disk_is_brought_home_and_heals_what_died_meanwhile(
    sandbox: Sandbox, owner: Member
) -> None:
    one = connected(sandbox, "keap", owner)
    before = token(one)
    grant = registry.provider("keap").refresh(
        renewal.opened(before.refresh or b"", f"token.refresh:{one.pk}")
    )
    at = clock.now()
    make_due(one)
    renew_all("keap")  # with the used key, which is dead
    assert token(one).dead_at is not None
    assert rescue.keep(one.pk, before.version, grant, at)
    assert homecoming.bring_all() == 0  # as young as this it may be about to be committed
    time.sleep(2.1)
    assert homecoming.bring_all() == 1
    assert not (env.data_dir() / "rescue" / str(one.pk)).exists()
    assert token(one).dead_at is None
    assert told(one)[0] == "not_tried"
    assert works(one, tokens.access_token(one, trigger="test"))
    assert homecoming.bring_all() == 0


def test_what_is_worth_nothing_any_more_is_forgotten_and_what_cannot_be_read_stays(
    sandbox: Sandbox, owner: Member
) -> None:
    one, other, gone = (connected(sandbox, "keap", owner) for _ in range(3))
    grant = given(sandbox, "keap", "eve@northwind.example")
    rescue.keep(one.pk, token(one).version - 1, grant, clock.now())
    rescue.keep(other.pk, token(other).version, grant, clock.now())
    rescue.keep(gone.pk, token(gone).version, grant, clock.now())
    folder = env.data_dir() / "rescue"
    (folder / str(other.pk)).write_bytes(b"%d\nspoiled" % token(other).version)
    Token.objects.filter(pk=gone.pk).delete()
    time.sleep(2.1)
    assert homecoming.bring_all() == 0
    assert [path.name for path in folder.iterdir()] == [str(other.pk)]


def test_a_row_made_anew_does_not_fit_what_was_kept_for_the_one_before(
    sandbox: Sandbox, owner: Member
) -> None:
    one = connected(sandbox, "keap", owner)
    before = token(one).version
    Token.objects.filter(pk=one.pk).delete()
    with transaction.atomic():
        tokens.replace(one, given(sandbox, "keap", one.address), clock.now())
    assert token(one).version != before


def test_a_disk_that_takes_nothing_loses_nothing_while_the_database_does(
    sandbox: Sandbox, owner: Member
) -> None:
    (env.data_dir() / "rescue").write_text("no folder")
    one = connected(sandbox, "keap", owner)
    make_due(one)
    assert renew_all("keap") == 1
    assert works(one, tokens.access_token(one, trigger="test"))
    assert not rescue.is_held()


# -- races ------------------------------------------------------------------------------------------------------


def test_on_a_dead_grant_a_key_that_changed_meanwhile_was_a_race_and_no_death(
    sandbox: Sandbox, owner: Member
) -> None:
    """A consent comes while the old grant's renewal is refused: nothing of it is held against the new one."""
    one = connected(sandbox, "keap", owner)
    sandbox.fault("token.refresh", "slow", "keap", account=one.address, ms=900, when="before", times=1)
    sandbox.fault("token.refresh", "expire_grant", "keap", account=one.address, cause="revoked", times=1)
    make_due(one)
    fresh = given(sandbox, "keap", f"new-{one.address}")

    def consent() -> None:
        while not Token.objects.filter(pk=one.pk, begun_at__isnull=False).exists():
            time.sleep(0.02)
        with transaction.atomic():
            tokens.replace(one, fresh, clock.now())
        connection.close()

    meanwhile = threading.Thread(target=consent)
    meanwhile.start()
    assert renew_all("keap") == 1
    meanwhile.join()
    assert token(one).dead_at is None
    assert not Proof.objects.filter(connection=one, ok=False).exists()
    assert tokens.access_token(one, trigger="test") == fresh.access_token


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_many_who_need_a_key_at_once_share_one_call(sandbox: Sandbox, owner: Member, provider: str) -> None:
    one = connected(sandbox, provider, owner)
    sandbox.fault("token.refresh", "slow", provider, account=one.address, ms=600, times=1)
    Token.objects.filter(pk=one.pk).update(access_expires_at=clock.now())
    found: list[str] = []

    def need() -> None:
        found.append(tokens.access_token(one, trigger="test"))
        connection.close()

    threads = [threading.Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert renewals(sandbox, provider) == 1


# -- grants that end --------------------------------------------------------------------------------------------


def test_seven_days_of_a_client_in_testing_are_known_from_the_consent_on(
    sandbox: Sandbox, owner: Member
) -> None:
    sandbox.switch(publishing_status="testing")
    one = connected(sandbox, "google", owner, "ana@gmail.com", test_user=True)
    ends = token(one).grant_ends_at
    assert ends is not None
    assert timedelta(days=6, hours=23) < ends - clock.now() < timedelta(days=7)
    sandbox.advance(6 * DAY)
    renew_all("google")
    renewed_ends = token(one).grant_ends_at
    assert renewed_ends is not None
    assert abs(renewed_ends - ends) < timedelta(minutes=1)
    sandbox.advance(DAY)
    renew_all("google")
    cause, words = told(one)
    assert cause == "testing_expired"
    assert words.startswith("The permission was given until ")
    assert token(one).dead_at is not None


@pytest.mark.parametrize(("provider", "days"), [("keap", 45), ("google", 182)])
def test_a_grant_that_nobody_could_use_for_too_long_says_so(
    sandbox: Sandbox, owner: Member, provider: str, days: int
) -> None:
    one = connected(sandbox, provider, owner)
    sandbox.advance((days + 1) * DAY)  # no worker ran in all this time
    assert renew_all(provider) == 1
    cause, words = told(one)
    assert cause == "grant_idle"
    assert words.startswith("Last used ")


def test_a_key_whose_encryption_is_gone_ends_nothing(
    sandbox: Sandbox, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = connected(sandbox, "keap", owner)
    keys = env.require("ENCRYPTION_KEYS")
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"other:{keys.partition(':')[2]}")
    make_due(one)
    renew_all("keap")
    assert told(one)[0] == "secret_unreadable"
    assert renewals(sandbox) == 0
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", keys)
    sandbox.advance(900)
    assert renew_all("keap") == 1
    assert told(one)[0] == "not_tried"


def test_a_key_that_lasts_and_can_be_read_again_works_again(
    sandbox: Sandbox, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = connected(sandbox, "keap", owner)
    Token.objects.filter(pk=one.pk).update(due_at=None, refresh=None)
    keys = env.require("ENCRYPTION_KEYS")
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"other:{keys.partition(':')[2]}")
    probe.verify(one, trigger="test")
    assert told(one)[0] == "secret_unreadable"
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", keys)
    probe.verify(one, trigger="test")
    assert told(one)[0] == "not_tried"


def test_a_disconnected_one_is_not_renewed(sandbox: Sandbox, owner: Member) -> None:
    one = connected(sandbox, "keap", owner)
    Token.objects.filter(pk=one.pk).delete()
    with pytest.raises(ProviderError) as caught:
        tokens.access_token(one, trigger="test")
    assert caught.value.cause == "disconnected"
