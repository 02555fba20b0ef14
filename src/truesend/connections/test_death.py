"""Why a grant is dead: the provider's reason where it names one, else what we know of the grant's life."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from truesend.connections.causes import CAUSES
from truesend.connections.death import UNANSWERED, Grave, reason

NOW = datetime(2026, 12, 3, 14, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
PLAIN = Grave(
    provider="Keap",
    cause="grant_rejected",
    words="invalid_grant: Invalid refresh token",
    consented_at=NOW - timedelta(days=60),
    used_at=NOW - timedelta(hours=20),
    idle_days=45,
)


def test_where_nothing_is_known_the_providers_own_words_stand() -> None:
    assert reason(PLAIN, NOW) == ("grant_rejected", PLAIN.words)


def test_a_permission_that_was_given_for_seven_days() -> None:
    given = NOW - WEEK
    grave = replace(
        PLAIN, cause="grant_revoked", consented_at=given, ends_at=given + WEEK - timedelta(seconds=1)
    )
    cause, words = reason(grave, NOW)
    assert cause == "testing_expired"
    assert words.startswith("The permission was given until 3 Dec 2026, 13:59 UTC. invalid_grant")
    # One that dies before its time died of something else.
    assert reason(grave, NOW - timedelta(hours=1))[0] == "grant_revoked"


def test_a_permission_that_its_person_gave_for_a_longer_time_is_no_test() -> None:
    given = NOW - timedelta(days=30)
    grave = replace(PLAIN, cause="grant_revoked", consented_at=given, ends_at=NOW)
    cause, words = reason(grave, NOW)
    assert cause == "grant_revoked"
    assert "given until 3 Dec 2026, 14:00 UTC" in words


def test_a_permission_that_nobody_used() -> None:
    grave = replace(PLAIN, used_at=NOW - timedelta(days=45))
    cause, words = reason(grave, NOW)
    assert cause == "grant_idle"
    assert words == "Last used 19 Oct 2026, 14:00 UTC. invalid_grant: Invalid refresh token"
    assert reason(replace(grave, idle_days=0), NOW)[0] == "grant_rejected"
    assert reason(replace(grave, used_at=NOW - timedelta(days=44)), NOW)[0] == "grant_rejected"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("provider_timeout", "got no answer in time"),
        ("provider_cut_off", "was cut off before the answer came"),
        ("provider_error", "was answered by a fault"),
        ("provider_garbage", "was answered by something that is no key"),
        ("ended", "was interrupted here before its answer was stored"),
    ],
)
def test_a_renewal_whose_answer_was_lost_says_when_and_how(how: str, told: str) -> None:
    grave = replace(PLAIN, lost_at=NOW - timedelta(minutes=5), lost_how=how)
    cause, words = reason(grave, NOW)
    assert cause == "renewal_lost"
    assert words.startswith(f"The renewal of 3 Dec 2026, 13:55 UTC {told}")
    assert words.endswith("; now Keap says “invalid_grant: Invalid refresh token”.")


@pytest.mark.parametrize("named", ["account_gone", "session_policy", "client_mismatch", "no_refresh_token"])
def test_a_reason_that_the_provider_names_stands(named: str) -> None:
    grave = replace(PLAIN, cause=named, ends_at=NOW, used_at=NOW - timedelta(days=99), lost_at=NOW)
    assert reason(grave, NOW) == (named, PLAIN.words)


def test_every_cause_that_it_names_is_in_the_table() -> None:
    assert {"testing_expired", "grant_idle", "renewal_lost"} | UNANSWERED <= set(CAUSES)
