"""Google's scopes: which there are, their aliases, and which call accepts which."""

from __future__ import annotations

from collections.abc import Iterable

PREFIX = "https://www.googleapis.com/auth/"
FULL = "https://mail.google.com/"
SEND = PREFIX + "gmail.send"
READONLY = PREFIX + "gmail.readonly"
COMPOSE = PREFIX + "gmail.compose"
MODIFY = PREFIX + "gmail.modify"
METADATA = PREFIX + "gmail.metadata"
SETTINGS_BASIC = PREFIX + "gmail.settings.basic"
EMAIL = PREFIX + "userinfo.email"
PROFILE = PREFIX + "userinfo.profile"
OPENID = "openid"

ALIASES = {"email": EMAIL, "profile": PROFILE}
"""Short names that come back in their long form."""

SIGN_IN = frozenset({OPENID, EMAIL, PROFILE})
"""Given with the account itself: no checkbox, and exempt from the 7 days of an app in Testing."""

DESCRIPTIONS = {
    OPENID: "Associate you with your personal info on Google",
    EMAIL: "See your primary Google Account email address",
    PROFILE: "See your personal info, including any personal info you've made publicly available",
    FULL: "Read, compose, send, and permanently delete all your email from Gmail",
    SEND: "Send email on your behalf",
    READONLY: "View your email messages and settings",
    COMPOSE: "Manage drafts and send emails",
    MODIFY: "Read, compose, and send emails from your Gmail account",
    METADATA: "View your email message metadata such as labels and headers, but not the email body",
    PREFIX + "gmail.insert": "Add emails into your Gmail mailbox",
    PREFIX + "gmail.labels": "See and edit your email labels",
    SETTINGS_BASIC: "See, edit, create, or change your email settings and filters in Gmail",
    PREFIX
    + "gmail.settings.sharing": "Manage your sensitive mail settings, including who can manage your mail",
}
GMAIL = frozenset(DESCRIPTIONS) - SIGN_IN
"""Tokens that carry one of these die when the password changes."""

_READ = frozenset({FULL, MODIFY, READONLY, METADATA})
_DRAFT = frozenset({FULL, MODIFY, COMPOSE})

ACCEPTED: dict[str, frozenset[str]] = {
    "send": frozenset({FULL, MODIFY, COMPOSE, SEND}),
    "drafts.create": _DRAFT,
    "drafts.update": _DRAFT,
    "drafts.send": _DRAFT,
    "drafts.delete": _DRAFT,
    "drafts.get": _DRAFT | {READONLY},
    "drafts.list": _DRAFT | {READONLY},
    "messages.get": _READ,
    "messages.list": _READ,
    "messages.trash": frozenset({FULL, MODIFY}),
    "messages.untrash": frozenset({FULL, MODIFY}),
    "messages.delete": frozenset({FULL}),
    "history.list": _READ,
    "threads.get": _READ,
    "threads.list": _READ,
    "labels.list": _READ | {PREFIX + "gmail.labels"},
    "watch": _READ,
    "stop": _READ,
    "attachments.get": frozenset({FULL, MODIFY, READONLY}),
    "profile": _READ | {COMPOSE},
    "sendAs.list": frozenset({FULL, MODIFY, READONLY, SETTINGS_BASIC}),
    "sendAs.get": frozenset({FULL, MODIFY, READONLY, SETTINGS_BASIC}),
}
"""Operation → scopes of which any one is enough (discovery document gmail.v1.json)."""


def canonical(scope: str) -> str:
    """The long form of a scope: `email` → `…/auth/userinfo.email`, `gmail.send` → `…/auth/gmail.send`."""
    if scope in ALIASES:
        return ALIASES[scope]
    if scope in DESCRIPTIONS:
        return scope
    return PREFIX + scope if PREFIX + scope in DESCRIPTIONS else scope


def unknown(scopes: Iterable[str]) -> list[str]:
    """Those Google does not have; the short names are accepted only where Google accepts them."""
    return [scope for scope in scopes if scope not in ALIASES and scope not in DESCRIPTIONS]


def in_answer(scopes: Iterable[str]) -> str:
    """The list as Google writes it: granted scopes in an order of its own, not the one asked for."""
    return " ".join(sorted(scopes, key=lambda scope: (scope == OPENID, scope in SIGN_IN, scope[::-1])))
