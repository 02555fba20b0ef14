"""The record of administrative acts: who did what, when; written in the transaction of the act itself.

An entry holds no address of a recipient: those can be forgotten, and an entry cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from truesend.organizations.audit_models import AuditEntry
from truesend.organizations.models import Member, User
from truesend.paging import read_cursor, write_cursor

AREAS: Final = {
    "connection": "Connections",
    "member": "Members",
    "sign_in": "Sign-in",
    "organization": "Organization",
    "suppression": "Suppression",
    "token": "API tokens",
    "billing": "Billing",
    "installation": "Installation",
}
"""What acts are about: the part of a code before its dot, and what people call it."""

ACTIONS: Final = {
    "connection.connected": "Connected an account",
    "connection.connected_again": "Gave an account its permission again",
    "connection.reset": "Reset a connection",
    "connection.disconnected": "Disconnected an account",
    "connection.shared": "Shared a mailbox with everyone",
    "connection.taken_back": "Took a mailbox back",
    "connection.reading_dropped": "Did without reading",
    "connection.recording_on": "Began to record mail of other accounts",
    "connection.recording_off": "Stopped recording mail of other accounts",
    "member.invited": "Invited somebody",
    "member.invited_again": "Sent an invitation again",
    "member.uninvited": "Revoked an invitation",
    "member.joined": "Joined the team",
    "member.role": "Changed a role",
    "member.deactivated": "Deactivated a member",
    "member.reactivated": "Reactivated a member",
    "member.removed": "Removed a member",
    "member.left": "Left the team",
    "member.account_deleted": "Deleted their account",
    "organization.name": "Renamed the organization",
    "organization.zone": "Changed the organization’s time zone",
    "organization.tracking_host": "Changed where tracked links lead",
    "organization.privacy": "Changed tracking and privacy",
    "organization.links": "Changed what becomes of links that show another address",
    "organization.mailboxes": "Changed whose mailboxes are sent from",
    "organization.forgot": "Forgot a recipient",
    "sign_in.app_added": "Set up an authenticator app",
    "sign_in.app_removed": "Removed an authenticator app",
    "sign_in.passkey_added": "Added a passkey",
    "sign_in.passkey_removed": "Removed a passkey",
    "sign_in.factors_removed": "Lost factors were taken away",
    "sign_in.codes_made": "Made new recovery codes",
    "sign_in.code_used": "Signed in or confirmed with a recovery code",
    "sign_in.password_changed": "Changed their password",
    "sign_in.address_changed": "Changed the address they are written to",
    "sign_in.session_ended": "Signed out one of their browsers",
    "sign_in.everywhere_ended": "Signed out everywhere",
    "sign_in.guessed": "Somebody guessed too often",
    "organization.second_factor": "Changed who needs a second factor",
    "suppression.added": "Put an address on the suppression list",
    "suppression.imported": "Imported into the suppression list",
    "suppression.exported": "Exported the suppression list",
    "suppression.allowed": "Let an address in again",
    "suppression.footer": "Changed the sentence below mail to many",
    "token.made": "Made an API token",
    "token.revoked": "Revoked an API token",
    "billing.checkout": "Went to Stripe to subscribe",
    "billing.portal": "Opened the customer portal at Stripe",
    "billing.state": "The account stands otherwise",
    "installation.provider_set": "Set up a provider",
    "installation.provider_removed": "Removed a provider's client",
    "installation.blocked": "Blocked links",
    "installation.unblocked": "Lifted a block of links",
    "organization.audit_exported": "Exported this log",
    "organization.exported": "Exported the whole organization",
    "organization.to_be_deleted": "Began to delete the organization",
    "organization.kept": "Took the deletion back",
    "organization.erasing": "The organization is being erased",
}
"""Every act that is recorded, and how it reads. Whoever records another adds its row here."""

AT_ONCE = 1_000
"""Entries that an export reads in one query."""


def record(
    organization_id: UUID,
    actor: Member | None,
    action: str,
    *,
    about: str = "",
    words: str = "",
    ref: str = "",
) -> None:
    """Note an act of ``actor`` (``None``: Truesend itself) in the running transaction.

    ``about`` is what it was done to, as people call it; ``ref`` is its id. Raises ``ValueError`` for a code that is not
    in :data:`ACTIONS`.
    """
    if action not in ACTIONS:
        raise ValueError(f"no action is called {action}")
    AuditEntry.objects.create(
        organization_id=organization_id,
        actor=actor.pk if actor is not None else None,
        actor_name=_line(actor.user.name, 150) if actor is not None else "",
        actor_email=actor.user.email if actor is not None else "",
        action=action,
        about=_line(about, 254),
        words=_line(words, 500),
        ref=ref[:80],
    )


def record_of(user: User | None, action: str, *, about: str = "", words: str = "", ref: str = "") -> None:
    """The same for an act of a user on the installation or on their own account: noted in their organization.

    Somebody who belongs to none has no log to stand in.
    """
    actor = (
        Member.objects.current().select_related("user").filter(user=user).first()
        if user is not None
        else None
    )
    if actor is not None:
        record(actor.organization_id, actor, action, about=about, words=words, ref=ref)


def page(
    organization_id: UUID, *, words: str = "", area: str = "", cursor: str = "", size: int
) -> tuple[list[AuditEntry], str | None]:
    """(one page of the log, newest first, the cursor of the next or None). Raises ``CursorError``."""
    rows = entries(organization_id, words=words, area=area)
    if cursor:
        rows = _behind(rows, *read_cursor(cursor))
    found = list(rows[: size + 1])
    more = len(found) > size
    return found[:size], write_cursor(found[size - 1].at, found[size - 1].pk) if more else None


def entries(organization_id: UUID, *, words: str = "", area: str = "") -> QuerySet[AuditEntry]:
    """An organization's entries, newest first; ``words`` stand in who acted or in what it was done to."""
    rows = AuditEntry.objects.filter(organization=organization_id).order_by("-at", "-id")
    if area:
        rows = rows.filter(action__startswith=f"{area}.")
    for word in words.split():
        sought = Q(actor_email__icontains=word) | Q(actor_name__icontains=word)
        rows = rows.filter(sought | Q(about__icontains=word) | Q(words__icontains=word))
    return rows


def every(organization_id: UUID, *, words: str = "", area: str = "") -> Iterator[AuditEntry]:
    """All of them, a stretch at a time, so that a long log is never in memory whole."""
    rows = entries(organization_id, words=words, area=area)
    following = rows
    while found := list(following[:AT_ONCE]):
        yield from found
        following = _behind(rows, found[-1].at, found[-1].pk)


def _behind(rows: QuerySet[AuditEntry], at: object, entry_id: UUID) -> QuerySet[AuditEntry]:
    return rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=entry_id))


def _line(text: str, longest: int) -> str:
    """On one line, without what no page shows."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:longest]
