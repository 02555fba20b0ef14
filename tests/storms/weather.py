"""What goes wrong at a provider: each kind of the sandbox's faults, where it can meet the mail of a mailbox."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from tests.storms.groups import Group

# Of the wire, or of the provider's conditions; and what only a new consent repairs.
PASSING = (
    "status",
    "garbage",
    "never",
    "slow",
    "outage",
    "drop_before",
    "lost_answer",
    "throttle",
    "daily_limit",
    "expire_access",
    "admin_block",
    "client_secret_expired",
)
DAMAGE = ("revoke_grant", "password_changed", "expire_grant")
KINDS = PASSING + DAMAGE

_STATUSES = (400, 401, 403, 404, 408, 409, 418, 425, 429, 500, 502, 503, 504)
# What of a mailbox's calls is met, how often; a renewal comes where its key ends as well.
_MEETS: Mapping[str, Mapping[str, int]] = {
    "google send-only": {"send": 1},
    "google reading": {"send": 3, "read": 1},
    "microsoft send-only": {"send": 1},
    "microsoft reading": {"send": 6, "drafts.create": 2, "drafts.delete": 1, "read": 1},
    "keap full": {"send": 6, "contacts": 3, "read": 1},
}
# A recipient that the provider refuses, in its own words.
_REFUSALS: Mapping[str, Mapping[str, Any]] = {
    "google": {
        "error": {"code": 400, "message": "Invalid To header", "errors": [{"reason": "invalidArgument"}]}
    },
    "microsoft": {
        "error": {"code": "ErrorInvalidRecipients", "message": "At least one recipient isn't valid."}
    },
    "keap": {"code": 400, "message": "Contact 5 not found", "status": "Error", "details": []},
}
# Causes after which the account is still there to consent anew.
_CAUSES: Mapping[str, tuple[str, ...]] = {
    "google": ("revoked", "testing", "unused", "password", "limit", "admin_policy", "rapt"),
    "microsoft": (
        "revoked", "unused", "password", "admin_policy", "mfa", "sign_in_frequency", "conditional_access",
        "consent_removed",
    ),
    "keap": ("revoked", "unused"),
}  # fmt: skip
# Where an administrator's block is met. Microsoft's access tokens outlive it.
_BLOCKED: Mapping[str, tuple[str, ...]] = {
    "google": ("send", "token.refresh"),
    "microsoft": ("token.refresh",),
    "keap": ("send", "contacts"),
}


def fault(kind: str, group: Group, dice: random.Random) -> dict[str, Any]:
    """One of that kind, as `POST faults` takes it, for a mailbox of the group; without the account."""
    meets = _MEETS[str(group)]
    (operation,) = dice.choices(list(meets), list(meets.values()))
    made = {"kind": kind, "provider": group.provider, "operation": operation, "times": 1}
    return {**made, **_parameters(kind, group, dice)}


def _parameters(kind: str, group: Group, dice: random.Random) -> dict[str, Any]:
    provider, when = group.provider, dice.choice(("before", "after"))
    refusal = {"status": 400, "body": json.dumps(_REFUSALS[provider]), "content_type": "application/json"}
    parameters: dict[str, dict[str, Any]] = {
        "status": dice.choice(({"status": dice.choice(_STATUSES)}, refusal)),
        "garbage": {"status": dice.choice((200, 200, 400, 502))},
        "never": {"when": when},
        "slow": {"ms": dice.randint(200, 6000), "when": when},
        "outage": {"status": dice.choice((500, 502, 503))},
        "throttle": {"retry_after": dice.randint(5, 90)},
        "daily_limit": {"retry_after": dice.randint(3600, 86400), "operation": "send"},
        "admin_block": {"operation": dice.choice(_BLOCKED[provider])},
        "client_secret_expired": {"operation": "token.refresh"},
        "expire_access": {"operation": "send"},
        "revoke_grant": {"operation": "send"},
        "password_changed": {"operation": "send", "by": dice.choice(("user", "admin"))},
        "expire_grant": {"operation": "send", "cause": dice.choice(_CAUSES[provider])},
    }
    return parameters.get(kind, {})


def shows_at_a_renewal(kind: str, fault: Mapping[str, Any]) -> bool:
    """Whether it shows only when the key is renewed, which is seldom: the key has to end with it."""
    outlived = kind in DAMAGE and fault["provider"] != "google"
    return outlived or bool(fault["operation"] == "token.refresh")
