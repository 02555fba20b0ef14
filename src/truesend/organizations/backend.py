"""Signing in as allauth does it, and the session's user with everything a page wants of them."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from truesend.organizations.addresses import owner_of
from truesend.organizations.models import User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, but the user comes with member and organization in one query: every page asks for the three."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """What somebody has only claimed signs them in nowhere."""
        checked: User | None = self._check_password(owner_of(email), password)
        return checked

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, or ``None`` where there is none who may sign in."""
        user = User.objects.select_related("member__organization").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
