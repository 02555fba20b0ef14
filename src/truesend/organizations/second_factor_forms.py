"""allauth's forms for second factors, with codes that serve once (:mod:`truesend.organizations.second_factor`)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms

from truesend.connections.secretbox import SecretUnreadable
from truesend.organizations import account_notes, second_factor

log = logging.getLogger("truesend.organizations")

_NO_KEY = (
    "Your codes cannot be checked here just now: an encryption key is missing. "
    "Ask whoever runs this installation."
)
_LONGEST_NAME = 60
_LONGEST_CREDENTIAL = 20_000
# What reading, and checking, somebody's bytes as a passkey's may end in.
_UNREADABLE = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    NotImplementedError,
    struct.error,
    InvalidSignature,
    UnsupportedAlgorithm,
)


class _TakesCode(base.BaseAuthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field("Six digits of your app, or a recovery code")

    def clean_code(self) -> str:
        """The code, used up; a wrong one counts against the limit of guesses."""
        try:
            clear = check_rate_limit(self.user)
        except forms.ValidationError:
            account_notes.too_many_guesses(self.user.email)
            raise
        code: str = self.cleaned_data["code"]
        try:
            found = second_factor.take(self.user, code)
        except SecretUnreadable:
            log.error("A second factor is sealed with an encryption key that is not here.")
            clear()
            raise forms.ValidationError(_NO_KEY) from None
        if found is None:
            main = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
            for one in main.order_by("-type")[:1]:
                self._emit_authentication_failed(one)
            raise get_adapter().validation_error("incorrect_code")
        clear()
        found.user = self.user
        self.authenticator = found
        return code


class Authenticate(_TakesCode, base.AuthenticateForm):  # type: ignore[misc]
    """At sign-in, behind the password."""


class Reauthenticate(_TakesCode, base.ReauthenticateForm):  # type: ignore[misc]
    """Before something that changes how somebody signs in."""


class AddApp(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new app: it shows that the app knows the secret, and has served with that."""

    counter: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field("The six digits it shows now")

    def clean_code(self) -> str:
        """The code; which half minute it is of is kept in ``counter``."""
        code: str = super().clean_code()
        counter = second_factor.counter_of(self.secret, code)
        if counter is None:  # its time ran out between the two looks
            raise get_adapter().validation_error("incorrect_code")
        self.counter = counter
        return code


class _Credential(forms.JSONField):
    """What a browser answers: an object, and no long or deep one."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > _LONGEST_CREDENTIAL:
            raise get_adapter().validation_error("incorrect_code")
        try:
            found = super().to_python(value)
        except RecursionError:
            found = ()
        if found is not None and not isinstance(found, dict):
            raise get_adapter().validation_error("incorrect_code")
        return found


class _TakesPasskey:
    """allauth reads a browser's answer as if it came from one: whatever else somebody sends is no passkey either."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _Credential(widget=forms.HiddenInput)  # type: ignore[attr-defined]

    def clean_credential(self) -> Any:
        """The factor it is of."""
        with _what_is_no_passkey():
            return super().clean_credential()  # type: ignore[misc]


@contextmanager
def _what_is_no_passkey() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE:
        raise get_adapter().validation_error("incorrect_code") from None


class SignInByPasskey(_TakesPasskey, LoginWebAuthnForm):  # type: ignore[misc]
    """In place of the password."""


class AuthenticateByPasskey(_TakesPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """At sign-in, behind the password."""


class ReauthenticateByPasskey(_TakesPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Before something that changes how somebody signs in."""


class AddPasskey(AddWebAuthnForm):  # type: ignore[misc]
    """A name, and whether it signs in alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _Credential(widget=forms.HiddenInput)
        self.fields["name"].max_length = _LONGEST_NAME
        self.fields["name"].widget.attrs["maxlength"] = str(_LONGEST_NAME)
        self.fields["passwordless"] = forms.BooleanField(
            label="Sign in with it alone, without the password", required=False, initial=True
        )

    def clean_name(self) -> str:
        """On one line, whatever was typed."""
        name = " ".join(str(super().clean_name()).split())
        return name[:_LONGEST_NAME]

    def clean(self) -> dict[str, Any]:
        """With what the browser made, or said that it made."""
        with _what_is_no_passkey():
            found: dict[str, Any] = super().clean()
        return found


def _code_field(label: str) -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(
        label=label, max_length=40, widget=forms.TextInput(attrs={**attributes, "autofocus": True})
    )
