"""Signing in as allauth does it, and the session's user with everything a page wants of them."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from truesend.organizations.models import User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, but the user comes with member and organization in one query: every page asks for the three."""

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, or ``None`` where there is none who may sign in."""
        user = User.objects.select_related("member__organization").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
