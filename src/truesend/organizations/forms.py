"""The extra field of sign-up."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest

from truesend.organizations.models import Member, Organization, Role, User


class SignupFields(forms.Form):
    """Asks for the organization's name; allauth adds address and password."""

    organization = forms.CharField(max_length=120, label="Organization")

    def clean_organization(self) -> str:
        """The name without control characters."""
        name = "".join(c for c in self.cleaned_data["organization"] if c.isprintable()).strip()
        if not name:
            raise forms.ValidationError("Type the name of your organization.")
        return name

    def signup(self, request: HttpRequest, user: User) -> None:
        """Make the organization and its owner; runs in the request's transaction with the new user."""
        found_organization(user, self.cleaned_data["organization"])


def found_organization(user: User, name: str, role: Role = Role.OWNER) -> Member:
    """A new organization with ``user`` in it. The first account is the installation's operator."""
    organization = Organization.objects.create(name=name)
    member = Member.objects.create(organization=organization, user=user, role=role)
    if not User.objects.filter(is_operator=True).exists():
        User.objects.filter(pk=user.pk).update(is_operator=True)
    return member
