"""What is said of every fault at Keap: a send begins with a contact, its history proves nothing absent."""

# ruff: noqa: E501  # one case, one line
from __future__ import annotations

from typing import Any

from tests.fault_texts import (
    OVER,
    REFUSED,
    SENT,
    TEST,
    UNTRIED,
    WORKING,
    Case,
    Said,
    after_a_send,
    held,
    refused,
    shut,
    waiting,
)
from tests.fault_texts.words import Words

K = Words("Keap", sent="email history", proves=False)


def error(status: int, message: str, **more: Any) -> dict[str, Any]:
    """An answer in the words of Keap's API."""
    body = {"code": status, "message": message, "status": "Error", "details": []}
    return {"status": status, "body": body, **more}


_ALWAYS = {"times": 1000}
_UNSEEN = (("emails.list", "status", {"status": 200, "body": {"emails": []}, "times": 1000}),)
_PROXY = K.unknown_words("403 <html>Blocked by proxy</html>")
_NEW = K.unknown_words("405 Method Not Allowed")
_REVIEW = (
    "Keap does not let this account send: “403 Sending is disabled for this account: compliance review”."
)
_ACT = "Sign in there and do what it asks, then send yourself a test mail. What is due waits."
_BLOCKED: dict[str, Any] = {
    "email": held("sending_blocked", _REVIEW, OVER, TEST),
    "connection": ("attention", Said("sending_blocked", f"{_REVIEW} {_ACT}", TEST, "holder")),
    "gate": Said("sending_blocked", f"{_REVIEW} {_ACT}", TEST, "holder"),
}
_NO_USER = shut(
    "mailbox_missing",
    "This Keap account has no mailbox that can send.",
    "Once it has one, reconnect it.",
    who=K.admin,
)
_SECRET = K.client("client_secret_wrong", "Keap refuses this installation's client secret.")
_LOST = K.ended(
    "renewal_lost",
    "Keap renewed our key, but its answer was lost on the way, and the old key works only once.",
)
_MOMENT = waiting("client_throttled", "Keap takes no more calls of this installation for a moment.")
_SLOWER = K.throttled("")["connection"]
_DAY: dict[str, Any] = {
    "email": (
        "held",
        Said(
            "project_limit",
            f"Nothing was sent yet. {K.project} It goes by itself at <time>.",
            "Contact support",
            "operator",
        ),
    ),
    "connection": (
        "attention",
        Said(
            "project_limit",
            f"{K.project} Sending goes on by itself at <time>.",
            "Contact support",
            "operator",
        ),
    ),
    "gate": Said(
        "project_limit", f"{K.project} The email goes out by itself at <time>.", "Contact support", "operator"
    ),
}
_CAUSES = ("revoked", "unused", "deleted", "disabled", "admin_policy")

CASES = [
    # -- a send without a clear answer --
    Case("send", "status", {"status": 500, "body": ""}, **K.looked_for(K.faulty), name="500", also=_UNSEEN),
    Case("send", "status", {"status": 408, "body": ""}, **K.looked_for(K.faulty), name="408", also=_UNSEEN),
    Case("send", "garbage", **K.looked_for(K.garbage), also=_UNSEEN),
    Case("send", "never", **K.looked_for(K.timed_out), also=_UNSEEN),
    Case("send", "never", {"when": "after"}, **K.looked_for(K.timed_out), name="never-after", also=_UNSEEN),
    Case("send", "slow", {"ms": 300}, SENT, WORKING),
    Case("send", "slow", {"ms": 6000, "when": "after"}, **K.looked_for(K.timed_out), name="slow-after", also=_UNSEEN),
    Case("send", "outage", **K.looked_for(K.faulty), also=_UNSEEN),
    Case("send", "drop_before", **K.looked_for(K.cut_off), also=_UNSEEN),
    Case("send", "lost_answer", **K.looked_for(K.cut_off), also=_UNSEEN),
    Case("send", "lost_answer", {}, SENT, WORKING, name="lost-and-found"),
    # -- refused --
    Case("send", "status", error(400, "Contact 5 not found"), K.refuses_the_recipient("400 Contact 5 not found"), REFUSED, name="recipient"),
    Case("send", "status", error(400, "attachment type is invalid"), K.refuses_the_message("400 attachment type is invalid"), REFUSED, name="message"),
    Case("send", "status", error(400, "attachment is larger than 1MB"), K.too_large, REFUSED, name="too-large"),
    Case("send", "status", error(404, "Contact not found"), refused("not_found", "Keap does not find what this belongs to, such as its conversation."), REFUSED, name="not-found"),
    Case("send", "status", error(405, "Method Not Allowed"), refused("provider_refused", _NEW), after_a_send("provider_refused", _NEW, "holder"), name="new-words"),
    Case("send", "garbage", {"status": 403, "body": "<html>Blocked by proxy</html>"}, refused("provider_refused", _PROXY), after_a_send("provider_refused", _PROXY, "holder"), name="proxy"),
    # -- blocks --
    Case("send", "status", error(403, "Sending is disabled for this account: compliance review"), **_BLOCKED, name="compliance"),
    Case("send", "status", error(400, "Exactly one of user_id or from_address is required"), **_NO_USER, name="user"),
    Case("send", "admin_block", _ALWAYS, **K.blocked),
    Case("contacts", "admin_block", _ALWAYS, **K.blocked),
    Case("send", "account", {"admin_block": True}, **K.blocked, name="account-admin_block"),
    # -- limits: the client's, so that every mailbox waits --
    Case("send", "throttle", {"retry_after": 300}, _MOMENT, _SLOWER),
    Case("contacts", "throttle", {"retry_after": 300}, _MOMENT, _SLOWER),
    Case("send", "daily_limit", {"retry_after": 7200}, **_DAY),
    Case("contacts", "daily_limit", {"retry_after": 7200}, **_DAY),
    # -- what comes before a send and sends nothing: the address's state, the contact --
    *K.of_the_moment("contacts", **_ALWAYS),
    Case("contacts", "never", {"when": "after", **_ALWAYS}, **K.moment(K.timed_out), name="never-after"),
    Case("contacts", "slow", {"ms": 300}, SENT, WORKING),
    Case("contacts", "slow", {"ms": 6000, "when": "after", **_ALWAYS}, **K.moment(K.timed_out), name="slow-after"),
    # -- a key or a grant that ended --
    Case("send", "status", error(401, "Invalid access token", times=3), **K.key_refused, name="every-key-refused"),
    Case("send", "expire_access", {}, SENT, WORKING),
    Case("contacts", "expire_access", {}, SENT, WORKING),
    Case("send", "revoke_grant", **K.rejected),
    Case("contacts", "revoke_grant", **K.rejected),
    Case("send", "password_changed", {}, SENT, WORKING),  # Keap lets the tokens live
    Case("send", "account", {"disabled": True}, **K.rejected, name="disabled"),
    Case("send", "account", {"deleted": True}, **K.rejected, name="deleted"),
    *[Case("send", "expire_grant", {"cause": cause}, **K.rejected, name=f"grant-{cause}") for cause in _CAUSES if cause != "unused"],
    Case("send", "expire_grant", {"cause": "unused"}, SENT, WORKING, name="grant-unused"),  # the access token lives its day
    # -- the renewal before a send --
    *K.of_the_moment("token"),
    Case("token", "lost_answer", {"times": 1}, **_LOST, name="lost-once"),
    Case("token", "never", {"when": "after", "times": 1}, **_LOST, name="never-after-once"),
    Case("token", "slow", {"ms": 300}, SENT, WORKING),
    Case("token", "revoke_grant", **K.rejected),
    Case("token", "password_changed", {}, SENT, WORKING),
    Case("token", "client_secret_expired", **_SECRET),
    *[Case("token", "expire_grant", {"cause": cause}, **K.rejected, name=f"grant-{cause}") for cause in _CAUSES],
    # -- “Verify now”: who we are, the history, the contacts, and the calls of a send --
    *[
        case
        for operation in ("identity", "read", "contacts", "send")
        for case in (
            *K.of_a_check(operation),
            Case(operation, "throttle", connection=_SLOWER),
            Case(operation, "revoke_grant", connection=K.rejected["connection"], gate=K.rejected["gate"]),
            Case(operation, "password_changed", connection=UNTRIED),
        )
    ],
    *[Case(operation, "admin_block", _ALWAYS, connection=K.blocked["connection"], gate=K.blocked["gate"]) for operation in ("identity", "contacts", "send")],
    Case("read", "admin_block", _ALWAYS, connection=K.blocked["connection"]),  # no send was refused
    # Met by one list alone it keeps no send back: the calls of a send were answered after it.
    *[Case(operation, "daily_limit", {"retry_after": 7200}, connection=_DAY["connection"], gate=None if operation in {"read", "contacts"} else _DAY["gate"]) for operation in ("identity", "read", "contacts", "send")],
]  # fmt: skip
# A client that is refused closes every mailbox.
LAST = [str(case) for case in CASES if case.kind in {"throttle", "daily_limit"} and case.email is not None]
