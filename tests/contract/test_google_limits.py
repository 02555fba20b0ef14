"""Gmail's limits as a send meets them: whose they are and until when, under either status."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contract.mailboxes import GoogleMailbox, new_mark
from tests.sandbox_process import Sandbox

from truesend.providers.errors import Outcome, SendResult


@pytest.fixture(params=[403, 429])
def gmailbox(request: pytest.FixtureRequest, sandbox: Sandbox) -> GoogleMailbox:
    sandbox.switch(rate_limit_status=request.param)
    return GoogleMailbox(sandbox)


def refused(gmailbox: GoogleMailbox, cause: str) -> SendResult:
    result = gmailbox.hand_over(gmailbox.message(new_mark()))
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, cause)
    return result


def test_the_quota_of_one_mailbox(gmailbox: GoogleMailbox) -> None:
    gmailbox.sandbox.switch(quota_units_per_user_minute=150)
    gmailbox.send(new_mark())
    result = refused(gmailbox, "throttled")
    assert (result.client_wide, result.retry_at) == (False, None)


def test_the_quota_of_the_whole_client(gmailbox: GoogleMailbox) -> None:
    gmailbox.sandbox.switch(quota_units_per_project_minute=150)
    gmailbox.send(new_mark())
    result = refused(gmailbox, "throttled")
    assert (result.client_wide, result.retry_at) == (True, None)


def test_the_daily_limit_says_when_its_window_opens(gmailbox: GoogleMailbox) -> None:
    gmailbox.sandbox.switch(daily_messages=1)
    gmailbox.send(new_mark())
    result = refused(gmailbox, "daily_limit")
    assert result.retry_at is not None
    assert timedelta(hours=23, minutes=59) < result.retry_at - gmailbox.now() <= timedelta(hours=24)
    assert not result.client_wide


@pytest.mark.parametrize("header", [False, True])
def test_a_throttle_says_until_when_in_its_text_and_perhaps_in_a_header(
    gmailbox: GoogleMailbox, header: bool
) -> None:
    gmailbox.sandbox.switch(retry_after_header=header)
    gmailbox.sandbox.fault("send", "throttle", retry_after=600)
    result = refused(gmailbox, "throttled")
    assert result.retry_at is not None
    assert timedelta(seconds=590) < result.retry_at - gmailbox.now() < timedelta(seconds=610)


def test_a_time_nobody_can_mean_is_left_to_our_own_patience(gmailbox: GoogleMailbox) -> None:
    for seconds in (0, 8 * 86_400, 31_536_000):
        gmailbox.sandbox.fault("send", "throttle", retry_after=seconds, times=1)
        assert refused(gmailbox, "throttled").retry_at is None
