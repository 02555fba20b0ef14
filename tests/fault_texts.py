"""What is said of every fault kind on every operation where it makes sense: cause, sentence, button, person.

Times read `<time>`, the mailbox's address `<mailbox>`; people are `holder`, `operator` or named.
"""

# ruff: noqa: E501  # one case, one line
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ADMIN = "the Google administrator of northwind.example"


@dataclass(frozen=True)
class Said:
    """A cause in words: by whom it is said is up to the test."""

    cause: str | None
    sentence: str = ""
    fix: str = ""
    who: str = ""


@dataclass(frozen=True)
class Case:
    """A fault met by an operation, and what is said then; ``email`` is (status, what is in its way)."""

    operation: str
    kind: str
    more: dict[str, Any] = field(default_factory=dict)
    email: tuple[str, Said] | None = None
    connection: tuple[str, Said] | None = None
    gate: Said | None = None
    name: str = ""

    def __str__(self) -> str:
        return f"{self.operation}-{self.name or self.kind}"


SENT = ("sent", Said(None))
READY = None
WORKING = ("working", Said(None, "Verified by an accepted send; renews by itself."))
UNTRIED = (
    "unproven",
    Said("not_tried", "Permission given, not tried yet.", "Send me a test email", "holder"),
)
# Tried, and nothing said of the connection.
REFUSED = (
    "unproven",
    Said("tried_unproven", "Permission given; tried at <time>, this email was refused.", "Send me a test email", "holder"),
)  # fmt: skip
CLEARS = "It was a send; the next one that is accepted clears this."
LATER = "Nothing was sent yet. {} It goes by itself {}."
RECONNECT = "It waits here; after reconnecting you can let it go."


def unknown(cause: str, why: str) -> tuple[str, Said]:
    """The email of a send that nobody answered for, where its Sent cannot be read."""
    text = (
        f"We do not know whether it was sent: {why}. Look into the Sent folder of <mailbox>: it can still arrive there "
        "until <time>. It is not sent again by guess."
    )
    return "unknown", Said(cause, text, "Say whether it was sent", "holder")


def after_a_send(cause: str, text: str, who: str = "") -> tuple[str, Said]:
    """The connection after a send that nothing but another one contradicts."""
    return "attention", Said(cause, f"{text} {CLEARS}", "Send me a test email", who)


def after_a_fault(cause: str, text: str) -> tuple[str, Said]:
    """The connection after a send that met a fault of the moment: its call is asked again, with nothing to send."""
    return "attention", Said(cause, f"{text} {AGAIN}", "Verify now")


def held(
    cause: str, text: str, then: str = RECONNECT, fix: str = "Reconnect", who: str = "holder"
) -> tuple[str, Said]:
    """The email that waits for somebody."""
    return "held", Said(cause, f"Nothing was sent. {text} {then}", fix, who)


def broken(cause: str, text: str, fix: str = "Reconnect", who: str = "holder") -> tuple[str, Said]:
    """The connection that needs somebody."""
    return "broken", Said(cause, text, fix, who)


def refused(cause: str, text: str) -> tuple[str, Said]:
    """The email that was refused."""
    return "failed", Said(cause, f"Nothing was sent. {text}", "Edit the email", "holder")


def waiting(cause: str, text: str, when: str = "at <time>") -> tuple[str, Said]:
    """The email that goes by itself."""
    return "queued", Said(cause, LATER.format(text, when))


def error(status: int, message: str, reason: str) -> dict[str, Any]:
    """An answer in the words of Gmail's API."""
    listed = [{"message": message, "domain": "global", "reason": reason}]
    return {"status": status, "body": {"error": {"code": status, "message": message, "errors": listed}}}


FAULT = "Google has a fault at the moment."
TIMED_OUT = "Google did not answer in time."
CUT_OFF = "The connection to Google broke before an answer came."
GARBAGE = "Google's answer was not one we can read."
AGAIN = "We ask again by ourselves."
REVOKED = "Google says that the permission was withdrawn or has expired; a changed password ends it too."
MINUTE = "Nothing is lost; reconnecting takes a minute."
GONE = "Google says that this account was deleted or disabled."
RESTORED = "Once it is restored there, reconnect it."
POLICY = "An administrator at Google does not allow Truesend for this account."
ALLOWED = "Once it is allowed there, reconnect it."
SESSION = (
    "Your organization at Google asks people to sign in again from time to time, and that time has come."
)
SLOWER = "Google asks us to slow down."
DAY = "This mailbox has reached Google's daily limit."
PROJECT = "This installation has used up its daily calls at Google."
SECRET = "Google refuses this installation's client secret."
STAYS = "Your connection stays; once it is corrected, it goes on by itself."
LET_GO = "Then you can let this email go."
DEAD: dict[str, Any] = {
    "email": held("grant_revoked", REVOKED),
    "connection": broken("grant_revoked", f"{REVOKED} {MINUTE}"),
    "gate": Said("grant_revoked", f"{REVOKED} {MINUTE}", "Reconnect", "holder"),
}
BLOCKED: dict[str, Any] = {
    "email": held("admin_policy", POLICY, f"{ALLOWED} {LET_GO}", who=ADMIN),
    "connection": broken("admin_policy", f"{POLICY} {ALLOWED}", who=ADMIN),
    "gate": Said("admin_policy", f"{POLICY} {ALLOWED}", "Reconnect", ADMIN),
}
DELETED: dict[str, Any] = {
    "email": held("account_gone", GONE, f"{RESTORED} {LET_GO}", who=ADMIN),
    "connection": broken("account_gone", f"{GONE} {RESTORED}", who=ADMIN),
    "gate": Said("account_gone", f"{GONE} {RESTORED}", "Reconnect", ADMIN),
}
EXPIRED: dict[str, Any] = {
    "email": held("session_policy", SESSION),
    "connection": broken("session_policy", f"{SESSION} {MINUTE}"),
    "gate": Said("session_policy", f"{SESSION} {MINUTE}", "Reconnect", "holder"),
}
CLIENT: dict[str, Any] = {
    "email": held("client_secret_wrong", SECRET, f"{STAYS} {LET_GO}", "Contact support", "operator"),
    "connection": broken("client_secret_wrong", f"{SECRET} {STAYS}", "Contact support", "operator"),
    "gate": Said("client_secret_wrong", f"{SECRET} {STAYS}", "Contact support", "operator"),
}  # fmt: skip
KEY = "Google refused our key for this account."


def odd(cause: str, text: str) -> dict[str, Any]:
    """A renewal that failed for the moment: nothing is in the way of a later one."""
    return {
        "email": waiting(cause, text, "<soon>"),
        "connection": ("attention", Said(cause, f"{text} {AGAIN}", "Verify now")),
    }


def doubted(cause: str, text: str, why: str) -> dict[str, Any]:
    """A send without a clear answer."""
    return {"email": unknown(cause, why), "connection": after_a_fault(cause, text)}


_TIMED = ("provider_timeout", TIMED_OUT, "Google did not answer in time")
_CUT = ("provider_cut_off", CUT_OFF, "the connection to Google broke before an answer came")
_FAULTY = ("provider_error", FAULT, "Google had a fault while it took the email")
_ODD = ("provider_garbage", GARBAGE, "Google’s answer was not one we can read")
_SLOW_DOWN: dict[str, Any] = {"email": waiting("throttled", SLOWER), "connection": ("attention", Said("throttled", f"{SLOWER} Sending goes on by itself at <time>."))}  # fmt: skip

CASES = [
    # -- a send without a clear answer --
    Case("send", "status", {"status": 500, "body": ""}, **doubted(*_FAULTY), name="500"),
    Case("send", "status", {"status": 408, "body": ""}, **doubted(*_FAULTY), name="408"),
    Case("send", "garbage", **doubted(*_ODD)),
    Case("send", "never", **doubted(*_TIMED)),
    Case("send", "never", {"when": "after"}, **doubted(*_TIMED), name="never-after"),
    Case("send", "slow", {"ms": 300}, SENT, WORKING),
    Case("send", "slow", {"ms": 6000, "when": "after"}, **doubted(*_TIMED), name="slow-after"),
    Case("send", "outage", **doubted(*_FAULTY)),
    Case("send", "drop_before", **doubted(*_CUT)),
    Case("send", "lost_answer", **doubted(*_CUT)),
    # -- a send that was refused --
    Case("send", "status", error(400, "Invalid To header", "invalidArgument"), refused("recipient_refused", "Google refused a recipient: “400 Invalid To header”."), REFUSED, name="recipient"),
    Case("send", "status", error(400, "Strange", "invalidArgument"), refused("message_refused", "Google refused the message: “400 Strange”."), REFUSED, name="message"),
    Case("send", "status", error(413, "Request entity too large", "uploadTooLarge"), refused("message_too_large", "The email is larger than Google takes. Attach less, or smaller files."), REFUSED, name="too-large"),
    Case("send", "status", {"status": 413, "body": "<h1>Payload too large</h1>"}, refused("message_too_large", "The email is larger than Google takes. Attach less, or smaller files."), REFUSED, name="too-large-in-foreign-words"),
    Case("send", "status", error(404, "Requested entity was not found.", "notFound"), refused("not_found", "Google does not find what this belongs to, such as its conversation."), REFUSED, name="thread"),
    Case(
        "send", "garbage", {"status": 403, "body": "<html>Blocked by proxy</html>"},
        refused("provider_refused", "Google refused the request in words we do not know: “403 <html>Blocked by proxy</html>”."),
        after_a_send("provider_refused", "Google refused the request in words we do not know: “403 <html>Blocked by proxy</html>”.", "holder"),
        name="proxy",
    ),
    # -- limits, each by its reason --
    Case("send", "throttle", {"retry_after": 300}, **_SLOW_DOWN),
    Case(
        "send", "daily_limit", {"retry_after": 7200},
        ("held", Said("daily_limit", LATER.format(DAY, "at <time>; nothing to do"))),
        ("attention", Said("daily_limit", f"{DAY} Sending goes on by itself at <time>.")),
        Said("daily_limit", f"{DAY} The email goes out by itself at <time>; nothing to do."),
    ),
    Case(
        "send", "status", error(403, "Daily Limit Exceeded", "dailyLimitExceeded"),
        ("held", Said("project_limit", LATER.format(PROJECT, "at <time>"), "Contact support", "operator")),
        ("attention", Said("project_limit", f"{PROJECT} Sending goes on by itself.", "Contact support", "operator")),
        Said("project_limit", f"{PROJECT} The email goes out by itself at <time>.", "Contact support", "operator"),
        name="project-limit",
    ),
    # -- a key or a grant that ended --
    Case("send", "expire_access", {}, SENT, WORKING),
    Case(
        "send", "status", {**error(401, "Invalid Credentials", "authError"), "times": 3},
        held("access_refused", KEY),
        broken("access_refused", f"{KEY} {MINUTE}"),
        Said("access_refused", f"{KEY} {MINUTE}", "Reconnect", "holder"),
        name="every-key-refused",
    ),
    Case("send", "revoke_grant", **DEAD),
    Case("send", "password_changed", **DEAD),
    Case("send", "admin_block", **BLOCKED),
    *[Case("send", "expire_grant", {"cause": cause}, **DEAD, name=f"grant-{cause}") for cause in ("revoked", "password")],
    *[Case("send", "expire_grant", {"cause": cause}, **DELETED, name=f"grant-{cause}") for cause in ("deleted", "disabled")],
    Case("send", "expire_grant", {"cause": "admin_policy"}, **BLOCKED, name="grant-admin_policy"),
    # Here the access token lives on for its hour: the mail goes, and the next renewal finds out (below).
    *[Case("send", "expire_grant", {"cause": cause}, SENT, WORKING, name=f"grant-{cause}") for cause in ("testing", "unused", "limit", "rapt")],
    Case(
        "send", "status", error(403, "Gmail API has not been used in project 1 before", "accessNotConfigured"),
        held("api_disabled", "The mail interface is switched off in this installation's project at Google.", "Once it is switched on there, connect this account again. Then you can let this email go.", "Contact support", "operator"),
        broken("api_disabled", "The mail interface is switched off in this installation's project at Google. Once it is switched on there, connect this account again.", "Contact support", "operator"),
        Said("api_disabled", "The mail interface is switched off in this installation's project at Google. Once it is switched on there, connect this account again.", "Contact support", "operator"),
        name="api",
    ),
    # -- the renewal before a send --
    Case("token", "status", {"status": 500, "body": ""}, **odd("provider_error", FAULT)),
    Case("token", "outage", **odd("provider_error", FAULT)),
    Case("token", "garbage", **odd("provider_garbage", GARBAGE)),
    Case("token", "never", **odd("provider_timeout", TIMED_OUT)),
    Case("token", "drop_before", **odd("provider_cut_off", CUT_OFF)),
    Case("token", "lost_answer", **odd("provider_cut_off", CUT_OFF)),
    Case("token", "throttle", {"retry_after": 300}, waiting("throttled", SLOWER), ("attention", Said("throttled", f"{SLOWER} Sending goes on by itself."))),
    Case("token", "revoke_grant", **DEAD),
    Case("token", "password_changed", **DEAD),
    Case("token", "admin_block", **BLOCKED),
    Case("token", "client_secret_expired", **CLIENT),
    *[Case("token", "expire_grant", {"cause": cause}, **DEAD, name=f"grant-{cause}") for cause in ("revoked", "testing", "unused", "password", "limit")],
    *[Case("token", "expire_grant", {"cause": cause}, **DELETED, name=f"grant-{cause}") for cause in ("deleted", "disabled")],
    Case("token", "expire_grant", {"cause": "admin_policy"}, **BLOCKED, name="grant-admin_policy"),
    Case("token", "expire_grant", {"cause": "rapt"}, **EXPIRED, name="grant-rapt"),
    # -- “Verify now”: reading the mailbox, and asking who we are where it may only send --
    *[
        case
        for operation in ("read", "identity")
        for case in (
            Case(operation, "status", {"status": 500, "body": ""}, connection=("attention", Said("provider_error", f"{FAULT} {AGAIN}", "Verify now"))),
            Case(operation, "outage", connection=("attention", Said("provider_error", f"{FAULT} {AGAIN}", "Verify now"))),
            Case(operation, "garbage", connection=("attention", Said("provider_garbage", f"{GARBAGE} {AGAIN}", "Verify now"))),
            Case(operation, "never", connection=("attention", Said("provider_timeout", f"{TIMED_OUT} {AGAIN}", "Verify now"))),
            Case(operation, "slow", {"ms": 300}, connection=UNTRIED),
            Case(operation, "drop_before", connection=("attention", Said("provider_cut_off", f"{CUT_OFF} {AGAIN}", "Verify now"))),
            Case(operation, "lost_answer", connection=("attention", Said("provider_cut_off", f"{CUT_OFF} {AGAIN}", "Verify now"))),
            Case(operation, "throttle", connection=("attention", Said("throttled", f"{SLOWER} Sending goes on by itself."))),
            Case(operation, "expire_access", connection=UNTRIED),
            Case(operation, "revoke_grant", connection=DEAD["connection"], gate=DEAD["gate"]),
            Case(operation, "password_changed", connection=DEAD["connection"], gate=DEAD["gate"]),
        )
    ],
    Case("read", "admin_block", connection=BLOCKED["connection"]),  # it may not read, and was not refused a send
]  # fmt: skip
