"""Google's switches."""

from __future__ import annotations

from truesend_sandbox import pushing
from truesend_sandbox.switches import Switch

SWITCHES = (
    Switch("access_token_lifetime", 3599, "Seconds an access token works.", "seen (3599 or 3600)", above=0),
    Switch(
        "code_lifetime",
        600,
        "Seconds a code can be exchanged.",
        "unconfirmed: Google publishes no number",
        above=0,
    ),
    Switch(
        "publishing_status",
        "production",
        "`testing`: only test users may consent and grants with Gmail scopes end after 7 days.",
        "documented",
        ("production", "testing"),
    ),
    Switch(
        "user_type",
        "external",
        "`internal`: only accounts of `internal_domain` may consent (page org_internal).",
        "documented",
        ("external", "internal"),
    ),
    Switch("internal_domain", "example.com", "The Workspace domain of an internal app.", "documented"),
    Switch(
        "refresh_tokens_per_account",
        100,
        "Live refresh tokens of an account per client; above it the oldest dies silently.",
        "documented",
        above=0,
    ),
    Switch(
        "revoke_delay", 0.0, "Seconds until a revocation takes effect.", "documented that there is some delay"
    ),
    Switch(
        "refresh_answers_with_refresh_token",
        False,
        "A refresh answers with the refresh token again.",
        "unconfirmed: by default it does not",
    ),
    Switch(
        "wrong_secret_text",
        "Unauthorized",
        "The description beside invalid_client for a wrong secret.",
        "both seen",
        ("Unauthorized", "The provided client secret is invalid."),
    ),
    Switch(
        "id_token_issuer",
        "https://accounts.google.com",
        "The `iss` of id_tokens.",
        "documented: either",
        ("https://accounts.google.com", "accounts.google.com"),
    ),
    Switch(
        "boxes_ticked", True, "Whether the scope boxes of the consent stand ticked at first.", "unconfirmed"
    ),
    Switch(
        "granular_single_scope",
        False,
        "With one scope beside the sign-in ones a box is shown too, and may be left empty.",
        "unconfirmed",
    ),
    Switch(
        "message_id",
        "rewrite",
        "`rewrite`: messages.send replaces the Message-ID; `preserve`: it keeps a given one.",
        "seen by several parties, undocumented",
        ("rewrite", "preserve"),
    ),
    Switch(
        "draft_send",
        "new_message",
        "`new_message`: drafts.send makes a message with a new id; `same_message`: its message gets SENT.",
        "documented against one live report",
        ("new_message", "same_message"),
    ),
    Switch("sent_listing_delay", 0.0, "Seconds until messages.list shows a sent message.", "a test's choice"),
    Switch("history_delay", 0.0, "Seconds until history.list shows a change.", "a test's choice"),
    Switch(
        "thread_by_subject",
        True,
        "A mail without references joins the thread of its subject in which its sender was written to.",
        "general knowledge",
    ),
    Switch(
        "search_index_delay",
        120.0,
        "Seconds until `q=` finds a message (label listings are immediate).",
        "seen: minutes",
    ),
    Switch(
        "history_retention",
        604_800.0,
        "Seconds a change stays in the history; older: 404.",
        "documented: usually a week",
    ),
    Switch(
        "json_body_limit",
        5_000_000,
        "Bytes of a JSON body; more needs the upload address.",
        "seen (about 5 MB)",
    ),
    Switch(
        "recipients_per_message",
        500,
        "Recipients of one message by the API.",
        "documented twice, differently (500, 100)",
        above=0,
    ),
    Switch(
        "daily_messages",
        0,
        "Messages of an account in 24 hours; 0: no limit (Gmail 500, Workspace 2000).",
        "documented",
    ),
    Switch(
        "daily_recipients",
        0,
        "Recipients of an account in 24 hours; 0: no limit (Workspace 10000).",
        "documented",
    ),
    Switch(
        "quota_units_per_user_minute",
        0,
        "Quota units of an account in a minute; 0: no limit (Google 6000, older projects 15000).",
        "documented",
    ),
    Switch(
        "quota_units_per_project_minute",
        0,
        "Quota units of all accounts together in a minute; 0: no limit (Google 1200000).",
        "documented",
    ),
    Switch(
        "rate_limit_status",
        429,
        "Status of the per-user limits: 429 or 403; the text is the same.",
        "both seen",
        above=399,
    ),
    Switch("retry_after_header", False, "Whether limits carry a Retry-After header.", "seen: they do not"),
    Switch(
        "api_not_enabled",
        False,
        "The Gmail API is not enabled for the project (accessNotConfigured).",
        "seen",
    ),
    Switch("watch_lifetime", 604_800.0, "Seconds a watch lasts.", "documented: up to seven days", above=0),
    Switch(
        "pubsub_endpoint",
        "",
        "Where the topic's subscription pushes to, on this machine; empty: nowhere.",
        "what an operator sets up",
    ),
    Switch(
        "pubsub_audience", "", "The audience of its token; empty: the endpoint.", "what an operator sets up"
    ),
    Switch(
        "pubsub_account",
        "push@sandbox.iam.gserviceaccount.com",
        "The service account that signs a push.",
        "what an operator sets up",
    ),
    *pushing.SWITCHES,
)
