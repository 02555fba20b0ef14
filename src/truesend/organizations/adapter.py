"""How allauth behaves here."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from truesend import env
from truesend.organizations import account_notes, system_mail
from truesend.organizations.addresses import is_anothers
from truesend.organizations.models import User
from truesend.tracking.addresses import client_address

log = logging.getLogger("truesend.organizations")
_NOT_SENT = "Our mail could not be sent. Try again later, or ask whoever runs this installation."


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Addresses in lower case, links from the public URL, and mail that fails is no error page."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_taken": "This address has an account already. Sign in with it, or have a new password mailed.",
    }

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The address in lower case, as sign-in looks for it."""
        user.email = form.cleaned_data["email"].strip().lower()
        saved: User = super().save_user(request, user, form, commit=commit)
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose guesses are counted: as the proxies in front say, where there are some; nobody else is believed."""
        peer: str = super().get_client_ip(request)
        forwarded = request.headers.get("X-Forwarded-For", "")
        return client_address(peer, forwarded, trust_forwarded=False, proxies=env.trusted_proxies())

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raises the form's error where somebody guessed too often; that an account is guessed at is written down."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            account_notes.too_many_guesses(str(credentials.get("email") or ""))
            raise

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Not for one account what is another's own address, verified or not: it would sign in to both."""
        if is_anothers(email_address):
            messages.error(request, f"{email_address.email} belongs to another account here.")
            return False
        return bool(super().confirm_email(request, email_address))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """System mail; where none can be sent, nothing secret is shown instead (`truesend user link` helps)."""
        if not system_mail.is_configured():
            return
        try:
            super().send_mail(template_prefix, email, context)
        except system_mail.MailNotSent as error:
            # The account stands without the mail; an error page would say that it does not.
            log.warning("System mail could not be sent (%s).", error)
            if self.request is not None:
                messages.error(self.request, _NOT_SENT)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Built from the public URL: a forged Host never gets into a mail."""
        return env.public_url() + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Built from the public URL: a forged Host never gets into a mail."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return env.public_url() + path.replace("UID-KEY", key)
