"""Signing in as allauth does it, and the session's user with everything a page wants of them."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from truesend.organizations.addresses import owner_of
from truesend.organizations.models import Member, User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, but the user comes with member and organization in one query: every page asks for the three."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """What somebody has only claimed signs them in nowhere."""
        checked: User | None = self._check_password(owner_of(email), password)
        return checked

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, or ``None`` where there is none who may sign in."""
        member = Member.objects.current().select_related("user", "organization").filter(user=user_id).first()
        user = member.user if member is not None else User.objects.filter(pk=user_id).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        user.membership = member
        return user
