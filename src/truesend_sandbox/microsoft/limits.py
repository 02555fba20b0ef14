"""Exchange Online's sending limits of a rolling day, and a mailbox that is blocked for sending."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web

from truesend_sandbox.door import Call
from truesend_sandbox.mailbox.headers import Mail
from truesend_sandbox.microsoft import errors, mail_store
from truesend_sandbox.microsoft.api import Caller
from truesend_sandbox.microsoft.reports import limit_report

DAY = 86_400
_VERIFY = "Follow the instructions in your Inbox to verify your account."


def message_limit(call: Call) -> web.Response:
    """The limit of the day, refused at once."""
    return errors.graph_error(
        call,
        call.switch("message_limit_status"),
        "ErrorExceededMessageLimit",
        f"Cannot send mail. Daily Message/Recipient limit exceeded. {_VERIFY}",
    )


def blocked(call: Call) -> web.Response:
    """The account may not send until its person has acted."""
    return errors.graph_error(
        call,
        call.switch("submission_blocked_status"),
        "ErrorMessageSubmissionBlocked",
        f"Cannot send mail. {_VERIFY}, WASCL UserAction verdict is not None. Actual verdict is HipSend,"
        " ShowTierUpgrade.",
    )


def _above(caller: Caller, recipients: int) -> bool:
    most = caller.call.switch("daily_recipients")
    if not most:
        return False
    spent = caller.world.store.value(
        "SELECT COALESCE(SUM(recipients), 0) FROM microsoft_sends WHERE account_id = ? AND at > ?",
        caller.account.id,
        caller.call.now - DAY,
    )
    return bool(spent + recipients > most)


def refused_today(caller: Caller, recipients: int) -> web.Response | None:
    """The answer above the day's limit where the switch lets the API refuse."""
    refuses = caller.call.switch("daily_limit_answer") == "refuse"
    return message_limit(caller.call) if refuses and _above(caller, recipients) else None


def bounces_today(caller: Caller, sent: Mail, people: list[str]) -> bool:
    """Above the day's limit an accepted mail comes back as a report into the Inbox; whether it did."""
    if not _above(caller, len(people)):
        return False
    now = format_datetime(datetime.fromtimestamp(caller.call.now, UTC))
    raw = limit_report(sent, caller.account.email, people, now)
    mail_store.receive(caller.world, caller.account.email, raw)
    return True


def count(caller: Caller, recipients: int) -> None:
    """So many recipients more today."""
    caller.world.store.run(
        "INSERT INTO microsoft_sends (account_id, at, recipients) VALUES (?, ?, ?)",
        caller.account.id,
        caller.call.now,
        recipients,
    )
