"""What is written down of how somebody signs in, and what follows: passwords, addresses, guesses, signing out."""

from __future__ import annotations

from typing import Any

from allauth.account import signals
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.auth.signals import user_logged_out
from django.core.cache import cache
from django.http import HttpRequest

from truesend.organizations import addresses, audit, sessions
from truesend.organizations.models import Member, User

# A stranger who guesses on and on writes one line an hour.
_LINE_SECONDS = 3600


def listen() -> None:
    """Hear of every change; called once, when Django starts."""
    signals.password_changed.connect(_password, dispatch_uid="account_password_changed")
    signals.password_set.connect(_password, dispatch_uid="account_password_set")
    signals.password_reset.connect(_reset, dispatch_uid="account_password_reset")
    signals.email_changed.connect(_address, dispatch_uid="account_email_changed")
    user_logged_out.connect(_left, dispatch_uid="account_signed_out")


def _password(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record_of(user, "sign_in.password_changed")
    sessions.password_changed(user, request.session.session_key)


def _reset(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record_of(user, "sign_in.password_changed", words="by a link that was mailed")
    if gone := addresses.proved_by_mail(user):
        were = "API token was" if gone == 1 else "API tokens were"
        messages.info(request, f"Your address is verified now. {gone} {were} made before that, and revoked.")
    sessions.password_changed(user, None)


def _address(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **_: Any,
) -> None:
    """allauth tells the old address; the new one is told too."""
    before = from_email_address.email if from_email_address is not None else ""
    about = f"{before} → {to_email_address.email}" if before else to_email_address.email
    audit.record_of(user, "sign_in.address_changed", about=about)
    context = {"from_email": before, "to_email": to_email_address.email}
    get_adapter(request).send_notification_mail(
        "account/email/email_changed", user, context=context, email=to_email_address.email
    )


def _left(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Sent before the session is emptied."""
    if user is not None:
        sessions.left(user, request.session.session_key)


def too_many_guesses(address: str) -> None:
    """Sign-in to an account was paused for a while, since somebody guessed; nobody knows who."""
    member = Member.objects.current().filter(user__email=address.strip().lower()).first()
    if member is not None and cache.add(f"truesend.guessed.{member.pk}", 1, _LINE_SECONDS):
        about = address.strip().lower()
        audit.record(member.organization_id, None, "sign_in.guessed", about=about)
