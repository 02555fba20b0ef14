"""Microsoft's switches."""

from __future__ import annotations

from truesend_sandbox import pushing
from truesend_sandbox.switches import Switch

_IDENTITY = (
    Switch(
        "access_token_lifetime",
        0,
        "Seconds an access token works; 0: by chance from 3600 to 5400.",
        "documented (60 to 90 minutes)",
    ),
    Switch("code_lifetime", 600, "Seconds a code can be exchanged.", "documented: about 10 minutes", above=0),
    Switch(
        "refresh_inactivity",
        7_776_000,
        "Seconds an unused refresh token works.",
        "documented (90 days)",
        above=0,
    ),
    Switch(
        "consent_policy",
        "user",
        "What users of a tenant may consent to: `user` everything, `managed` all but the list of Microsoft's"
        " managed policy, `none` nothing. Personal accounts have no policy.",
        "documented; `managed` is the default of new tenants",
        ("user", "managed", "none"),
    ),
    Switch(
        "unverified_publisher",
        False,
        "The app's publisher is not verified: users of a tenant may consent to signing in and User.Read only.",
        "seen (step-up consent for risky apps)",
    ),
    Switch(
        "consent_request_workflow",
        False,
        "Users may ask for approval: page approval_request instead of admin_approval.",
        "documented",
    ),
    Switch(
        "admin_approval_answer",
        "page",
        "Where only an administrator may consent: a page that never returns, or a return with that error.",
        "each seen",
        ("page", "access_denied", "consent_required"),
    ),
    Switch(
        "decline_answer",
        "cancel",
        "What comes back when the person says no: access_denied with error_subcode cancel, access_denied with"
        " AADSTS65004, or consent_required with it.",
        "each seen",
        ("cancel", "access_denied", "consent_required"),
    ),
    Switch(
        "app_tenant",
        "",
        "The only tenant (id or domain) of a single-tenant app; empty: multi-tenant.",
        "documented",
    ),
    Switch(
        "app_audience",
        "all",
        "`work`: the app is not enabled for personal accounts (page not_for_consumers).",
        "documented; the page's text unconfirmed",
        ("all", "work"),
    ),
    Switch("session_state", True, "The callback carries session_state.", "unconfirmed"),
    Switch("ext_expires_in", True, "Token answers carry ext_expires_in.", "unconfirmed"),
    Switch(
        "scope_answer",
        "granted",
        "The scopes of an answer and its token: all that is granted, or only what was asked.",
        "documented that more than asked may come",
        ("granted", "asked"),
    ),
    Switch(
        "scope_form",
        "long",
        "Permissions in answers with or without `https://graph.microsoft.com/`.",
        "both seen",
        ("long", "short"),
    ),
    Switch("scope_lists_openid", False, "The scopes of an answer name openid.", "unconfirmed"),
    Switch(
        "personal_errors",
        "consumer",
        "`consumer`: dead tokens of personal accounts are all AADSTS70000; `entra`: as for work accounts.",
        "unconfirmed",
        ("consumer", "entra"),
    ),
    Switch(
        "personal_id",
        "short",
        "`id` of a personal account at Graph: 16 digits, or its object id.",
        "seen in Microsoft's samples",
        ("short", "guid"),
    ),
    Switch("suberror", True, "Token errors carry suberror where one is known.", "unconfirmed"),
    Switch(
        "claims_challenge", True, "Token errors of policies (50076, 53003, …) carry claims.", "unconfirmed"
    ),
    Switch(
        "consent_removed_error",
        "invalid_grant",
        "The error beside AADSTS65001.",
        "both seen",
        ("invalid_grant", "consent_required"),
    ),
    Switch(
        "policy_error",
        "invalid_grant",
        "The error beside AADSTS50076 and 53003.",
        "both seen",
        ("invalid_grant", "interaction_required"),
    ),
    Switch(
        "unknown_app_error",
        "unauthorized_client",
        "The error beside AADSTS700016.",
        "both seen",
        ("unauthorized_client", "invalid_client"),
    ),
    Switch(
        "identity_throttle",
        "429",
        "A throttled token endpoint: status 429 with AADSTS90055, or 400 with AADSTS50196 (the client loops).",
        "429 unconfirmed, 50196 documented",
        ("429", "50196"),
    ),
)

_GRAPH = (
    Switch(
        "expired_token_text",
        "Lifetime validation failed, the token is expired.",
        "The message of an expired access token.",
        "each seen",
        (
            "Lifetime validation failed, the token is expired.",
            "Access token has expired or is not yet valid.",
            "CompactToken validation failed with reason code: 80049228.",
        ),
    ),
    Switch(
        "message_id",
        "rewrite",
        "`rewrite`: a Message-ID given in MIME is replaced; `preserve`: it is kept.",
        "unconfirmed",
        ("rewrite", "preserve"),
    ),
    Switch(
        "transit_seconds",
        0.0,
        "Seconds after a send in which the message is neither a draft nor in Sent Items.",
        "documented without a number",
    ),
    Switch("listing_delay", 0.0, "Seconds until a listing shows a message.", "a test's choice"),
    Switch(
        "second_send",
        "not_found",
        "Sending a message that is sent: 404 ErrorItemNotFound or 400.",
        "both seen",
        ("not_found", "bad_request"),
    ),
    Switch(
        "immutable_id_needs_header",
        True,
        "An immutable id in an address is found only with the header that asks for such ids.",
        "documented, the refusal unconfirmed",
    ),
    Switch(
        "custom_headers_on_send",
        True,
        "sendMail takes internetMessageHeaders in JSON.",
        "documented; one report says it refuses them",
    ),
    Switch(
        "headers_of_sent",
        False,
        "Drafts and sent mail show internetMessageHeaders too; received mail always does.",
        "unconfirmed",
    ),
    Switch(
        "conversation_by_topic",
        True,
        "A mail without references joins the conversation of its subject in which its sender was written to.",
        "general knowledge",
    ),
    Switch(
        "delta_token_lifetime",
        2_592_000.0,
        "Seconds a delta token is known; older: 410 SyncStateNotFound.",
        "the answer documented, the time is not",
    ),
    Switch(
        "delta_headers",
        True,
        "delta shows internetMessageHeaders where they are selected.",
        "unconfirmed",
    ),
    Switch(
        "delete_goes_to",
        "deleted_items",
        "Where DELETE puts a message: into Deleted Items, or `nowhere` that can be listed.",
        "both seen",
        ("deleted_items", "nowhere"),
    ),
    Switch("custom_headers", 5, "Custom headers of one JSON message.", "unconfirmed", above=0),
    Switch("request_limit", 4_194_304, "Bytes of a writing request; more is 413.", "documented (4 MB)"),
    Switch(
        "session_minimum",
        3_145_728,
        "Bytes of a file from which on it takes an upload session; a smaller one is refused there.",
        "documented as 3 MB; which of the two is unconfirmed",
        above=0,
    ),
    Switch("session_seconds", 604_800.0, "Seconds an upload session waits.", "unconfirmed", above=0),
    Switch(
        "session_step",
        327_680,
        "Bytes of which every part of an upload but the last is a multiple; 0: any size.",
        "documented of uploads to drives, unconfirmed of mail",
    ),
    Switch(
        "session_tells",
        True,
        "GET of an upload's address tells what it waits for; else it is refused (405).",
        "documented of uploads to drives, unconfirmed of mail",
    ),
    Switch(
        "recipients_per_message",
        500,
        "Recipients of one message.",
        "documented; the refusal unconfirmed",
        above=0,
    ),
    Switch(
        "daily_recipients",
        0,
        "Recipients of an account in 24 hours; 0: no limit (Exchange Online 10000).",
        "documented",
    ),
    Switch(
        "daily_limit_answer",
        "bounce",
        "Above `daily_recipients`: accepted and then bounced with 5.1.90, or refused.",
        "documented; `refuse` is what outlook.com does",
        ("bounce", "refuse"),
    ),
    Switch(
        "message_limit_status", 429, "Status of ErrorExceededMessageLimit.", "unconfirmed (429, 403 or 400)"
    ),
    Switch("submission_blocked_status", 554, "Status of ErrorMessageSubmissionBlocked.", "seen", above=399),
    Switch(
        "mailbox_missing_status",
        403,
        "Status of MailboxNotEnabledForRESTAPI.",
        "403 and 404 seen",
        above=399,
    ),
    Switch(
        "throttle_code",
        "ApplicationThrottled",
        "The code of a throttled Graph call.",
        "both seen",
        ("ApplicationThrottled", "TooManyRequests"),
    ),
    Switch(
        "retry_after",
        "integer",
        "Retry-After as whole seconds, as a decimal, or absent.",
        "each seen",
        ("integer", "decimal", "absent"),
    ),
    Switch(
        "requests_per_10_minutes",
        0,
        "Graph requests of a mailbox in 10 minutes; 0: no limit (Microsoft 10000).",
        "documented",
    ),
)

SWITCHES = (*_IDENTITY, *_GRAPH, *pushing.SWITCHES)
