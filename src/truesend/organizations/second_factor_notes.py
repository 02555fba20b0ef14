"""What is written down of second factors as they come and go, and who is told."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete

from truesend import live_events
from truesend.organizations import audit, second_factor
from truesend.organizations.models import Member, User

_CAME = {Authenticator.Type.TOTP: "sign_in.app_added", Authenticator.Type.WEBAUTHN: "sign_in.passkey_added"}
_WENT = {
    Authenticator.Type.TOTP: "sign_in.app_removed",
    Authenticator.Type.WEBAUTHN: "sign_in.passkey_removed",
}


def listen() -> None:
    """Hear of every change; called once, when Django starts."""
    signals.authenticator_added.connect(_added, dispatch_uid="second_factor_added")
    signals.authenticator_removed.connect(_removed, dispatch_uid="second_factor_removed")
    signals.authenticator_reset.connect(_codes_made, dispatch_uid="second_factor_codes")
    signals.authenticator_used.connect(_used, dispatch_uid="second_factor_used")
    post_delete.connect(_deleted, sender=Authenticator, dispatch_uid="second_factor_deleted")


def _added(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type in _CAME:
        audit.record_of(user, _CAME[authenticator.type], about=_name(authenticator))
        _tell(user)


def _removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type in _WENT:
        audit.record_of(user, _WENT[authenticator.type], about=_name(authenticator))
        _tell(user)


def _codes_made(user: User, **_: Any) -> None:
    audit.record_of(user, "sign_in.codes_made")


def _used(user: User, authenticator: Authenticator, **_: Any) -> None:
    """A recovery code is used by somebody who has lost something, or by somebody else."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        left = len(authenticator.wrap().get_unused_codes())
        audit.record_of(user, "sign_in.code_used", words=f"{left} left")


def _deleted(instance: Authenticator, **_: Any) -> None:
    second_factor.forget_secret(instance.data)


def _name(authenticator: Authenticator) -> str:
    return str(authenticator.data.get("name", ""))


def _tell(user: User) -> None:
    """Whoever needs one and has none any more is let into nothing: their open pages and streams look again."""
    for organization in Member.objects.filter(user=user).values_list("organization_id", flat=True):
        live_events.publish(organization, "account", [organization])
