"""What the pages of the team show: members, invitations, what each role may do, and what would happen."""

from __future__ import annotations

from typing import Any

from truesend import clock
from truesend.billing import account
from truesend.connections.models import Connection, Kind
from truesend.organizations import invitations, members, roles, system_mail
from truesend.organizations.access import people_with
from truesend.organizations.invitation_models import Invitation
from truesend.organizations.models import Member
from truesend.organizations.roles import TABLE, Action, Role
from truesend.sending import handover
from truesend.web.gate import names

INVITED_ROLES: dict[str, str] = {
    Role.USER: "User: writes and sends",
    Role.MANAGER: "Manager: sees to shared accounts and users too",
}


def may_handle(member: Member, one: Member) -> bool:
    """Whether there is anything this member can do to that one; of oneself there always is: leaving."""
    return one.pk == member.pk or roles.allows(member.role, roles.handling(one.role))


def listed(member: Member) -> dict[str, Any]:
    """Members and open invitations; see partials/team.html."""
    now = clock.now()
    return {
        "people": [_person(member, one) for one in members.of(member.organization_id)],
        "pending": [_invitation(member, one) for one in invitations.pending(member.organization_id)],
        "now": now,
    }


def _person(member: Member, one: Member) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "name": one.user.get_full_name(),
        "email": one.user.email,
        "named": bool(one.user.name),
        "role": one.get_role_display(),
        "is_you": one.pk == member.pk,
        "is_active": one.is_active,
        "seen_at": one.seen_at,
        "may_handle": may_handle(member, one),
    }


def _invitation(member: Member, one: Invitation) -> dict[str, Any]:
    state = invitations.state_of(one, clock.now())
    return {
        "id": str(one.pk),
        "address": one.address,
        "role": one.get_role_display(),
        "by": one.invited_by.user.get_full_name(),
        "expires_at": one.expires_at,
        "state": state.value,
        "not_mailed": bool(one.address) and one.mailed_at is None,
        "may_handle": roles.allows(member.role, roles.inviting(one.role)),
    }


def inviting(member: Member) -> dict[str, Any]:
    """What the form to invite needs: ``roles`` (none: not theirs to do), who can, and what keeps them from it."""
    offered = [one for one in INVITED_ROLES if roles.allows(member.role, roles.inviting(one))]
    return {
        "roles": [{"value": one, "label": INVITED_ROLES[one]} for one in offered],
        "who": names(people_with(member, TABLE[Action.INVITE_USERS].roles)),
        "unverified": bool(offered) and not invitations.may_invite(member),
        "can_mail": system_mail.is_configured(),
        "days": invitations.LIFETIME.days,
    }


def table(member: Member) -> dict[str, Any]:
    """The roles and what each may do; of paying nothing where nobody is billed."""
    told = [rule for action, rule in TABLE.items() if action is not Action.PAY or account.is_on()]
    return {
        "names": [role.label for role in Role],
        "own": list(Role).index(Role(member.role)),
        "rows": [{"words": rule.words, "may": [role in rule.roles for role in Role]} for rule in told],
    }


def managed(member: Member, one: Member) -> dict[str, Any]:
    """What the page of one member offers."""
    may_change = roles.allows(member.role, Action.CHANGE_ROLES)
    may_handle_them = roles.allows(member.role, roles.handling(one.role))
    is_you = one.pk == member.pk
    return {
        "person": _person(member, one),
        "role": one.role,
        "roles": [{"value": role.value, "label": role.label, "words": _adds(role)} for role in Role],
        "may_change_role": may_change,
        "may_hand_over": may_change and not is_you and one.is_active and one.role != Role.OWNER,
        "may_deactivate": may_handle_them and not is_you,
        "may_remove": may_handle_them or is_you,
        "who_changes": names(people_with(member, TABLE[Action.CHANGE_ROLES].roles)),
        "who_handles": names(people_with(member, TABLE[roles.handling(one.role)].roles)),
    }


def _adds(role: Role) -> str:
    """What a role is for, in half a sentence."""
    return {
        Role.OWNER: "does everything, roles and owners included",
        Role.MANAGER: "sees to shared accounts, shared templates, privacy and users",
        Role.USER: "writes and sends",
    }[role]


# -- what happens then ------------------------------------------------------------------------------------------


def of_deactivating(one: Member) -> list[str]:
    """Before “Deactivate”."""
    count = handover.waiting(one).values("email_id").distinct().count()
    told = ["They are signed out everywhere within a second, and their API tokens stop working."]
    if count:
        verb = "emails are" if count > 1 else "email is"
        told.append(
            f"{count} waiting {verb} held, not lost. What is still to come goes on when you reactivate them."
        )
    return [
        *told,
        "Their mailboxes stay connected and their emails stay theirs.",
        "You can reactivate them at any time.",
    ]


def of_removing(member: Member, one: Member) -> list[str]:
    """Before “Remove” or “Leave”."""
    is_you = one.pk == member.pk
    you, your = ("You", "Your") if is_you else ("They", "Their")
    told = [f"{you} are signed out everywhere within a second, and {your.lower()} API tokens end."]
    told += _mailboxes(one, your)
    unfinished = handover.unfinished(one).count()
    if unfinished:
        whose = _whose(member, one)
        many = unfinished > 1
        told.append(
            f"{unfinished} email{'s' if many else ''} that {'have' if many else 'has'} not ended "
            f"become{'' if many else 's'} {whose}, held until sent or cancelled."
        )
    told.append(f"{your} sent emails stay, with their links and tracking. Nobody else sees them.")
    told.append(f"Invited again, {you.lower()} find everything as it was, but for the mailboxes.")
    return told


def _whose(member: Member, one: Member) -> str:
    """Whose their mail becomes that has not ended."""
    try:
        heir = members.heir(member, one)
    except members.NotDone:  # told when it is pressed
        return "an owner’s"
    return "yours" if heir.pk == member.pk else f"{heir.user.get_full_name()}’s"


def _mailboxes(one: Member, your: str) -> list[str]:
    own = [box.address for box in members.own_mailboxes(one)]
    many = len(own) > 1
    words = ("mailboxes", "are") if many else ("mailbox", "is")
    told = [f"{your} {words[0]} {', '.join(own)} {words[1]} disconnected."] if own else []
    shared = Connection.objects.filter(
        member=one, kind=Kind.ORGANIZATION, disconnected_at=None, shared_at__isnull=False
    )
    told += [f"{box.address} stays shared with everyone; disconnect it under Integrations." for box in shared]
    return told


def of_handing_over(one: Member) -> list[str]:
    """Before “Hand the ownership over”."""
    name = one.user.get_full_name()
    return [
        f"{name} becomes an owner and can do everything here.",
        "You become a manager at the same moment. Only an owner can make you one again.",
        "Nothing else changes: emails, mailboxes and tokens stay as they are.",
    ]
