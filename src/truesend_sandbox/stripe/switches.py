"""What nobody has confirmed about Stripe, what its operator sets up, and numbers a test wants small (stripe.md)."""

from truesend_sandbox.switches import Switch

PROVIDER = "stripe"
SECRET_KEY = "sk_test_sandbox"  # noqa: S105  # of the sandbox, as documented
WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105  # of the sandbox, as documented

SIGNATURES = ("valid", "stale", "wrong_secret", "future", "v0_only", "absent")
"""How a webhook may be signed."""

_ACCOUNT = (
    Switch("secret_key", SECRET_KEY, "The key that calls must carry.", "what an operator sets up"),
    Switch(
        "api_version",
        "2026-10-28.endive",
        "The version that events are rendered in, and answers to calls that name none.",
        "what an operator sets up",
    ),
    Switch(
        "portal_configured",
        True,
        "The portal has a saved configuration; off: its sessions are refused.",
        "general knowledge",
    ),
    Switch(
        "portal_seconds", 300, "Seconds in which a portal's address must be opened.", "documented as short"
    ),
    Switch("replay_seconds", 86_400, "Seconds an Idempotency-Key is remembered.", "general knowledge: a day"),
)

_BILLING = (
    Switch(
        "draft_seconds",
        3600,
        "Seconds the invoice of a renewal stays a draft before it is charged.",
        "general knowledge: about an hour",
    ),
    Switch(
        "dunning_days",
        "3,5,7",
        "Days between the tries to charge a failed renewal, with commas.",
        "unconfirmed: a setting of the account",
    ),
    Switch(
        "dunning_ends",
        "canceled",
        "What becomes of a subscription when the last try has failed: `canceled`, `unpaid`, or it stays `past_due`.",
        "documented: a setting of the account",
        ("canceled", "unpaid", "past_due"),
    ),
    Switch(
        "declined_checkout",
        "open",
        "A card declined at Checkout: the session stays `open` and nothing is made, or an `incomplete` subscription.",
        "unconfirmed",
        ("open", "incomplete"),
    ),
    Switch(
        "fixed_card_pays",
        True,
        "A new card in the portal pays what is due at once; off: the next try of the dunning does.",
        "unconfirmed",
    ),
)

_WEBHOOKS = (
    Switch(
        "webhook_endpoint",
        "",
        "Where events are sent to, on this machine; empty: to `--stripe-webhook-url`, if that was given.",
        "what an operator sets up",
    ),
    Switch(
        "webhook_secret", WEBHOOK_SECRET, "The secret webhooks are signed with.", "what an operator sets up"
    ),
    Switch(
        "webhook_second_secret",
        "",
        "A second secret, as while one is rolled: the header then has two v1, this one's first.",
        "seen with the official library",
    ),
    Switch(
        "webhook_signature",
        "valid",
        "How they are signed: `valid` anew each time, `stale` (over 300 s old), `wrong_secret`, `future`, `v0_only`,"
        " `absent`.",
        "seen with the official library",
        SIGNATURES,
    ),
    Switch(
        "webhook_delivery",
        "once",
        "What becomes of a webhook: it comes `once`, `twice`, or is `dropped` for good.",
        "documented: duplicates and losses happen",
        ("once", "twice", "dropped"),
    ),
    Switch(
        "webhook_order",
        "kept",
        "The order of those that are due: `kept` one after the other, `reversed`, or `shuffled` and several at once.",
        "documented: there is no order",
        ("kept", "reversed", "shuffled"),
    ),
    Switch(
        "webhook_delay", 0.0, "Seconds, by the sandbox's clock, until a webhook is sent.", "a test's choice"
    ),
    Switch(
        "webhook_retry_after",
        5.0,
        "Seconds, by the sandbox's clock, until the first retry; each further one takes twice as long.",
        "documented without numbers",
    ),
    Switch(
        "webhook_retry_seconds", 259_200, "Seconds in which a webhook is retried.", "documented: three days"
    ),
)

SWITCHES = (*_ACCOUNT, *_BILLING, *_WEBHOOKS)
