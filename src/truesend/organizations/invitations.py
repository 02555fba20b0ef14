"""Invitations: made, mailed or copied, sent again, revoked, and accepted once.

The token is random and only its SHA-256 is stored, so that nobody who reads the database can join. One that was mailed
is good for the account of that address alone: who has it reads that mailbox. A page that shows a link shows it once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from truesend import clock, env, live_events
from truesend.organizations import access, audit, members, profile, roles, system_mail
from truesend.organizations.invitation_models import Invitation
from truesend.organizations.members import NotDone
from truesend.organizations.models import Member, Organization, User
from truesend.organizations.roles import Role

LIFETIME = timedelta(days=7)
# A mail goes to an address again after so long: nobody's mailbox is flooded from here.
REST = timedelta(minutes=1)
MOST_A_DAY = 100
LONGEST_ADDRESS = 254


class Unverified(NotDone):
    """The one thing that an address which was never confirmed keeps somebody from."""

    def __init__(self) -> None:
        super().__init__("Confirm your own address first: only then can you invite somebody.")


@dataclass(frozen=True)
class Made:
    """An invitation and its link, which is known just now and never again."""

    invitation: Invitation
    link: str = field(repr=False)


class State(StrEnum):
    """What a link is worth."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"
    USED = "used"


def digest_of(token: str) -> bytes:
    """What is stored of a token: it is random, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).digest()


def may_invite(member: Member) -> bool:
    """Whether their own address is theirs. Where no mail leaves none can be confirmed, and none is sent either."""
    if not system_mail.is_configured():
        return True
    own = EmailAddress.objects.filter(user=member.user, email=member.user.email, verified=True)
    return bool(own.exists())


def invite(actor: Member, role: str, address: str = "") -> Made:
    """Invite as ``role``: by mail where there is an address, else by the link. Mailing is :func:`send`.

    Raises :class:`~truesend.organizations.access.Refused`, :class:`Unverified`, :class:`NotDone`.
    """
    if role not in (Role.MANAGER, Role.USER):
        raise NotDone("Invite somebody as a manager or as a user.")
    access.check(actor, roles.inviting(role))
    if not may_invite(actor):
        raise Unverified
    address = _checked(actor, address)
    now = clock.now()
    made = Invitation.objects.filter(
        organization=actor.organization_id, created_at__gt=now - timedelta(days=1)
    )
    if made.count() >= MOST_A_DAY:
        raise NotDone(f"{MOST_A_DAY} invitations were made within a day. Wait until tomorrow.")
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            row = Invitation.objects.create(
                organization=actor.organization,
                role=role,
                address=address,
                digest=digest_of(token),
                invited_by=actor,
                created_at=now,
                renewed_at=now,
                expires_at=now + LIFETIME,
            )
            _noted(row, actor, "member.invited", role)
    except IntegrityError:
        raise NotDone(f"{address} is invited already. Send that invitation again, or revoke it.") from None
    return Made(row, link_of(token))


def _checked(actor: Member, address: str) -> str:
    """The address in lower case; empty for a link. Raises :class:`NotDone`."""
    address = address.strip().lower()
    if not address:
        return ""
    if not system_mail.is_configured():
        raise NotDone(
            "This installation sends no mail of its own. Make a link instead, and pass it on yourself."
        )
    try:
        validate_email(address)
    except ValidationError:
        raise NotDone("This is no email address. Type one such as ines@example.com.") from None
    if len(address) > LONGEST_ADDRESS:
        raise NotDone(f"An address has at most {LONGEST_ADDRESS} characters.")
    here = Member.objects.current().filter(organization=actor.organization_id, user__email=address)
    if here.exists():
        raise NotDone(f"{address} is in the team already.")
    return address


def link_of(token: str) -> str:
    """Where it is accepted; from the public URL, so that a forged Host never gets into it."""
    return f"{env.public_url()}/invite/{token}"


def renew(actor: Member, invitation: Invitation) -> Made:
    """A new link with all of its days; the one before is worth nothing. Raises as :func:`invite` does."""
    access.check(actor, roles.inviting(invitation.role))
    if not may_invite(actor):
        raise Unverified
    now = clock.now()
    token = secrets.token_urlsafe(32)
    waiting = _open(invitation)
    if invitation.address:
        waiting = waiting.filter(Q(mailed_at=None) | Q(mailed_at__lt=now - REST))
    with transaction.atomic():
        done = waiting.update(
            digest=digest_of(token),
            renewed_at=now,
            expires_at=now + LIFETIME,
            mailed_at=None,
            invited_by=actor,
        )
        if done != 1:
            if _open(invitation).exists():
                raise NotDone("It was mailed a moment ago. Wait a minute.")
            raise NotDone("It was accepted or revoked meanwhile.")
        _noted(invitation, actor, "member.invited_again", invitation.role)
    return Made(
        Invitation.objects.select_related("organization", "invited_by__user").get(pk=invitation.pk),
        link_of(token),
    )


def revoke(actor: Member, invitation: Invitation) -> None:
    """Make its link worth nothing. Raises :class:`~truesend.organizations.access.Refused`, :class:`NotDone`."""
    access.check(actor, roles.inviting(invitation.role))
    with transaction.atomic():
        if _open(invitation).update(revoked_at=clock.now()) != 1:
            raise NotDone("It was accepted or revoked already.")
        _noted(invitation, actor, "member.uninvited")


def _open(invitation: Invitation) -> QuerySet[Invitation]:
    """It, if nothing has ended it; one that ran out can be renewed."""
    return Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)


def send(made: Made) -> bool:
    """Mail it to its address; False where the mail server did not take it. Call it when the row is committed."""
    row = made.invitation
    who, where = row.invited_by.user, row.organization.name
    by = who.get_full_name() if not who.name else f"{who.name} ({who.email})"
    body = (
        f"{by} invites you to {where} at Truesend, as a {row.role}.\n\n"
        f"Join here, with this address; it takes a minute:\n{made.link}\n\n"
        f"The link works once, until {row.expires_at:%-d %B, %H:%M} UTC, and for you alone: do not pass it on. "
        "If you do not know them, do nothing.\n\nTruesend\n"
    )
    subject = f"{who.get_full_name()} invites you to {where}"
    if env.environment() != "prod":
        subject = f"[{env.environment()}] {subject}"
    try:
        EmailMessage(" ".join(subject.split())[:300], body, to=[row.address]).send()
    except system_mail.MailNotSent:
        return False
    Invitation.objects.filter(pk=row.pk, digest=digest_of(made.link.rpartition("/")[2])).update(
        mailed_at=clock.now()
    )
    return True


# -- who has the link -------------------------------------------------------------------------------------------


def find(token: str) -> Invitation | None:
    """The invitation of a token, whatever it is worth now."""
    rows = Invitation.objects.select_related("organization", "invited_by__user", "accepted_by")
    return rows.filter(digest=digest_of(token)).first()


def state_of(invitation: Invitation, now: datetime) -> State:
    """What its link is worth. An invitation ends with the right of whoever sent it."""
    if invitation.accepted_at is not None:
        return State.USED
    if invitation.revoked_at is not None or not _stands(invitation.invited_by, invitation.role):
        return State.REVOKED
    return State.EXPIRED if invitation.expires_at <= now else State.OPEN


def _stands(by: Member, role: str) -> bool:
    return by.is_active and roles.allows(by.role, roles.inviting(role))


def accept(invitation: Invitation, user: User) -> Member:
    """Make ``user``, who belongs to no organization, a member; once. Who was there before gets their place back.

    Raises :class:`NotDone`; then nothing has changed.
    """
    now = clock.now()
    try:
        with transaction.atomic():
            Organization.objects.select_for_update(no_key=True).get(pk=invitation.organization_id)
            claimed = _open(invitation).filter(expires_at__gt=now, digest=invitation.digest)
            if claimed.update(accepted_at=now) != 1 or not _stands(_fresh(invitation), invitation.role):
                raise NotDone("This invitation has just been used, renewed or revoked.")
            if invitation.address and invitation.address != user.email:
                raise NotDone(f"This invitation is for {invitation.address} alone.")
            member = _join(invitation, user, now)
            profile.welcome(user, member.organization)
            Invitation.objects.filter(pk=invitation.pk).update(accepted_by=member)
            if invitation.address:
                verified(user)
            members.joined(member, by=member)
    except IntegrityError:
        raise NotDone("You are in an organization already.") from None
    except Organization.DoesNotExist:
        raise NotDone("That organization has just been deleted.") from None
    return member


def _fresh(invitation: Invitation) -> Member:
    return Member.objects.select_related("user").get(pk=invitation.invited_by_id)


def _join(invitation: Invitation, user: User, now: datetime) -> Member:
    """A new row, or the one they had here: their emails hang on it."""
    before = Member.objects.filter(organization=invitation.organization_id, user=user).first()
    if before is None:
        return Member.objects.create(organization=invitation.organization, user=user, role=invitation.role)
    back = Member.objects.filter(pk=before.pk, removed_at__isnull=False)
    if back.update(removed_at=None, deactivated_at=None, role=invitation.role, created_at=now) != 1:
        raise NotDone("You are in this organization already.")
    return Member.objects.select_related("organization", "user").get(pk=before.pk)


def verified(user: User) -> None:
    """Whoever used a link that went to an address alone reads its mailbox."""
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def pending(organization_id: UUID) -> list[Invitation]:
    """What was neither accepted nor revoked, the newest first; what ran out too, until it is a month old."""
    rows = Invitation.objects.filter(organization=organization_id, accepted_at=None, revoked_at=None)
    recent = rows.filter(expires_at__gt=clock.now() - timedelta(days=30))
    return list(recent.select_related("invited_by__user").order_by("-renewed_at"))


def access_invitation(member: Member, invitation_id: UUID) -> Invitation | None:
    """An invitation of the member's organization, or ``None``."""
    rows = Invitation.objects.select_related("organization", "invited_by__user")
    return rows.filter(pk=invitation_id, organization=member.organization_id).first()


def _noted(invitation: Invitation, actor: Member, action: str, words: str = "") -> None:
    """Into the log, and onto the open pages of the team."""
    ref = str(invitation.pk)
    audit.record(invitation.organization_id, actor, action, about=invitation.address, words=words, ref=ref)
    live_events.publish(invitation.organization_id, "account", [invitation.pk])
