"""Sign-up by the form: user, organization and address appear together or not at all."""

from __future__ import annotations

from allauth.account import forms
from django.db import transaction
from django.http import HttpRequest

from truesend.organizations.models import User


class SignupForm(forms.SignupForm):  # type: ignore[misc]
    """allauth's form with :class:`truesend.organizations.forms.SignupFields` in it."""

    def save(self, request: HttpRequest) -> User:
        """One transaction; two sign-ups with one address at the same time end in an IntegrityError for one."""
        with transaction.atomic():
            saved: User = super().save(request)
        return saved
