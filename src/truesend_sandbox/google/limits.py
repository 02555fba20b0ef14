"""Gmail's sending limits of a rolling day (support.google.com/a/answer/166852)."""

from __future__ import annotations

from aiohttp import web

from truesend_sandbox.google import errors
from truesend_sandbox.google.api import Caller

DAY = 86_400


def over_daily_limit(caller: Caller, recipients: int) -> web.Response | None:
    """The answer when this mail would pass a limit; both limits are switches, 0 is none."""
    call = caller.call
    most_mails, most_recipients = call.switch("daily_messages"), call.switch("daily_recipients")
    if not most_mails and not most_recipients:
        return None
    row = caller.world.store.one(
        "SELECT COUNT(*) AS mails, COALESCE(SUM(recipients), 0) AS people, MIN(at) AS oldest"
        " FROM gmail_sends WHERE account_id = ? AND at > ?",
        caller.account.id,
        call.now - DAY,
    )
    assert row is not None
    if (most_mails and row["mails"] >= most_mails) or (
        most_recipients and row["people"] + recipients > most_recipients
    ):
        return mail_sending(caller.call.now if row["oldest"] is None else row["oldest"], caller)
    return None


def mail_sending(oldest: float, caller: Caller) -> web.Response:
    """429 with the moment when the oldest mail leaves the window."""
    call = caller.call
    return errors.user_rate_limit(
        oldest + DAY,
        call.switch("rate_limit_status"),
        about_sending=True,
        retry_after=int(oldest + DAY - call.now) if call.switch("retry_after_header") else None,
    )


def count(caller: Caller, recipients: int) -> None:
    """One mail more today."""
    caller.world.store.run(
        "INSERT INTO gmail_sends (account_id, at, recipients) VALUES (?, ?, ?)",
        caller.account.id,
        caller.call.now,
        recipients,
    )
