"""Sign-up by the form: user, organization and address appear together or not at all."""

from __future__ import annotations

from allauth.account import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from truesend.organizations.models import User

LONGEST_ADDRESS = 254  # RFC 5321 with its erratum 1690


class SignupForm(forms.SignupForm):  # type: ignore[misc]
    """allauth's form with :class:`truesend.organizations.forms.SignupFields` in it."""

    def clean_email(self) -> str:
        """allauth would cut a longer address to what the column takes, and so make it another one."""
        address: str = super().clean_email()
        if len(address) > LONGEST_ADDRESS:
            raise ValidationError(f"An address has at most {LONGEST_ADDRESS} characters.")
        return address

    def save(self, request: HttpRequest) -> User:
        """One transaction; two sign-ups with one address at the same time end in an IntegrityError for one."""
        with transaction.atomic():
            saved: User = super().save(request)
        return saved
