"""The verdict over every combination of facts, held against rules that are written down a second time, plainly."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from truesend.connections.causes import CAUSES, Severity
from truesend.connections.verdict import GRANT_PROOF_VALID, READ_PROOF_VALID, Facts, ProofFact, Verdict, judge

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
CONSENTED = NOW - timedelta(minutes=40)
BEFORE_CONSENT = CONSENTED - timedelta(hours=3)


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def good(check: str, at: datetime) -> ProofFact:
    return ProofFact(check, True, at, "call")


def bad(check: str, at: datetime, cause: str, until: datetime | None = None) -> ProofFact:
    return ProofFact(check, False, at, "call", cause, "words", until)


def facts(*proofs: ProofFact, **changed: object) -> Facts:
    plain: dict[str, object] = {
        "offered": ("send", "read"),
        "asked": ("send",),
        "granted": ("send",),
        "consented_at": CONSENTED,
        "disconnected_at": None,
        "has_refresh_token": True,
        "proofs": proofs,
    }
    return Facts(**{**plain, **changed})  # type: ignore[arg-type]


# What may stand in the table for one check: nothing, a good answer, a bad one, both in either order.
_GOOD_AT = {"none": None, "before": BEFORE_CONSENT, "since": ago(minutes=30)}
_BAD_AT = {"none": None, "before": BEFORE_CONSENT, "older": ago(minutes=35), "newer": ago(minutes=5)}
_BAD_CAUSES = ("grant_revoked", "client_secret_wrong", "throttled", "provider_timeout", "message_refused")


def _proofs(check: str, good_at: str, bad_at: str, cause: str) -> list[ProofFact]:
    at, failed = _GOOD_AT[good_at], _BAD_AT[bad_at]
    return [
        *([good(check, at)] if at else []),
        *([bad(check, failed, cause)] if failed else []),
    ]


def _stands(good_at: str, bad_at: str) -> bool:
    """A failure counts when it came after the consent and no good answer came after it."""
    return bad_at == "newer" or (bad_at == "older" and good_at != "since")


def test_every_combination() -> None:
    count = 0
    seen: set[Verdict] = set()
    for asked, granted, refresh, ended in itertools.product((True, False), repeat=4):
        for grant in itertools.product(_GOOD_AT, _BAD_AT, _BAD_CAUSES):
            for own in itertools.product(_GOOD_AT, _BAD_AT, _BAD_CAUSES):
                found = judge(
                    facts(
                        *_proofs("grant", *grant),
                        *_proofs("send", *own),
                        asked=("send",) if asked else (),
                        granted=("send",) if granted else (),
                        has_refresh_token=refresh,
                        disconnected_at=ago(minutes=1) if ended else None,
                    ),
                    NOW,
                ).capability("send")
                assert found is not None
                assert (found.verdict, found.cause) == _expected(asked, granted, refresh, ended, grant, own)
                seen.add(found.verdict)
                count += 1
    assert seen == set(Verdict)
    print(f"{count} combinations")


def _expected(
    asked: bool,
    granted: bool,
    refresh: bool,
    ended: bool,
    grant: tuple[str, str, str],
    own: tuple[str, str, str],
) -> tuple[Verdict, str]:
    if ended:
        return Verdict.DISCONNECTED, "disconnected"
    if not asked:
        return Verdict.UNPROVEN, "not_asked"
    grant_fails, own_fails = _stands(*grant[:2]), _stands(*own[:2])
    grant_breaks = grant_fails and CAUSES[grant[2]].severity is Severity.BROKEN
    own_breaks = own_fails and CAUSES[own[2]].severity is Severity.BROKEN
    if grant_breaks:
        return Verdict.BROKEN, grant[2]
    if not granted:
        return Verdict.BROKEN, "scope_missing"
    if not refresh:
        return Verdict.BROKEN, "no_refresh_token"
    if own_breaks:
        return Verdict.BROKEN, own[2]
    if grant_fails:
        return Verdict.ATTENTION, grant[2]
    if own_fails:
        return Verdict.ATTENTION, own[2]
    if own[0] != "since":
        return Verdict.UNPROVEN, "not_tried"
    if grant[0] != "since":
        return Verdict.UNPROVEN, "proof_old"
    return Verdict.WORKING, ""


@pytest.mark.parametrize("cause", [one.code for one in CAUSES.values()])
def test_every_cause_can_be_the_failure_of_a_check(cause: str) -> None:
    found = judge(facts(good("grant", ago(minutes=1)), bad("send", NOW, cause)), NOW)
    wanted = Verdict.BROKEN if CAUSES[cause].severity is Severity.BROKEN else Verdict.ATTENTION
    assert (found.verdict, found.cause) == (wanted, cause)


def test_a_grant_proof_grows_old() -> None:
    sent = good("send", CONSENTED)
    young = facts(sent, good("grant", NOW - GRANT_PROOF_VALID))
    old = facts(
        sent, good("grant", NOW - GRANT_PROOF_VALID - timedelta(seconds=1)), consented_at=ago(hours=5)
    )
    assert judge(young, NOW).verdict is Verdict.WORKING
    found = judge(facts(good("send", ago(hours=4)), *old.proofs, consented_at=ago(hours=5)), NOW)
    assert (found.verdict, found.cause) == (Verdict.UNPROVEN, "proof_old")


def test_an_accepted_send_vouches_as_long_as_the_grant_renews() -> None:
    month = facts(good("send", ago(days=29)), good("grant", ago(minutes=50)), consented_at=ago(days=30))
    assert judge(month, NOW).verdict is Verdict.WORKING


def test_reading_needs_a_young_proof_of_its_own() -> None:
    both = {"asked": ("send", "read"), "granted": ("send", "read"), "consented_at": ago(days=30)}
    sent = [good("grant", ago(minutes=5)), good("send", ago(days=2))]
    assert judge(facts(*sent, good("read", NOW - READ_PROOF_VALID), **both), NOW).verdict is Verdict.WORKING
    old = judge(facts(*sent, good("read", NOW - READ_PROOF_VALID - timedelta(seconds=1)), **both), NOW)
    assert (old.verdict, old.cause) == (Verdict.UNPROVEN, "proof_old")


def test_untried_reading_has_words_of_its_own() -> None:
    both = {"asked": ("send", "read"), "granted": ("send", "read")}
    neither = judge(facts(good("grant", ago(minutes=5)), **both), NOW)
    assert [one.cause for one in neither.capabilities] == ["not_tried", "read_not_tried"]
    assert neither.cause == "not_tried"
    sent = judge(facts(good("grant", ago(minutes=5)), good("send", ago(minutes=5)), **both), NOW)
    assert (sent.verdict, sent.cause) == (Verdict.UNPROVEN, "read_not_tried")
    assert CAUSES["read_not_tried"].action == "Verify now"


def test_the_connection_is_as_good_as_its_worst_capability_that_was_asked_for() -> None:
    proofs = (good("grant", ago(minutes=5)), good("send", ago(minutes=5)))
    only_send = judge(facts(*proofs), NOW)
    assert only_send.verdict is Verdict.WORKING
    assert [(one.name, one.cause) for one in only_send.capabilities] == [("send", ""), ("read", "not_asked")]
    both = judge(facts(*proofs, asked=("send", "read")), NOW)
    assert (both.verdict, both.cause) == (Verdict.BROKEN, "scope_missing")
    read = facts(*proofs, bad("read", NOW, "throttled"), asked=("send", "read"), granted=("send", "read"))
    assert (judge(read, NOW).verdict, judge(read, NOW).cause) == (Verdict.ATTENTION, "throttled")


@pytest.mark.parametrize("cause", sorted(code for code, one in CAUSES.items() if one.lasts is not None))
def test_a_failure_that_blocks_its_own_contradiction_lapses(cause: str) -> None:
    lasts = CAUSES[cause].lasts
    assert lasts is not None
    failed = ago(hours=30)
    base = {"consented_at": ago(days=3)}
    before = [good("grant", ago(minutes=5)), good("send", ago(days=2))]
    standing = judge(facts(*before, bad("send", NOW - lasts + timedelta(seconds=1), cause), **base), NOW)
    assert standing.cause == cause
    lapsed = judge(facts(*before, bad("send", failed, cause), **base), NOW)
    # It is not green either: nothing has shown that it works again.
    assert (lapsed.verdict, lapsed.cause) == (Verdict.UNPROVEN, "proof_old")
    never = judge(facts(good("grant", ago(minutes=5)), bad("send", failed, cause), **base), NOW)
    assert (never.verdict, never.cause) == (Verdict.UNPROVEN, "tried_unproven")
    # The grant's own failure stands until the grant has worked.
    grant = judge(facts(good("grant", ago(days=2)), bad("grant", failed, cause), **base), NOW)
    assert grant.cause == cause


@pytest.mark.parametrize(
    "cause", sorted(code for code, one in CAUSES.items() if one.severity is Severity.BROKEN)
)
def test_time_repairs_nothing_that_is_broken(cause: str) -> None:
    assert CAUSES[cause].lasts is None
    base = {"consented_at": ago(days=30)}
    refused = bad("send", ago(days=20), cause, until=ago(days=19))
    renewed = [good("grant", ago(minutes=5)), good("read", ago(minutes=5)), good("send", ago(days=25))]
    found = judge(facts(*renewed, refused, **base), NOW)
    assert (found.verdict, found.cause) == (Verdict.BROKEN, cause)
    # The same check has worked, or a new consent came.
    again = judge(facts(*renewed[:2], refused, good("send", ago(days=1)), **base), NOW)
    assert again.verdict is Verdict.WORKING
    assert judge(facts(*renewed, refused, consented_at=ago(minutes=6)), NOW).cause == "not_tried"


def test_what_was_tried_is_not_called_untried() -> None:
    renewed = good("grant", ago(minutes=5))
    found = judge(facts(renewed, tried=True), NOW)
    assert (found.verdict, found.cause) == (Verdict.UNPROVEN, "tried_unproven")
    both = {"asked": ("send", "read"), "granted": ("send", "read"), "consented_at": ago(days=3)}
    over = bad("read", ago(minutes=9), "throttled", until=ago(minutes=1))
    read = judge(facts(renewed, over, **both), NOW).capability("read")
    assert read is not None
    assert (read.verdict, read.cause, read.proof) == (Verdict.UNPROVEN, "read_unproven", over)
    # What was tried before the consent says nothing of it, and a good answer says it all.
    assert judge(facts(renewed, bad("send", BEFORE_CONSENT, "throttled")), NOW).cause == "not_tried"
    assert judge(facts(renewed, good("send", ago(minutes=5)), tried=True), NOW).verdict is Verdict.WORKING


def test_the_providers_own_time_ends_a_limit() -> None:
    proofs = [good("grant", ago(minutes=1)), good("send", ago(minutes=30))]
    limit = bad("send", ago(minutes=10), "daily_limit", until=NOW + timedelta(seconds=1))
    assert judge(facts(*proofs, limit), NOW).cause == "daily_limit"
    over = bad("send", ago(minutes=10), "daily_limit", until=NOW)
    assert judge(facts(*proofs, over), NOW).cause == "proof_old"


def test_recovery_clears() -> None:
    failed = bad("send", ago(minutes=10), "throttled")
    assert judge(facts(good("grant", ago(minutes=9)), failed, good("send", ago(minutes=9))), NOW).cause == ""
    dead = bad("grant", ago(minutes=10), "grant_revoked")
    again = facts(good("grant", ago(minutes=9)), dead, good("send", ago(minutes=20)))
    assert judge(again, NOW).verdict is Verdict.WORKING


def test_a_new_consent_forgets_both_failures_and_successes() -> None:
    proofs = (
        bad("grant", ago(minutes=10), "grant_revoked"),
        bad("send", ago(minutes=10), "admin_policy"),
        good("send", ago(minutes=20)),
        good("grant", ago(minutes=5)),
    )
    found = judge(facts(*proofs, consented_at=ago(minutes=5)), NOW)
    assert (found.verdict, found.cause) == (Verdict.UNPROVEN, "not_tried")


def test_a_send_that_failed_is_believed_until_the_sending_call_is_reached_again() -> None:
    tried = [
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=20)),
        bad("send", ago(minutes=9), "provider_error"),
    ]
    assert judge(facts(*tried), NOW).cause == "provider_error"
    early = judge(facts(*tried, good("reach", ago(minutes=10))), NOW)
    assert (early.verdict, early.cause) == (Verdict.ATTENTION, "provider_error")
    reached = judge(facts(*tried, good("reach", ago(minutes=2))), NOW)
    assert (reached.verdict, reached.cause) == (Verdict.WORKING, "")


@pytest.mark.parametrize(
    "cause", ["scope_missing", "admin_policy", "mailbox_missing", "access_refused", "api_disabled"]
)
def test_what_broke_a_send_is_mended_when_its_call_is_reached(cause: str) -> None:
    broken = [
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=20)),
        bad("send", ago(minutes=9), cause),
    ]
    assert judge(facts(*broken), NOW).verdict is Verdict.BROKEN
    assert judge(facts(*broken, good("reach", ago(minutes=2))), NOW).verdict is Verdict.WORKING


@pytest.mark.parametrize("cause", ["daily_limit", "sending_blocked", "provider_refused"])
def test_that_a_call_is_reached_ends_no_limit_and_no_block(cause: str) -> None:
    proofs = [
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=20)),
        bad("send", ago(minutes=9), cause),
        good("reach", ago(minutes=2)),
    ]
    found = judge(facts(*proofs), NOW)
    assert (found.verdict, found.cause) == (Verdict.ATTENTION, cause)


def test_reaching_the_sending_call_proves_no_send() -> None:
    found = judge(facts(good("grant", ago(minutes=1)), good("reach", ago(minutes=1))), NOW)
    assert (found.verdict, found.cause) == (Verdict.UNPROVEN, "not_tried")


def test_a_key_that_works_does_not_hide_that_it_cannot_be_renewed() -> None:
    proofs = [
        bad("renew", ago(minutes=9), "grant_revoked"),
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=1)),
    ]
    found = judge(facts(*proofs, access_until=NOW + timedelta(minutes=30)), NOW)
    assert (found.verdict, found.cause) == (Verdict.BROKEN, "grant_revoked")
    assert judge(facts(*proofs, good("renew", ago(minutes=2))), NOW).verdict is Verdict.WORKING


@pytest.mark.parametrize("cause", sorted(code for code, one in CAUSES.items() if one.of_the_client))
def test_what_is_wrong_with_the_client_breaks_nothing_while_the_key_lasts(cause: str) -> None:
    proofs = [
        bad("renew", ago(minutes=9), cause),
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=20)),
    ]
    for until, verdict in (
        (NOW + timedelta(minutes=1), Verdict.ATTENTION),
        (NOW, Verdict.BROKEN),
        (None, Verdict.BROKEN),
    ):
        found = judge(facts(*proofs, access_until=until), NOW)
        assert (found.verdict, found.cause) == (verdict, cause)


def test_a_call_that_is_not_reached_hides_no_block() -> None:
    """A mailbox that was switched off for a while and is blocked for sending is still blocked when it is back."""
    proofs = [
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=20)),
        bad("send", ago(minutes=9), "sending_blocked"),
        bad("reach", ago(minutes=6), "mailbox_missing"),
    ]
    assert judge(facts(*proofs), NOW).cause == "mailbox_missing"
    back = judge(facts(*proofs, good("reach", ago(minutes=2))), NOW)
    assert (back.verdict, back.cause) == (Verdict.ATTENTION, "sending_blocked")
    assert judge(facts(*proofs, good("send", ago(minutes=2))), NOW).verdict is Verdict.WORKING


def test_what_a_check_brought_up_a_check_ends() -> None:
    asked = [
        good("grant", ago(minutes=1)),
        good("send", ago(minutes=20)),
        bad("reach", ago(minutes=9), "provider_refused"),
    ]
    assert judge(facts(*asked), NOW).cause == "provider_refused"
    assert judge(facts(*asked, good("reach", ago(minutes=2))), NOW).verdict is Verdict.WORKING
