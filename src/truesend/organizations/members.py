"""What is done to members: roles, deactivating, removing, handing the ownership over. An organization keeps an owner.

Every change is decided anew under a lock on the organization's row, on rows read behind it: of two owners who step down
in the same moment one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from truesend import clock, live_events
from truesend.connections import disconnect as ending
from truesend.connections.models import Connection, Kind, Token
from truesend.organizations import access, audit, roles, sessions
from truesend.organizations.models import ApiToken, Member, Organization
from truesend.organizations.roles import Action, Role
from truesend.sending import handover


class NotDone(Exception):
    """A sentence for whoever asked: nothing has changed."""


class LastOwner(NotDone):
    """Somebody has to own the organization."""

    def __init__(self) -> None:
        super().__init__("An organization keeps at least one owner. Make somebody else an owner first.")


def of(organization_id: UUID) -> list[Member]:
    """The members who were not removed: owners first, then by how long they are here."""
    found = Member.objects.current().filter(organization=organization_id).select_related("user")
    order = list(Role)
    return sorted(found, key=lambda one: (order.index(Role(one.role)), one.created_at))


def owners(organization_id: UUID) -> list[Member]:
    """Who owns it and may act, the longest there first."""
    found = Member.objects.active().filter(organization=organization_id, role=Role.OWNER)
    return list(found.select_related("user", "organization").order_by("created_at", "pk"))


@contextmanager
def _locked(organization_id: UUID, *ids: UUID) -> Iterator[list[Member]]:
    """A transaction that holds the organization, with these members as they stand behind the lock.

    Raises :class:`NotDone` where one of them is not, or no longer, in it.
    """
    with transaction.atomic():
        # No key: what refers to the organization is written meanwhile.
        Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
        rows = Member.objects.current().select_related("user", "organization")
        found = {one.pk: one for one in rows.filter(organization=organization_id, pk__in=ids)}
        if not found.keys() >= set(ids):
            raise NotDone("They are no longer in the team.")
        yield [found[one] for one in ids]


@contextmanager
def _acting(actor: Member, target: Member) -> Iterator[tuple[Member, Member]]:
    """The two behind the lock; the actor must still be allowed to act."""
    with _locked(actor.organization_id, actor.pk, target.pk) as (by, whom):
        if not by.is_active:
            raise NotDone("You are no longer in the team.")
        yield by, whom


def joined(member: Member, *, by: Member | None) -> None:
    """Write down that somebody is in the team now, and show it; ``by`` whom, None: whoever holds the machine."""
    told = {"about": member.user.email, "words": member.role, "ref": str(member.pk)}
    audit.record(member.organization_id, by, "member.joined", **told)
    _tell(member)


def is_last_owner(member: Member) -> bool:
    """Whether nobody else owns their organization; it may be otherwise a moment later."""
    return member.role == Role.OWNER and all(one.pk == member.pk for one in owners(member.organization_id))


def _check_owned_without(whom: Member) -> None:
    """Raise :class:`LastOwner` where nobody but ``whom`` owns their organization; call it behind the lock."""
    if is_last_owner(whom):
        raise LastOwner


def change_role(actor: Member, target: Member, role: str) -> bool:
    """Give a member another role; False where they had it. One's own too: an owner may step down.

    Raises :class:`~truesend.organizations.access.Refused`, :class:`NotDone`.
    """
    with _acting(actor, target) as (by, whom):
        access.check(by, Action.CHANGE_ROLES)
        if role not in Role.values:
            raise NotDone("There is no such role.")
        if whom.role == role:
            return False
        _check_owned_without(whom)
        _set_role(by, whom, role)
    return True


def hand_over_ownership(actor: Member, target: Member) -> None:
    """Make ``target`` an owner and oneself a manager, both or neither. Raises the same."""
    with _acting(actor, target) as (by, whom):
        access.check(by, Action.CHANGE_ROLES)
        if whom.pk == by.pk:
            raise NotDone("You are an owner already.")
        if not whom.is_active:
            raise NotDone(f"{whom.user.get_full_name()} is deactivated. Reactivate them first.")
        if whom.role != Role.OWNER:
            _set_role(by, whom, Role.OWNER)
        _set_role(by, by, Role.MANAGER)


def _set_role(by: Member | None, whom: Member, role: str) -> None:
    before = whom.role
    done = Member.objects.filter(pk=whom.pk, role=before, removed_at=None).update(role=role)
    if done != 1:
        raise NotDone("Somebody else has just changed that. Look again.")
    whom.role = role
    audit.record(
        whom.organization_id,
        by,
        "member.role",
        about=whom.user.email,
        words=f"{before} → {role}",
        ref=str(whom.pk),
    )
    _tell(whom)


def deactivate(actor: Member, target: Member) -> int:
    """Keep a member from doing anything until :func:`reactivate`; how many waiting emails of theirs are held.

    Raises :class:`~truesend.organizations.access.Refused`, :class:`NotDone`.
    """
    with _acting(actor, target) as (by, whom):
        access.check(by, roles.handling(whom.role))
        if whom.pk == by.pk:
            raise NotDone("You cannot deactivate yourself. Somebody else can, or you leave.")
        _check_owned_without(whom)
        now = clock.now()
        if Member.objects.filter(pk=whom.pk, deactivated_at=None).update(deactivated_at=now) != 1:
            raise NotDone(f"{whom.user.get_full_name()} is deactivated already.")
        sessions.end_every(whom.user)
        held = handover.hold(whom)
        audit.record(whom.organization_id, by, "member.deactivated", about=whom.user.email, ref=str(whom.pk))
        _tell(whom)
    return held


def reactivate(actor: Member, target: Member) -> int:
    """Let a deactivated member in again; how many held emails wait for their hour again. Raises the same."""
    with _acting(actor, target) as (by, whom):
        access.check(by, roles.handling(whom.role))
        return _reactivate(by, whom)


def _reactivate(by: Member | None, whom: Member) -> int:
    back = Member.objects.filter(pk=whom.pk, deactivated_at__isnull=False).update(deactivated_at=None)
    if back != 1:
        raise NotDone(f"{whom.user.get_full_name()} is active already.")
    whom.deactivated_at = None
    audit.record(whom.organization_id, by, "member.reactivated", about=whom.user.email, ref=str(whom.pk))
    _tell(whom)
    return handover.go_on(whom)


def remove(actor: Member, target: Member) -> int:
    """Take a member out of the team, or leave it; how many emails of theirs went to an owner.

    Their own mailboxes are disconnected, their tokens and sessions end, their emails stay. Raises the same.
    """
    with transaction.atomic():
        mailboxes = own_mailboxes(target)
        # Before the organization: a renewal may hold one of them until its provider answers.
        list(Token.objects.select_for_update().filter(pk__in=mailboxes).order_by("pk"))
        with _acting(actor, target) as (by, whom):
            if whom.pk != by.pk:
                access.check(by, roles.handling(whom.role))
            _check_owned_without(whom)
            count, ended = _remove(by, whom)
    for one in ended:
        ending.revoke(one)
    return count


def _remove(by: Member, whom: Member) -> tuple[int, list[ending.Ended]]:
    now = clock.now()
    if Member.objects.filter(pk=whom.pk, removed_at=None).update(removed_at=now) != 1:
        raise NotDone("They are no longer in the team.")
    ApiToken.objects.filter(member=whom, revoked_at=None).update(revoked_at=now)
    sessions.end_every(whom.user)
    count = handover.hand_over(whom, heir(by, whom))
    trigger = by.user.email
    ended = [ending.end(one, trigger=trigger) for one in own_mailboxes(whom)]
    action = "member.removed" if by.pk != whom.pk else "member.left"
    audit.record(whom.organization_id, by, action, about=whom.user.email, ref=str(whom.pk))
    _tell(whom)
    return count, [one for one in ended if one is not None]


def heir(by: Member, whom: Member) -> Member:
    """Who gets what has not ended: the owner who removes them, else the one who is there longest.

    Where the accounts of all owners are switched off, whoever removes them; :class:`NotDone` for whoever leaves then.
    """
    others = [one for one in owners(whom.organization_id) if one.pk != whom.pk]
    if others:
        return next((one for one in others if one.pk == by.pk), others[0])
    if by.pk == whom.pk:
        raise NotDone(
            "Nobody who owns the organization can sign in just now. Ask whoever runs this installation."
        )
    return by


def own_mailboxes(member: Member) -> list[Connection]:
    """Mailboxes of theirs alone, which end with them; what they shared or connected for everybody stays."""
    rows = Connection.objects.filter(member=member, kind=Kind.PERSONAL, disconnected_at=None)
    return list(rows.order_by("pk"))


def name_owner(member: Member) -> bool:
    """The operator makes a member an owner, and reactivates them for it; False where they were one."""
    with _locked(member.organization_id, member.pk) as (whom,):
        is_news = whom.role != Role.OWNER or whom.deactivated_at is not None
        if whom.deactivated_at is not None:
            _reactivate(None, whom)
        if whom.role != Role.OWNER:
            _set_role(None, whom, Role.OWNER)
    return is_news


def _tell(member: Member) -> None:
    """Their own open pages and streams begin anew; everybody's list shows it."""
    live_events.publish(member.organization_id, "account", [member.pk])
