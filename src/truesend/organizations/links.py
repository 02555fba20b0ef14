"""Sign-in links made on the command line, for people whom no mail reaches."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.utils.crypto import salted_hmac

from truesend import clock, env
from truesend.organizations.models import User

_SALT = "truesend.sign-in-link"
LIFETIME = timedelta(hours=1)


def sign_in_link(user: User) -> str:
    """A link that signs ``user`` in once, within an hour: using it changes what it was signed over."""
    told = [user.pk, clock.now().timestamp(), _state(user)]
    return f"{env.public_url()}/sign-in/{signing.dumps(told, salt=_SALT)}"


def user_by_link(token: str, *, lock: bool = False) -> User | None:
    """The user a link stands for, or ``None`` when it is forged, expired or used.

    With ``lock`` (in a transaction) the user's row is held, so that of two who use the link at once one comes late.
    """
    try:
        user_id, made_at, state = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if not 0 <= clock.now().timestamp() - made_at < LIFETIME.total_seconds():
        return None
    users = User.objects.select_for_update() if lock else User.objects.all()
    user = users.filter(pk=user_id, is_active=True).first()
    return user if user is not None and _state(user) == state else None


def _state(user: User) -> str:
    last = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(_SALT, f"{last}|{user.password}").hexdigest()[:32]
