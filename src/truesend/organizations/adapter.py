"""How allauth behaves here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from truesend import env
from truesend.organizations import system_mail
from truesend.organizations.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Addresses in lower case, links from the public URL, one transaction for a sign-up."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The user and their organization appear together or not at all."""
        user.email = form.cleaned_data["email"].strip().lower()
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """System mail; where none can be sent, nothing secret is shown instead (`truesend user link` helps)."""
        if system_mail.is_configured():
            super().send_mail(template_prefix, email, context)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Built from the public URL: a forged Host never gets into a mail."""
        from django.urls import reverse

        return env.public_url() + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Built from the public URL: a forged Host never gets into a mail."""
        from django.urls import reverse

        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return env.public_url() + path.replace("UID-KEY", key)
