"""The rows of accounts, members, connections, what they write with, and of the organization itself; never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.exports.reach import Reach, by_key, values
from truesend.organizations import audit
from truesend.organizations.invitation_models import Invitation
from truesend.organizations.models import Member, Organization
from truesend.suppression.models import Footer, Suppression

Row = dict[str, Any]

MEMBER = ("id", "email", "name", "role", "created_at", "deactivated_at", "removed_at", "seen_at")
CONNECTION = (
    "id", "provider", "kind", "address", "display_name", "member", "capabilities", "consented_at", "created_at",
    "shared_at", "disconnected_at",
)  # fmt: skip
SUPPRESSION = ("address", "reason", "at", "source", "by", "allowed_at", "allowed_by", "forgotten")
AUDIT = ("at", "actor_name", "actor_email", "action", "what", "about", "words", "ref", "id")


def account(member: Member) -> Row:
    """Somebody's own account: how they sign in, without what it is checked against, and what they set."""
    user = member.user
    return {
        "email": user.email,
        "name": user.name,
        "time_zone": user.zone,
        "created_at": user.created_at,
        "role": member.role,
        "organization": member.organization.name,
        "joined_at": member.created_at,
        "addresses": values(EmailAddress.objects.filter(user=user).order_by("pk"), "email", "verified", "primary"),
        "second_factors": [
            {"type": one.type, "name": str(one.data.get("name", "")), "created_at": one.created_at}
            for one in Authenticator.objects.filter(user=user).order_by("created_at")
        ],
        "api_tokens": tokens(member),
    }  # fmt: skip


def tokens(member: Member) -> list[Row]:
    """Names and times of API tokens; what they are checked against is no use to anybody, and left out."""
    return [
        {
            "name": one.name,
            "created_at": one.created_at,
            "last_used_at": one.last_used_at,
            "revoked_at": one.revoked_at,
        }
        for one in sorted(member.api_tokens.all(), key=lambda one: one.created_at)
    ]


def organization(organization_id: UUID) -> Row:
    """What an organization has chosen, and how its account stands."""
    row = Organization.objects.get(pk=organization_id)
    footer = Footer.objects.filter(pk=organization_id).first()
    bill = BillingAccount.objects.filter(pk=organization_id).first()
    return {
        "id": row.pk,
        "name": row.name,
        "created_at": row.created_at,
        "time_zone": row.zone,
        "privacy": row.privacy,
        "evidence_days": row.evidence_days,
        "signal_months": row.signal_months,
        "track_by_default": row.track_by_default,
        "track_shown_addresses": row.track_shown_addresses,
        "tracking_url": row.tracking_url,
        "personal_connections_allowed": row.personal_connections_allowed,
        "second_factor_required": row.second_factor_required,
        "unsubscribe_sentence": footer.sentence if footer is not None else None,
        "billing": _bill(bill) if bill is not None else None,
    }


def _bill(bill: BillingAccount) -> Row:
    rows = BillingSubscription.objects.filter(account=bill).order_by("pk")
    return {
        "state": bill.state,
        "tier": bill.tier,
        "trial_ends_at": bill.trial_ends_at,
        "customer": bill.customer,
        "subscriptions": values(rows, "external_id", "status", "tier", "period_ends_at", "ends_at"),
    }


def members(reach: Reach) -> Iterator[Row]:
    """Everybody who is or was in it."""
    for found in by_key(reach.members().select_related("user").prefetch_related("api_tokens")):
        for one in found:
            yield {
                "id": one.pk, "email": one.user.email, "name": one.user.name, "role": one.role,
                "created_at": one.created_at, "deactivated_at": one.deactivated_at, "removed_at": one.removed_at,
                "seen_at": one.seen_at, "api_tokens": tokens(one),
            }  # fmt: skip


def invitations(reach: Reach) -> Iterator[Row]:
    """Invitations without their links."""
    rows = Invitation.objects.filter(organization=reach.organization_id).order_by("created_at")
    yield from values(
        rows, "id", "role", "address", "invited_by", "created_at", "expires_at", "accepted_at", "accepted_by",
        "revoked_at",
    )  # fmt: skip


def connections(reach: Reach) -> Iterator[Row]:
    """Accounts that were connected, without what they were connected by."""
    for found in by_key(reach.connections()):
        for one in found:
            yield {
                "id": one.pk, "provider": one.provider, "kind": one.kind, "address": one.address,
                "display_name": one.display_name, "member": one.member_id, "capabilities": one.asked,
                "granted_scopes": one.granted_scopes, "consented_at": one.consented_at,
                "created_at": one.created_at, "shared_at": one.shared_at, "disconnected_at": one.disconnected_at,
            }  # fmt: skip


def templates(reach: Reach) -> Iterator[Row]:
    """Templates and snippets with their texts."""
    for found in by_key(reach.templates()):
        for one in found:
            yield {
                "id": one.pk, "kind": one.kind, "name": one.name, "shared": one.shared, "member": one.member_id,
                "subject": one.subject, "html": one.html, "created_at": one.created_at, "updated_at": one.updated_at,
            }  # fmt: skip


def signatures(reach: Reach) -> Iterator[Row]:
    """Signatures."""
    for found in by_key(reach.signatures()):
        for one in found:
            yield {
                "id": one.pk, "member": one.member_id, "connection": one.connection_id, "html": one.html,
                "updated_at": one.updated_at,
            }  # fmt: skip


def suppressions(reach: Reach) -> Iterator[Row]:
    """The suppression list with its history. Of somebody who was forgotten there is no address left."""
    for found in by_key(Suppression.objects.filter(organization=reach.organization_id)):
        for one in found:
            yield {
                "address": one.address, "reason": one.reason, "at": one.at, "source": one.source, "by": one.by,
                "email": one.email, "copy": one.delivery, "allowed_at": one.allowed_at,
                "allowed_by": one.allowed_by, "forgotten": not one.address,
            }  # fmt: skip


def acts(reach: Reach) -> Iterator[Row]:
    """The audit log, newest first."""
    for one in audit.every(reach.organization_id):
        yield {
            "at": one.at, "actor_name": one.actor_name, "actor_email": one.actor_email, "action": one.action,
            "what": audit.ACTIONS.get(one.action, one.action), "about": one.about, "words": one.words,
            "ref": one.ref, "id": one.pk,
        }  # fmt: skip
