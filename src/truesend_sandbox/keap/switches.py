"""Keap's switches: most of what its documentation leaves open (keap.md §5)."""

from __future__ import annotations

from truesend_sandbox import pushing
from truesend_sandbox.switches import Switch

_SIGN_IN = (
    Switch(
        "https_redirects",
        False,
        "Redirect addresses must be https (otherwise page redirect_uri_mismatch).",
        "documented; off so that localhost works",
    ),
    Switch(
        "deny_form",
        "error",
        "What Cancel does: `error` goes back with error=access_denied, `page` never comes back.",
        "unconfirmed: by RFC 6749",
        ("error", "page"),
    ),
    Switch("code_lifetime", 600, "Seconds a code can be exchanged.", "unconfirmed", above=0),
    Switch(
        "access_token_lifetime", 86_400, "Seconds an access token works.", "said by Keap's staff", above=0
    ),
    Switch(
        "refresh_token_lifetime",
        45 * 86_400,
        "Seconds a refresh token works when it is not used.",
        "said by Keap's staff",
        above=0,
    ),
    Switch("token_length", 28, "Characters of a token.", "unconfirmed: formerly 24", above=15),
    Switch(
        "refresh_grace",
        0.0,
        "Seconds a used refresh token goes on working.",
        "unconfirmed: none is documented",
    ),
    Switch(
        "refresh_ends_access_token",
        False,
        "A refresh ends the access token of the pair it replaces.",
        "unconfirmed",
    ),
    Switch("key_lifetime", 0, "Days a key works; 0: for ever.", "unconfirmed: no end is stated"),
    Switch(
        "new_consent_ends",
        "nothing",
        "Which earlier tokens of this client in this app a new consent ends.",
        "unconfirmed: reported for the gateway before this one",
        ("nothing", "same_user", "everybody"),
    ),
    Switch(
        "strict_client_auth",
        True,
        "A code wants the client in the body and no Authorization header, a refresh wants Basic and no client"
        " in the body; off: both styles at both.",
        "documented; one party reports tolerance",
    ),
    Switch(
        "dead_refresh_body",
        "invalid_grant",
        "The 400 for a used, expired or unknown refresh token: `invalid_grant` or `invalid_request`.",
        "both seen",
        ("invalid_grant", "invalid_request"),
    ),
    Switch(
        "bad_code_body",
        "unable",
        "A bad code: `unable` 401 Unable to authenticate username and password, `invalid` 400 Authorization"
        " code is invalid; both invalid_grant.",
        "both seen, the second only as words",
        ("unable", "invalid"),
    ),
    Switch(
        "wrong_secret_body",
        "oauth",
        "The 401 for a wrong client: `oauth` invalid_client, `apigee` the gateway's ErrorCode.",
        "unconfirmed",
        ("oauth", "apigee"),
    ),
    Switch(
        "password_change_ends_tokens", False, "A changed password ends the person's tokens.", "unconfirmed"
    ),
)

_GATEWAY = (
    Switch(
        "expired_token_fault",
        "expired",
        "The 401 for an expired access token: `expired`, or `invalid` as for an unknown one.",
        "unconfirmed: as other Apigee APIs answer",
        ("expired", "invalid"),
    ),
    Switch(
        "revoked_token_fault",
        "invalid",
        "The 401 for an access token that was ended: `invalid` as for an unknown one, or `not_approved`.",
        "unconfirmed",
        ("invalid", "not_approved"),
    ),
    Switch("enforce_limits", False, "The limits below hold; off: nothing is counted.", "a test's choice"),
    Switch(
        "client_per_minute", 1500, "Calls of a client in a minute, all apps together.", "documented", above=0
    ),
    Switch("client_per_day", 150_000, "Calls of a client in a day (UTC).", "documented", above=0),
    Switch("client_per_second", 25, "Calls of a client in a second.", "documented", above=0),
    Switch("key_per_minute", 240, "Calls with a key in a minute.", "documented", above=0),
    Switch("key_per_day", 30_000, "Calls with a key in a day (UTC).", "documented", above=0),
    Switch("key_per_second", 10, "Calls with a key in a second.", "documented", above=0),
    Switch(
        "tenant_per_minute",
        10_000,
        "Calls to an app in a minute, all tokens together.",
        "documented",
        above=0,
    ),
    Switch("tenant_per_day", 250_000, "Calls to an app in a day (UTC).", "documented", above=0),
    Switch(
        "tenant_windows",
        "two",
        "x-keap-tenant-throttle-*: `two` windows joined by a pipe, or `one` (the minute).",
        "seen: two since mid-2026, one before",
        ("two", "one"),
    ),
    Switch(
        "throttle_body",
        "observed",
        "The 429: `observed` (Quota Exceeded) or `apigee` (policies.ratelimit.…).",
        "seen in 2022; the other is unconfirmed",
        ("observed", "apigee"),
    ),
    Switch("retry_after_header", False, "Whether a 429 carries Retry-After.", "documented as not guaranteed"),
    Switch(
        "admin_block_spares_userinfo",
        False,
        "An app that an admin has shut out still gets userinfo.",
        "unconfirmed",
    ),
    Switch(
        "last_page_token",
        "absent",
        "next_page_token of the last page of v2: `absent` or `empty`.",
        "unconfirmed",
        ("absent", "empty"),
    ),
)

_CONTACTS = (
    Switch(
        "new_contact_status",
        "NON_MARKETABLE",
        "Status of an address that comes with a contact and without an opt_in_reason.",
        "unconfirmed: by Keap's help pages",
        ("NON_MARKETABLE", "UNENGAGED_NON_MARKETABLE", "UNENGAGED_MARKETABLE"),
    ),
    Switch(
        "opt_out_status",
        "MANUAL",
        "Status an address gets by opted_in=false.",
        "unconfirmed",
        ("MANUAL", "ADMIN"),
    ),
    Switch("soft_bounce_is_marketable", True, "Whether BOUNCE counts as opted in.", "unconfirmed"),
    Switch(
        "vain_opt_in",
        "keep",
        "An opt-in of an address that cannot be raised: `keep` answers 200 with the old status, `refuse` 400.",
        "unconfirmed: the first is how the specification reads",
        ("keep", "refuse"),
    ),
    Switch(
        "unknown_address",
        "not_found",
        "The status of an address no contact has: `not_found` 404, or `non_marketable`.",
        "unconfirmed",
        ("not_found", "non_marketable"),
    ),
)

_SENDING = (
    Switch(
        "empty_contacts",
        "refuse",
        "A send to no contact at all: `refuse` 400, or `accept` 202.",
        "unconfirmed: required by the specification",
        ("refuse", "accept"),
    ),
    Switch(
        "unknown_contacts",
        "skip",
        "A send to contacts there are not: `skip` them, or `refuse` 400.",
        "unconfirmed",
        ("skip", "refuse"),
    ),
    Switch(
        "unknown_sender",
        "refuse",
        "A send by a user or address there is not: `refuse` 400, or `accept` 202 and nothing leaves.",
        "unconfirmed",
        ("refuse", "accept"),
    ),
    Switch(
        "non_marketable_recipients",
        "deliver",
        "Mail to people who have not opted in: `deliver`, or `drop` without a word.",
        "unconfirmed: documented for single mails in Keap's pages",
        ("deliver", "drop"),
    ),
    Switch(
        "blocked_recipients",
        "drop",
        "Mail to hard bounces, complaints and the like: `drop` without a word, or `deliver`.",
        "unconfirmed",
        ("drop", "deliver"),
    ),
    Switch(
        "raw_content",
        "literal",
        "Content that is not base64: `literal` reaches people as it is, `refuse` 400.",
        "seen by one party",
        ("literal", "refuse"),
    ),
    Switch(
        "html_comments",
        "keep",
        "HTML comments of a mail: `keep` or `strip`.",
        "unconfirmed",
        ("keep", "strip"),
    ),
    Switch(
        "merge_fields",
        True,
        "`~Contact.FirstName~` and the like are filled in.",
        "unconfirmed for emails:send",
    ),
    Switch(
        "wrap_links",
        False,
        "Links lead through Keap, which notes a click.",
        "unconfirmed for mail of the API",
    ),
    Switch(
        "own_pixel", False, "Keap adds a picture that notes an opening.", "unconfirmed for mail of the API"
    ),
    Switch(
        "unsubscribe_footer", False, "Keap adds a line to unsubscribe by.", "unconfirmed for mail of the API"
    ),
    Switch(
        "send_history",
        "content",
        "What the history keeps of a send: `content`, only the `record`, or `nothing`.",
        "unconfirmed",
        ("content", "record", "nothing"),
    ),
    Switch(
        "taken_record",
        "refuse",
        "A record whose `original_provider_id` is there already: `refuse` 400, or `conflict` 409.",
        "unconfirmed",
        ("refuse", "conflict"),
    ),
    Switch("history_delay", 0.0, "Seconds until the history shows a sent mail.", "a test's choice"),
)

SWITCHES = (*_SIGN_IN, *_GATEWAY, *_CONTACTS, *_SENDING, *pushing.SWITCHES)
