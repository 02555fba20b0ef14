"""What the command line does with accounts, without a browser or mail."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from truesend.organizations import access, links
from truesend.organizations.forms import found_organization
from truesend.organizations.models import Member, Organization, Role, User


class CommandError(Exception):
    """A sentence for the person at the terminal."""


def create_user(
    email: str, password: str, organization: str, role: str = "owner", *, operator: bool = False
) -> str:
    """Create an account whose address counts as verified; an existing organization of that name is joined."""
    email = email.strip().lower()
    if role not in Role.values:
        raise CommandError(f"No role is called {role}; there are {', '.join(Role.values)}.")
    if not organization.strip():
        raise CommandError("Name the organization with --organization.")
    try:
        validate_email(email)
        validate_password(password)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            raise CommandError(f"{email} has an account already.")
        user = User.objects.create_user(email, password)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        existing = Organization.objects.filter(name=organization.strip()).order_by("created_at").first()
        if existing is None:
            found_organization(user, organization.strip(), Role(role))
        else:
            Member.objects.create(organization=existing, user=user, role=role)
        if operator:
            User.objects.filter(pk=user.pk).update(is_operator=True)
    return f"Created {email} ({role}) in {organization.strip()}."


def user_link(email: str) -> str:
    """A sign-in link, valid once and for an hour; for whoever holds the machine."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"No account has the address {email}.")
    return links.sign_in_link(user)


def create_token(email: str, name: str = "API") -> str:
    """A new API token of a member; shown once."""
    member = Member.objects.filter(user__email=email.strip().lower(), user__is_active=True).first()
    if member is None:
        raise CommandError(f"No account has the address {email}.")
    return access.create_token(member, name)
