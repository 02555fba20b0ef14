"""Permissions of Graph: which there are, their spellings, who may consent to them, which call needs which."""

from __future__ import annotations

from collections.abc import Iterable

RESOURCE = "https://graph.microsoft.com/"
DEFAULT = ".default"
OPENID = "openid"
OFFLINE = "offline_access"

DESCRIPTIONS = {
    OPENID: "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
    OFFLINE: "Maintain access to data you have given it access to",
    "User.Read": "Sign you in and read your profile",
    "Mail.Send": "Send mail as you",
    "Mail.Send.Shared": "Send mail on behalf of others or yourself",
    "Mail.ReadWrite": "Read and write access to your mail",
    "Mail.ReadWrite.Shared": "Read and write mail you can access",
    "Mail.Read": "Read your mail",
    "Mail.Read.Shared": "Read mail you can access",
    "Mail.ReadBasic": "Read your basic mail",
    "Mail.ReadBasic.Shared": "Read basic mail you can access",
    "MailboxSettings.Read": "Read your mailbox settings",
    "Contacts.Read": "Read your contacts",
    "People.Read": "Read your relevant people list",
}
SIGN_IN = frozenset({OPENID, "profile", "email", OFFLINE})
"""Belong to the identity platform, not to Graph; they have no long form."""
REGISTERED = (*sorted(SIGN_IN), "User.Read", "Mail.Send", "Mail.ReadWrite")
"""What the application has listed in its registration: the meaning of `.default`."""
BASIC = SIGN_IN | {"User.Read"}
"""What an app without a verified publisher may ask of any user."""

ADMIN_BY_MANAGED_POLICY = frozenset(
    {
        "Mail.Read",
        "Mail.ReadWrite",
        "Mail.ReadBasic",
        "Mail.Read.Shared",
        "Mail.ReadBasic.Shared",
        "Mail.ReadWrite.Shared",
        "MailboxSettings.Read",
        "People.Read",
    }
)
"""Not for users to consent to under Microsoft's managed policy, of those served here (consent-policies page)."""

_READ = frozenset({"Mail.Read", "Mail.ReadWrite"})
_LOOK = _READ | {"Mail.ReadBasic"}
_WRITE = frozenset({"Mail.ReadWrite"})
_SEND = frozenset({"Mail.Send"})

ACCEPTED: dict[str, frozenset[str]] = {
    "me": frozenset({"User.Read"}),
    "send": _SEND,
    "drafts.send": _SEND,
    "messages.reply": _SEND,
    "drafts.create": _WRITE,
    "drafts.update": _WRITE,
    "drafts.delete": _WRITE,
    "drafts.reply": _WRITE,
    "drafts.get": _LOOK,
    "messages.update": _WRITE,
    "messages.delete": _WRITE,
    "messages.get": _LOOK,
    "messages.list": _LOOK,
    "messages.delta": _LOOK,
    "subscriptions.create": _LOOK,
    "subscriptions.get": _LOOK,
    "subscriptions.renew": _LOOK,
    "subscriptions.delete": _LOOK,
    "messages.value": _READ,
    "attachments.list": _READ,
    "attachments.get": _READ,
    "attachments.create": _WRITE,
    "uploads.start": _WRITE,
    "folders.list": _LOOK,
    "folders.get": _LOOK,
}
"""Operation → permissions of which any one is enough (permissions table of each call's page)."""

_KNOWN = {name.lower(): name for name in DESCRIPTIONS}


def canonical(scope: str) -> str | None:
    """The short form in Microsoft's spelling, `Mail.Send`; None for one that is not known here."""
    text = scope[len(RESOURCE) :] if scope.lower().startswith(RESOURCE) else scope
    return DEFAULT if text.lower() == DEFAULT else _KNOWN.get(text.lower())


def read(text: str) -> tuple[tuple[str, ...], list[str]]:
    """A `scope` parameter as `(canonical scopes, unknown words)`."""
    known: dict[str, None] = {}
    strange: list[str] = []
    for word in text.split():
        name = canonical(word)
        if name is None:
            strange.append(word)
        else:
            known[name] = None
    return tuple(known), strange


def of_graph(scopes: Iterable[str]) -> set[str]:
    """Those that are permissions of Graph."""
    return set(scopes) - SIGN_IN - {DEFAULT}
