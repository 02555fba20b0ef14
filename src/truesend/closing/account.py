"""Deleting one's account: leaving the organization, and then nothing is left by which somebody signs in.

Emails stay with the organization, as for everybody who leaves; so the row of a user they hang on stays too, without
name, address, password or factor.
"""

from __future__ import annotations

from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction

from truesend import clock
from truesend.alerts import post, texts
from truesend.alerts.models import Letter
from truesend.closing import plan
from truesend.exports import asking
from truesend.exports.models import Export
from truesend.organizations import audit, members, sessions
from truesend.organizations.members import NotDone
from truesend.organizations.models import ApiToken, Member, SeenFrom, StandstillMail, User
from truesend.sending.models import Email, EmailStatus
from truesend.writing.models import Signature, Template

NOBODY = "Deleted account"
_DRAFTS = 50


def refusal(user: User, member: Member | None) -> str:
    """Why somebody cannot delete their account now, and what to do first; empty where they can."""
    if is_only_operator(user):
        return "You are the only operator of this installation. Have another one made first, on its command line."
    if member is None and (current := Member.objects.current().filter(user=user).first()) is not None:
        where = current.organization.name
        return (
            f"You are deactivated in {where}. An owner or manager has to reactivate or to remove you first."
        )
    if member is not None and members.is_last_owner(member):
        return "You are the last owner. Make somebody else an owner first, or delete the organization."
    return ""


def delete(user: User, member: Member | None) -> None:
    """Delete it: all that is theirs alone goes, all that is the organization's stays. Raises :class:`NotDone`."""
    if why := refusal(user, member):
        raise NotDone(why)
    address, name = user.email, ""
    if member is not None:
        name = member.organization.name
        members.remove(member, member)
    # Cut short here, they belong to no organization and can go on.
    places = list(Member.objects.filter(user=user))
    for one in places:
        _drop_drafts(one)
    with transaction.atomic():
        for one in places:
            _drop_own(one)
        if member is not None:
            audit.record(
                member.organization_id, None, "member.account_deleted", about=address, ref=str(member.pk)
            )
        told = texts.account_deleted(name)
        about = f"deleted {user.pk} {clock.now().isoformat()}"
        forget(user)
        post.plan(Letter.Kind.CLOSED, about, [address], told)


def forget(user: User) -> None:
    """Nobody signs in by it any more, in the running transaction; what emails hang on is a row that names nobody."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    sessions.end_every(locked)
    address = locked.email
    Letter.objects.filter(address__iexact=address).exclude(kind=Letter.Kind.CLOSED).delete()
    StandstillMail.objects.filter(address__iexact=address).delete()
    if not Member.objects.filter(user=locked).exists():
        locked.delete()
        return
    EmailAddress.objects.filter(user=locked).delete()
    for one in Authenticator.objects.filter(user=locked):
        one.delete()  # with the secret it was checked against
    locked.set_unusable_password()
    User.objects.filter(pk=locked.pk).update(
        email=f"deleted-{locked.pk}@account.invalid",
        name=NOBODY,
        password=locked.password,
        zone="",
        is_active=False,
        is_staff=False,
        is_operator=False,
        last_login=None,
    )


def is_only_operator(user: User) -> bool:
    """Whether nobody else runs the installation: then their account stays, whatever becomes of their organization."""
    others = User.objects.filter(is_operator=True, is_active=True).exclude(pk=user.pk)
    return user.is_operator and not others.exists()


def _drop_drafts(member: Member) -> None:
    """What was never sent nobody else sees, and nobody will; some at a time, for each may have files."""
    rows = Email.objects.filter(member=member, status=EmailStatus.DRAFT)
    while found := list(rows.values_list("pk", flat=True)[:_DRAFTS]):
        with transaction.atomic():
            plan.run(Email, found)


def _drop_own(member: Member) -> None:
    """What only they see, or tells of them."""
    exports: list[UUID] = list(Export.objects.filter(member=member).values_list("pk", flat=True))
    asking.end(exports)
    Signature.objects.filter(member=member).delete()
    Template.objects.filter(member=member, shared=False).delete()
    SeenFrom.objects.filter(member=member).delete()
    ApiToken.objects.filter(member=member).delete()
