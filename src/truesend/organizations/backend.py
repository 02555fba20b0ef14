"""Signing in as allauth does it, and the session's user with everything a page wants of them."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress

from truesend.organizations.models import User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, but the user comes with member and organization in one query: every page asks for the three."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """The account that is written to there; else one that has verified the address as a further one of its own.

        What somebody has only claimed signs them in nowhere.
        """
        address = email.strip().lower()
        user = User.objects.filter(email=address).first()
        if user is None:
            further = EmailAddress.objects.select_related("user").filter(email=address, verified=True).first()
            user = further.user if further is not None else None
        checked: User | None = self._check_password(user, password)
        return checked

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, or ``None`` where there is none who may sign in."""
        user = User.objects.select_related("member__organization").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
