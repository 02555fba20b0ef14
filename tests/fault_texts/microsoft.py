"""What is said of every fault at Microsoft: access tokens outlive their grant, and reading sends by way of a draft."""

# ruff: noqa: E501  # one case, one line
from __future__ import annotations

from typing import Any

from tests.fault_texts import (
    LATER,
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
)
from tests.fault_texts.words import Words

M = Words("Microsoft", forwards=True)


def error(status: int, code: str, message: str, **more: Any) -> dict[str, Any]:
    """An answer in the words of Graph."""
    return {"status": status, "body": {"error": {"code": code, "message": message}}, **more}


_PROXY = M.unknown_words("403 <html>Blocked by proxy</html>")
_NEW = M.unknown_words("400 ErrorSomethingNew: Words.")
_DENIED = error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
_NO_RECIPIENT = error(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
_NO_MIME = error(400, "ErrorMimeContentInvalid", "The MIME content is invalid.")
_TOO_LARGE = error(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum size.")
_NO_KEY = error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
_REFUSES_RECIPIENT = M.refuses_the_recipient(
    "400 ErrorInvalidRecipients: At least one recipient isn't valid."
)
_REFUSES_MESSAGE = M.refuses_the_message("400 ErrorMimeContentInvalid: The MIME content is invalid.")
# As while a message is in transit: it is neither among the drafts nor in Sent Items.
_NOWHERE = error(404, "ErrorItemNotFound", "The specified object was not found in the store.", times=1000)
_IN_TRANSIT = (
    ("drafts.get", "status", _NOWHERE),
    ("messages.get", "status", _NOWHERE),
    ("messages.list", "status", {"status": 200, "body": {"value": []}, "times": 1000}),
)
_ALWAYS = {"times": 1000}
_SCOPE = "This permission was not given at Microsoft."
_SCOPE_MISSING = shut(
    "scope_missing",
    _SCOPE,
    "Reconnect and give it; where there is a box for it, tick it.",
    then="It waits here; after reconnecting you can let it go.",
)
_NO_MAILBOX = shut(
    "mailbox_missing",
    "This Microsoft account has no mailbox that can send.",
    "Once it has one, reconnect it.",
    who=M.admin,
)
_BLOCK = (
    "Microsoft does not let this account send: “554 ErrorMessageSubmissionBlocked: Cannot send mail. Follow the instructions in your "
    "Inbox to verify your account., WASCL UserAction verdict is not None. Actual verdict is HipSend, ShowTierUpgrade.”."
)
_ACT = "Sign in there and do what it asks, then send yourself a test mail. What is due waits."
_BLOCKED: dict[str, Any] = {
    "email": held("sending_blocked", _BLOCK, OVER, TEST),
    "connection": ("attention", Said("sending_blocked", f"{_BLOCK} {_ACT}", TEST, "holder")),
    "gate": Said("sending_blocked", f"{_BLOCK} {_ACT}", TEST, "holder"),
}
_DAY: dict[str, Any] = {
    "email": ("held", Said("daily_limit", LATER.format(M.day, "at <time>; nothing to do"))),
    "connection": ("attention", Said("daily_limit", f"{M.day} Sending goes on by itself.")),
    "gate": Said("daily_limit", f"{M.day} The email goes out by itself at <time>; nothing to do."),
}
_PASSWORD = M.ended(
    "password_changed",
    "Microsoft ended this permission, as it does after a password was changed or reset, or all sessions were ended.",
)
_IDLE = M.ended("grant_idle", "Nobody used this permission for so long that Microsoft ended it.")
_MFA = M.ended("mfa_required", "Microsoft asks for a second proof of who you are before it goes on.")
_SECRET = M.client("client_secret_expired", "This installation's client secret at Microsoft has expired.")
_DEATHS: dict[str, dict[str, Any]] = {
    "revoked": _PASSWORD, "unused": _IDLE, "password": _PASSWORD, "deleted": M.gone, "disabled": M.gone,
    "admin_policy": M.blocked, "mfa": _MFA, "sign_in_frequency": M.session, "conditional_access": M.blocked,
    "consent_removed": M.revoked,
}  # fmt: skip

CASES = [
    # -- sendMail without a clear answer --
    Case("send", "status", {"status": 500, "body": ""}, **M.doubted(M.faulty), name="500"),
    Case("send", "status", {"status": 408, "body": ""}, **M.doubted(M.faulty), name="408"),
    Case("send", "garbage", **M.doubted(M.garbage)),
    Case("send", "never", **M.doubted(M.timed_out)),
    Case("send", "never", {"when": "after"}, **M.doubted(M.timed_out), name="never-after"),
    Case("send", "slow", {"ms": 300}, SENT, WORKING),
    Case("send", "slow", {"ms": 6000, "when": "after"}, **M.doubted(M.timed_out), name="slow-after"),
    Case("send", "outage", **M.doubted(M.faulty)),
    Case("send", "drop_before", **M.doubted(M.cut_off)),
    Case("send", "lost_answer", **M.doubted(M.cut_off)),
    # -- the send of a draft without one: looked up, by the draft itself --
    Case("drafts.send", "status", {"status": 500, "body": ""}, **M.looked_for(M.faulty), name="500", also=_IN_TRANSIT),
    Case("drafts.send", "status", {"status": 408, "body": ""}, **M.looked_for(M.faulty), name="408", also=_IN_TRANSIT),
    Case("drafts.send", "garbage", **M.looked_for(M.garbage), also=_IN_TRANSIT),
    Case("drafts.send", "never", **M.looked_for(M.timed_out), also=_IN_TRANSIT),
    Case("drafts.send", "never", {"when": "after"}, **M.looked_for(M.timed_out), name="never-after", also=_IN_TRANSIT),
    Case("drafts.send", "slow", {"ms": 300}, SENT, WORKING),
    Case("drafts.send", "slow", {"ms": 6000, "when": "after"}, **M.looked_for(M.timed_out), name="slow-after", also=_IN_TRANSIT),
    Case("drafts.send", "outage", **M.looked_for(M.faulty), also=_IN_TRANSIT),
    Case("drafts.send", "drop_before", **M.looked_for(M.cut_off), also=_IN_TRANSIT),
    Case("drafts.send", "lost_answer", **M.looked_for(M.cut_off), also=_IN_TRANSIT),
    Case("drafts.send", "lost_answer", {}, SENT, WORKING, name="lost-and-found"),
    # -- refused --
    Case("send", "status", _NO_RECIPIENT, _REFUSES_RECIPIENT, REFUSED, name="recipient"),
    Case("send", "status", _NO_MIME, _REFUSES_MESSAGE, REFUSED, name="message"),
    Case("send", "status", _TOO_LARGE, M.too_large, REFUSED, name="too-large"),
    Case("send", "status", {"status": 413, "body": "<h1>Too large</h1>"}, M.too_large, REFUSED, name="too-large-in-foreign-words"),
    Case("send", "status", error(400, "ErrorSomethingNew", "Words."), refused("provider_refused", _NEW), after_a_send("provider_refused", _NEW, "holder"), name="new-words"),
    Case("send", "garbage", {"status": 403, "body": "<html>Blocked by proxy</html>"}, refused("provider_refused", _PROXY), after_a_send("provider_refused", _PROXY, "holder"), name="proxy"),
    Case("drafts.send", "status", _NO_RECIPIENT, _REFUSES_RECIPIENT, REFUSED, name="recipient"),
    Case("drafts.send", "garbage", {"status": 403, "body": "<html>Blocked by proxy</html>"}, refused("provider_refused", _PROXY), after_a_send("provider_refused", _PROXY, "holder"), name="proxy"),
    Case("drafts.create", "status", {**_TOO_LARGE, **_ALWAYS}, M.too_large, REFUSED, name="too-large"),
    Case("drafts.create", "status", {**_NO_MIME, **_ALWAYS}, _REFUSES_MESSAGE, REFUSED, name="message"),
    # -- limits and blocks --
    Case("send", "throttle", {"retry_after": 300}, **M.throttled()),
    Case("send", "daily_limit", **_DAY),
    Case("drafts.send", "throttle", {"retry_after": 300}, **M.throttled()),
    Case("drafts.send", "daily_limit", **_DAY),
    Case("drafts.create", "throttle", {"retry_after": 300, **_ALWAYS}, **M.throttled()),
    Case("send", "account", {"send_block": True}, **_BLOCKED, name="send-block"),
    Case("drafts.send", "account", {"send_block": True}, **_BLOCKED, name="send-block"),
    Case("send", "account", {"mailbox_enabled": False}, **_NO_MAILBOX, name="no-mailbox"),
    Case("drafts.create", "account", {"mailbox_enabled": False}, **_NO_MAILBOX, name="no-mailbox"),
    Case("send", "account", {"deleted": True}, **M.gone, name="deleted"),
    # -- a draft that cannot be made: nothing was sent --
    *M.of_the_moment("drafts.create", **_ALWAYS),
    Case("drafts.create", "never", {"when": "after", **_ALWAYS}, **M.moment(M.timed_out), name="never-after"),
    Case("drafts.create", "slow", {"ms": 300}, SENT, WORKING),
    Case("drafts.create", "slow", {"ms": 6000, "when": "after", **_ALWAYS}, **M.moment(M.timed_out), name="slow-after"),
    # -- keys: every one refused, and one that has ended --
    Case("send", "status", {**_NO_KEY, "times": 3}, **M.key_refused, name="every-key-refused"),
    Case("drafts.create", "status", {**_NO_KEY, **_ALWAYS}, **M.key_refused, name="every-key-refused"),
    Case("send", "status", _DENIED, **_SCOPE_MISSING, name="scope"),
    Case("drafts.create", "status", {**_DENIED, **_ALWAYS}, **_SCOPE_MISSING, name="scope"),
    Case("send", "expire_access", {}, SENT, WORKING),
    Case("drafts.create", "expire_access", {}, SENT, WORKING),
    # -- a grant that ended: the access token lives on, the mail goes, and the next renewal finds out (below) --
    Case("send", "revoke_grant", {}, SENT, WORKING),
    Case("send", "password_changed", {"by": "admin"}, SENT, WORKING),
    Case("send", "account", {"disabled": True}, SENT, WORKING, name="disabled"),
    *[Case("send", "expire_grant", {"cause": cause}, SENT, WORKING, name=f"grant-{cause}") for cause in _DEATHS],
    # -- the renewal before a send --
    *M.of_the_moment("token"),
    Case("token", "throttle", {"retry_after": 300}, **M.throttled("")),
    Case("token", "slow", {"ms": 300}, SENT, WORKING),
    Case("token", "revoke_grant", **_PASSWORD),
    Case("token", "password_changed", {"by": "admin"}, **_PASSWORD, name="password-reset"),
    Case("token", "password_changed", {}, SENT, WORKING),  # a confidential client's tokens survive it
    Case("token", "admin_block", **M.blocked),
    Case("token", "client_secret_expired", **_SECRET),
    *[Case("token", "expire_grant", {"cause": cause}, **said, name=f"grant-{cause}") for cause, said in _DEATHS.items()],
    *[Case("token", "expire_grant", {"cause": cause}, **M.rejected, name=f"personal-{cause}", personal=True) for cause in ("revoked", "mfa")],
    Case("token", "account", {"disabled": True}, **M.gone, name="disabled", also=(("send", "expire_access", {"times": 1}),)),
    Case("token", "account", {"admin_block": True}, **M.blocked, name="admin-block", also=(("send", "expire_access", {"times": 1}),)),
    Case("token", "account", {"app_disabled": True}, **M.blocked, name="app-disabled", also=(("send", "expire_access", {"times": 1}),)),
    # -- “Verify now” renews first; then it reads, or asks who we are, and makes the calls of a send --
    *M.of_a_check("read"),
    *M.of_a_check("identity"),
    *M.of_a_check("draft"),
    *[Case(operation, "throttle", connection=M.throttled()["connection"]) for operation in ("read", "identity", "draft")],
    *[Case(operation, kind, connection=UNTRIED) for operation in ("read", "identity", "draft") for kind in ("revoke_grant", "password_changed", "admin_block")],
    *[Case("token", kind, more, connection=said["connection"], gate=said["gate"]) for kind, more, said in (("revoke_grant", {}, _PASSWORD), ("password_changed", {"by": "admin"}, _PASSWORD), ("admin_block", {}, M.blocked))],
    Case("read", "status", {**_DENIED, **_ALWAYS}, connection=_SCOPE_MISSING["connection"], name="scope"),
]  # fmt: skip
