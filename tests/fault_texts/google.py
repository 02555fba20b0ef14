"""What is said of every fault at Google."""

# ruff: noqa: E501  # one case, one line
from __future__ import annotations

from typing import Any

from tests.fault_texts import (
    LATER,
    REFUSED,
    SENT,
    WORKING,
    Case,
    Said,
    after_a_send,
    refused,
    shut,
)
from tests.fault_texts.words import Words

G = Words("Google")


def error(status: int, message: str, reason: str) -> dict[str, Any]:
    """An answer in the words of Gmail's API."""
    listed = [{"message": message, "domain": "global", "reason": reason}]
    return {"status": status, "body": {"error": {"code": status, "message": message, "errors": listed}}}


_SECRET = G.client("client_secret_wrong", "Google refuses this installation's client secret.")
_OFF = shut(
    "api_disabled", "The mail interface is switched off in this installation's project at Google.",
    "Once it is switched on there, connect this account again.", fix="Contact support", who="operator",
)  # fmt: skip
_PROXY = G.unknown_words("403 <html>Blocked by proxy</html>")

CASES = [
    # -- a send without a clear answer --
    Case("send", "status", {"status": 500, "body": ""}, **G.doubted(G.faulty), name="500"),
    Case("send", "status", {"status": 408, "body": ""}, **G.doubted(G.faulty), name="408"),
    Case("send", "garbage", **G.doubted(G.garbage)),
    Case("send", "never", **G.doubted(G.timed_out)),
    Case("send", "never", {"when": "after"}, **G.doubted(G.timed_out), name="never-after"),
    Case("send", "slow", {"ms": 300}, SENT, WORKING),
    Case("send", "slow", {"ms": 6000, "when": "after"}, **G.doubted(G.timed_out), name="slow-after"),
    Case("send", "outage", **G.doubted(G.faulty)),
    Case("send", "drop_before", **G.doubted(G.cut_off)),
    Case("send", "lost_answer", **G.doubted(G.cut_off)),
    # -- a send that was refused --
    Case("send", "status", error(400, "Invalid To header", "invalidArgument"), G.refuses_the_recipient("400 Invalid To header"), REFUSED, name="recipient"),
    Case("send", "status", error(400, "Strange", "invalidArgument"), G.refuses_the_message("400 Strange"), REFUSED, name="message"),
    Case("send", "status", error(413, "Request entity too large", "uploadTooLarge"), G.too_large, REFUSED, name="too-large"),
    Case("send", "status", {"status": 413, "body": "<h1>Payload too large</h1>"}, G.too_large, REFUSED, name="too-large-in-foreign-words"),
    Case("send", "status", error(404, "Requested entity was not found.", "notFound"), refused("not_found", "Google does not find what this belongs to, such as its conversation."), REFUSED, name="thread"),
    Case("send", "garbage", {"status": 403, "body": "<html>Blocked by proxy</html>"}, refused("provider_refused", _PROXY), after_a_send("provider_refused", _PROXY, "holder"), name="proxy"),
    # -- limits, each by its reason --
    Case("send", "throttle", {"retry_after": 300}, **G.throttled()),
    Case(
        "send", "daily_limit", {"retry_after": 7200},
        ("held", Said("daily_limit", LATER.format(G.day, "at <time>; nothing to do"))),
        ("attention", Said("daily_limit", f"{G.day} Sending goes on by itself at <time>.")),
        Said("daily_limit", f"{G.day} The email goes out by itself at <time>; nothing to do."),
    ),
    Case(
        "send", "status", error(403, "Daily Limit Exceeded", "dailyLimitExceeded"),
        ("held", Said("project_limit", LATER.format(G.project, "at <time>"), "Contact support", "operator")),
        ("attention", Said("project_limit", f"{G.project} Sending goes on by itself.", "Contact support", "operator")),
        Said("project_limit", f"{G.project} The email goes out by itself at <time>.", "Contact support", "operator"),
        name="project-limit",
    ),
    # -- a key or a grant that ended --
    Case("send", "expire_access", {}, SENT, WORKING),
    Case("send", "status", {**error(401, "Invalid Credentials", "authError"), "times": 3}, **G.key_refused, name="every-key-refused"),
    Case("send", "revoke_grant", **G.revoked),
    Case("send", "password_changed", **G.revoked),
    Case("send", "admin_block", **G.blocked),
    *[Case("send", "expire_grant", {"cause": cause}, **G.revoked, name=f"grant-{cause}") for cause in ("revoked", "password")],
    *[Case("send", "expire_grant", {"cause": cause}, **G.gone, name=f"grant-{cause}") for cause in ("deleted", "disabled")],
    Case("send", "expire_grant", {"cause": "admin_policy"}, **G.blocked, name="grant-admin_policy"),
    # Here the access token lives on for its hour: the mail goes, and the next renewal finds out (below).
    *[Case("send", "expire_grant", {"cause": cause}, SENT, WORKING, name=f"grant-{cause}") for cause in ("testing", "unused", "limit", "rapt")],
    Case("send", "status", error(403, "Gmail API has not been used in project 1 before", "accessNotConfigured"), **_OFF, name="api"),
    # -- the renewal before a send --
    *G.of_the_moment("token"),
    Case("token", "throttle", {"retry_after": 300}, **G.throttled("")),
    Case("token", "revoke_grant", **G.revoked),
    Case("token", "password_changed", **G.revoked),
    Case("token", "admin_block", **G.blocked),
    Case("token", "client_secret_expired", **_SECRET),
    *[Case("token", "expire_grant", {"cause": cause}, **G.revoked, name=f"grant-{cause}") for cause in ("revoked", "testing", "unused", "password", "limit")],
    *[Case("token", "expire_grant", {"cause": cause}, **G.gone, name=f"grant-{cause}") for cause in ("deleted", "disabled")],
    Case("token", "expire_grant", {"cause": "admin_policy"}, **G.blocked, name="grant-admin_policy"),
    Case("token", "expire_grant", {"cause": "rapt"}, **G.session, name="grant-rapt"),
    # -- “Verify now”: reading the mailbox, and asking who we are where it may only send --
    *[
        case
        for operation in ("read", "identity")
        for case in (
            *G.of_a_check(operation),
            Case(operation, "throttle", connection=G.throttled("")["connection"]),
            Case(operation, "revoke_grant", connection=G.revoked["connection"], gate=G.revoked["gate"]),
            Case(operation, "password_changed", connection=G.revoked["connection"], gate=G.revoked["gate"]),
        )
    ],
    Case("read", "admin_block", connection=G.blocked["connection"]),  # it may not read, and was not refused a send
]  # fmt: skip
