"""The only gates through which a row of a tenant is reached.

Every view, API route and stream asks here. A row of another organization is the same answer as no row at all.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from truesend import clock, live_events
from truesend.connections.causes import cause
from truesend.connections.models import Connection, Kind
from truesend.organizations import activity, audit, presence, rights, roles
from truesend.organizations.models import ApiToken, Member, User
from truesend.organizations.roles import Action, Role
from truesend.sending.models import Delivery, Email
from truesend.tracking.models import Signal
from truesend.writing.models import Template

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

TOKEN_PREFIX = "ts_"  # noqa: S105  (what every token begins with)


class Refused(Exception):
    """The member may see the row but not do this; carries the roles that may, and where one of them can be asked."""

    def __init__(self, sentence: str, roles: tuple[Role, ...], ask: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.roles = roles
        self.ask = ask


def check(member: Member, action: Action, ask: str = "") -> None:
    """The gate of an action: raise :class:`Refused` for a role that the table does not name."""
    if not roles.allows(member.role, action):
        raise refused(action, ask)


def refused(action: Action, ask: str = "") -> Refused:
    """What is said to whoever may not do it, with who can."""
    rule = roles.TABLE[action]
    return Refused(rule.refusal, rule.roles, ask)


def member_of(user: User | AnonymousUser) -> Member | None:
    """The membership of a signed-in user."""
    if not user.is_authenticated:
        return None
    found = membership_of(user)
    return found if found is not None and found.is_active else None


def membership_of(user: User) -> Member | None:
    """The membership of a user that is not over, be it that they may do nothing now: to say so, and to nothing else."""
    if hasattr(user, "membership"):  # the session's user comes with it
        return user.membership
    return Member.objects.current().select_related("organization", "user").filter(user=user).first()


def member_by_token(bearer: str) -> Member | None:
    """The member a bearer token stands for; notes its use at most once a minute."""
    if not bearer.startswith(TOKEN_PREFIX):
        return None
    token = (
        ApiToken.objects.select_related("member__organization", "member__user")
        .filter(digest=token_digest(bearer), revoked_at=None)
        .first()
    )
    if token is None or not token.member.is_active:
        return None
    now = clock.now()
    if token.last_used_at is None or (now - token.last_used_at).total_seconds() > 60:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    activity.note(token.member)
    return token.member


def token_digest(bearer: str) -> bytes:
    """What is stored of a bearer token: tokens are random, so a plain SHA-256 is enough."""
    return hashlib.sha256(bearer.encode()).digest()


def create_token(member: Member, name: str) -> str:
    """A new bearer token, shown once. Raises :class:`Refused` for whoever may do nothing any more."""
    bearer = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # Whoever removes them meanwhile waits, and revokes this one too.
        if not presence.hold(member.pk):
            raise Refused(
                "You may do nothing here just now, and neither would a token of yours.", roles.MANAGERS
            )
        made = ApiToken.objects.create(
            member=member, name=name.strip()[:80] or "API", digest=token_digest(bearer), start=bearer[:8]
        )
        audit.record(member.organization_id, member, "token.made", about=made.name, ref=str(made.pk))
    return bearer


def revoke_token(member: Member, token_id: UUID) -> bool:
    """End a token of the member's own, and what reads by it; twice is fine. False where they have none of that id."""
    own = ApiToken.objects.filter(pk=token_id, member=member)
    name = own.values_list("name", flat=True).first()
    if name is None:
        return False
    with transaction.atomic():
        if own.filter(revoked_at=None).update(revoked_at=clock.now()) == 1:
            audit.record(member.organization_id, member, "token.revoked", about=name, ref=str(token_id))
            # Open streams look again at who reads them.
            live_events.publish(member.organization_id, "account", [member.organization_id])
    return True


def connections_of(member: Member) -> QuerySet[Connection]:
    """Connections a member sees: the organization's shared ones and their own personal ones."""
    return Connection.objects.filter(organization=member.organization).filter(
        Q(kind=Kind.ORGANIZATION) | Q(member=member)
    )


def access_connection(member: Member, connection_id: UUID) -> Connection | None:
    """A connection this member sees, or ``None``."""
    return connections_of(member).filter(pk=connection_id).first()


def manages(member: Member, connection: Connection) -> bool:
    """Whether a member may reconnect, probe or disconnect: a mailbox their own; a shared one as owner or manager."""
    if connection.kind == Kind.ORGANIZATION:
        here = member.organization_id == connection.organization_id
        return here and roles.allows(member.role, Action.MANAGE_SHARED)
    return connection.member_id == member.pk


def check_manages(member: Member, connection: Connection) -> None:
    """Raise :class:`Refused` for whoever does not manage a connection they see."""
    if not manages(member, connection):
        ask = f"/connections/{connection.pk}/ask"
        raise refused(Action.MANAGE_SHARED, ask)


def check_connects(member: Member, provider: str, kind: str) -> None:
    """Raise :class:`Refused` for whoever may not connect, or connect again, an account of that kind."""
    why = rights.connects(member, kind)
    if why:
        # What an owner has ruled out for everybody only an owner lets in again.
        action = Action.CHOOSE_MAILBOXES if why == rights.PERSONAL_BARRED else Action.CONNECT_SHARED
        raise Refused(cause(why).sentence, roles.TABLE[action].roles, f"/oauth/{provider}/ask")


def check_shares(member: Member, connection: Connection) -> None:
    """Raise :class:`Refused` for whoever may not share a mailbox or take it back: its holder may, as a manager."""
    if connection.member_id != member.pk:
        raise refused(Action.SHARE_OWN)
    check(member, Action.SHARE_OWN)


def check_bills(member: Member) -> None:
    """Raise :class:`Refused` for whoever may see how the account stands, but not pay or cancel."""
    check(member, Action.PAY, "/account/billing/ask")


def check_suppresses(member: Member) -> None:
    """Raise :class:`Refused` for whoever may read the suppression list, but not change it."""
    check(member, Action.SUPPRESS)


def check_audits(member: Member) -> None:
    """Raise :class:`Refused` for whoever does not see the log of administrative acts."""
    check(member, Action.SEE_AUDIT)


def emails_of(member: Member) -> QuerySet[Email]:
    """Emails a member sees: their own."""
    return Email.objects.filter(organization=member.organization, member=member)


def access_email(member: Member, email_id: UUID) -> Email | None:
    """An email this member sees, or ``None``."""
    return emails_of(member).select_related("connection").filter(pk=email_id).first()


def access_delivery(member: Member, delivery_id: UUID) -> Delivery | None:
    """A delivery of an email this member sees, or ``None``."""
    return Delivery.objects.filter(pk=delivery_id, email__in=emails_of(member)).first()


def access_signal(member: Member, signal_id: int) -> Signal | None:
    """A signal of an email this member sees, or ``None``."""
    if not 0 < signal_id < 2**63:
        return None
    seen = emails_of(member).values("pk")
    return Signal.objects.filter(pk=signal_id, organization=member.organization_id, email__in=seen).first()


def templates_of(member: Member) -> QuerySet[Template]:
    """Templates and snippets a member sees: their own and the organization's shared ones."""
    mine = Q(shared=True) | Q(member=member)
    return Template.objects.filter(mine, organization=member.organization, deleted_at=None)


def access_template(member: Member, template_id: UUID, *, deleted: bool = False) -> Template | None:
    """A template this member sees, or ``None``; with ``deleted`` one that was deleted."""
    seen = templates_of(member)
    if deleted:
        mine = Q(shared=True) | Q(member=member)
        seen = Template.objects.filter(mine, organization=member.organization, deleted_at__isnull=False)
    return seen.select_related("member__user").filter(pk=template_id).first()


def shares_templates(member: Member) -> bool:
    """Whether a member writes what everybody uses: owners and managers do."""
    return roles.allows(member.role, Action.WRITE_SHARED)


def writes_template(member: Member, template: Template) -> bool:
    """Whether a member may change one they see: their own, or as an owner or manager a shared one."""
    return shares_templates(member) if template.shared else template.member_id == member.pk


def check_writes_template(member: Member, template: Template) -> None:
    """Raise :class:`Refused` for whoever may only use it."""
    if not writes_template(member, template):
        raise refused(Action.WRITE_SHARED)


def people_with(member: Member, among: tuple[Role, ...]) -> list[dict[str, str]]:
    """The people of the member's organization in one of the roles ``among``, as `who` of an answer."""
    found = (
        Member.objects.active()
        .select_related("user")
        .filter(organization=member.organization, role__in=among)
    )
    return [
        {"name": one.user.get_full_name(), "email": one.user.email} for one in found.order_by("created_at")
    ]
