"""Sign-up by the form: user, organization and address appear together or not at all; and who sets a password anew."""

from __future__ import annotations

from allauth.account import forms
from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from truesend.organizations.addresses import opened_by_mail_to, owner_of
from truesend.organizations.models import User

LONGEST_ADDRESS = 254  # RFC 5321 with its erratum 1690


class SignupForm(forms.SignupForm):  # type: ignore[misc]
    """allauth's form with :class:`truesend.organizations.forms.SignupFields` in it."""

    # What was typed, where it is somebody's own.
    taken = ""

    def clean_email(self) -> str:
        """allauth would cut a longer address to what the column takes, and so make it another one."""
        address: str = super().clean_email()
        if len(address) > LONGEST_ADDRESS:
            raise ValidationError(f"An address has at most {LONGEST_ADDRESS} characters.")
        return address

    def validate_unique_email(self, value: str) -> str:
        """Not an address that is somebody's own; what another account only claims is free."""
        self.account_already_exists = False
        if owner_of(value) is not None:
            self.taken = value
            raise get_adapter().validation_error("email_taken")
        return value

    def save(self, request: HttpRequest) -> User:
        """One transaction; two sign-ups with one address at the same time end in an IntegrityError for one."""
        with transaction.atomic():
            saved: User = super().save(request)
        return saved


class ResetPasswordForm(forms.ResetPasswordForm):  # type: ignore[misc]
    """allauth's, but a link is mailed for nobody who only claims the address; and to it as we write it.

    Letters outside ASCII become others in lower case: as typed it might be another mailbox.
    """

    def clean_email(self) -> str:
        """The address in lower case; in ``users`` whose password is meant."""
        address: str = get_adapter().clean_email(self.cleaned_data["email"].strip().lower())
        user = opened_by_mail_to(address)
        self.users = [user] if user is not None else []
        return address
