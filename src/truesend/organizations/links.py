"""Sign-in links made on the command line, for people whom no mail reaches."""

from __future__ import annotations

from django.core import signing
from django.utils.crypto import salted_hmac

from truesend import env
from truesend.organizations.models import User

_SALT = "truesend.sign-in-link"
LIFETIME_SECONDS = 3600


def sign_in_link(user: User) -> str:
    """A link that signs ``user`` in once, within an hour: using it changes what it was signed over."""
    return f"{env.public_url()}/sign-in/{signing.dumps([user.pk, _state(user)], salt=_SALT)}"


def user_by_link(token: str) -> User | None:
    """The user a link stands for, or ``None`` when it is forged, expired or used."""
    try:
        user_id, state = signing.loads(token, salt=_SALT, max_age=LIFETIME_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user if user is not None and _state(user) == state else None


def _state(user: User) -> str:
    last = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(_SALT, f"{last}|{user.password}").hexdigest()[:32]
