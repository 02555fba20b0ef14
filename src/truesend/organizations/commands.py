"""What the command line does with accounts, without a browser or mail."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from truesend import live_events
from truesend.organizations import access, audit, links, members, profile, second_factor
from truesend.organizations.forms import LONGEST_NAME, clean_name, found_organization
from truesend.organizations.models import Member, Organization, Role, User


class CommandError(Exception):
    """A sentence for the person at the terminal."""


def create_user(
    email: str, password: str, organization: str, role: str = "owner", *, operator: bool = False
) -> str:
    """Create an account whose address counts as verified, in the one organization of that name or a new one."""
    email, name = email.strip().lower(), clean_name(organization)
    if role not in Role.values:
        raise CommandError(f"No role is called {role}; there are {', '.join(Role.values)}.")
    if not 0 < len(name) <= LONGEST_NAME:
        raise CommandError(
            f"Name the organization with --organization, in at most {LONGEST_NAME} characters."
        )
    try:
        validate_email(email)
        validate_password(password)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    try:
        with transaction.atomic():
            joined = _create(email, password, name, Role(role), operator=operator)
    except IntegrityError:
        raise CommandError(f"{email} has an account already.") from None
    return f"Created {email} ({role}) in {name}{', which was there already' if joined else ''}."


def _create(email: str, password: str, name: str, role: Role, *, operator: bool) -> bool:
    """Whether an organization was joined. Anybody can sign up one of any name: two of a name are nobody's."""
    user = User.objects.create_user(email, password)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    named = list(Organization.objects.filter(name=name)[:2])
    if len(named) > 1 and role != Role.OWNER:
        raise CommandError(
            f"Several organizations are called {name}; only an owner of a new one can be made."
        )
    if len(named) == 1:
        member = Member.objects.create(organization=named[0], user=user, role=role)
        profile.welcome(user, named[0])
        members.joined(member, by=None)
    else:
        found_organization(user, name, role)
    if operator:
        User.objects.filter(pk=user.pk).update(is_operator=True)
    return len(named) == 1


def name_owner(email: str, organization: str) -> str:
    """Make a member an owner of the organization they are in, which is named too so that no slip does harm."""
    email, name = email.strip().lower(), clean_name(organization)
    rows = Member.objects.current().select_related("user", "organization")
    member = rows.filter(user__email=email).first()
    if member is None or member.organization.name != name:
        raise CommandError(
            f"{email} is not in an organization called {name}. Invite them, or use `user create`."
        )
    if not member.user.is_active:
        raise CommandError(f"The account of {email} is switched off on this installation.")
    try:
        is_news = members.name_owner(member)
    except members.NotDone as error:
        raise CommandError(str(error)) from None
    return f"{email} is an owner of {name}{'' if is_news else ' already'}."


def user_link(email: str) -> str:
    """A sign-in link, valid once and for an hour; for whoever holds the machine."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"No account has the address {email}.")
    return links.sign_in_link(user)


def forget_factors(email: str) -> str:
    """Take every second factor of an account away, for somebody who has lost theirs; for whoever holds the machine."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"No account has the address {email}.")
    with transaction.atomic():
        gone = second_factor.forget_all(user)
        member = Member.objects.current().filter(user=user).first()
        if gone and member is not None:
            about, words = user.email, "on the command line"
            audit.record(member.organization_id, None, "sign_in.factors_removed", about=about, words=words)
            live_events.publish(member.organization_id, "account", [member.organization_id])
    if not gone:
        return f"{user.email} has no second factor."
    return f"{user.email} signs in with the password alone, until a second factor is set up again."


def create_token(email: str, name: str = "API") -> str:
    """A new API token of a member; shown once."""
    member = Member.objects.current().select_related("user").filter(user__email=email.strip().lower()).first()
    if member is None:
        raise CommandError(f"Nobody with the address {email} is in an organization.")
    if not member.is_active:
        raise CommandError(f"{email} is deactivated, and a token of theirs would open nothing.")
    return access.create_token(member, clean_name(name))
