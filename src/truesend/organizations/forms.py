"""The extra field of sign-up."""

from __future__ import annotations

from django import forms
from django.db import connection
from django.http import HttpRequest

from truesend.organizations.models import Member, Organization, Role, User

LONGEST_NAME = 120
_OPERATOR_LOCK = 0x7472_7566


class SignupFields(forms.Form):
    """Asks for the organization's name and whether it tracks; allauth adds address and password."""

    organization = forms.CharField(max_length=LONGEST_NAME, label="Organization")
    # Not sent by a form that asks for the three fields alone: then as the first choice says.
    tracking = forms.ChoiceField(
        choices=[
            ("on", "Track opens and clicks"),
            ("off", "Track nothing"),
        ],
        initial="on",
        required=False,
        label="What you send",
    )

    def clean_organization(self) -> str:
        """The name on one line, without control characters."""
        name = clean_name(self.cleaned_data["organization"])
        if not name:
            raise forms.ValidationError("Type the name of your organization.")
        return name

    def signup(self, request: HttpRequest, user: User) -> None:
        """Make the organization and its owner; runs in the transaction of the new user."""
        tracks = self.cleaned_data["tracking"] != "off"
        found_organization(user, self.cleaned_data["organization"], tracks=tracks)


def clean_name(text: str) -> str:
    """A name on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def found_organization(user: User, name: str, role: Role = Role.OWNER, *, tracks: bool = True) -> Member:
    """A new organization with ``user`` in it; call it in a transaction. The first account is the operator.

    ``tracks``: whether its new emails are tracked where their writers say nothing.
    """
    with connection.cursor() as cursor:
        # Of two first accounts at the same moment one is the operator.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_OPERATOR_LOCK])
    organization = Organization.objects.create(name=name, track_by_default=tracks)
    member = Member.objects.create(organization=organization, user=user, role=role)
    if not User.objects.filter(is_operator=True).exists():
        User.objects.filter(pk=user.pk).update(is_operator=True)
    return member
