"""A second factor whose encryption key is gone is told in a sentence, and is no error page."""

from __future__ import annotations

import pytest
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.test import RequestFactory
from tests.copies import member_of

from truesend import env
from truesend.organizations.models import Organization, Role, User
from truesend.organizations.second_factor import MFAAdapter
from truesend.organizations.second_factor_forms import Authenticate

pytestmark = pytest.mark.django_db(transaction=True)


def typed(user: User) -> list[str]:
    """What is said to whoever types a code."""
    with context.request_context(RequestFactory().post("/login/second-factor")):
        return list(Authenticate({"code": "123456"}, user=user).errors["code"])


def test_it_says_who_can_help(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER).user
    secret = MFAAdapter().encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    Authenticator.objects.create(user=ana, type=Authenticator.Type.TOTP, data={"secret": secret})
    keys = env.require("ENCRYPTION_KEYS")
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", f"other:{keys.partition(':')[2]}")
    assert typed(ana) == [
        "Your codes cannot be checked here just now: an encryption key is missing. Ask whoever runs this installation."
    ]
    monkeypatch.setenv("TRUESEND_ENCRYPTION_KEYS", keys)
    assert typed(ana)[0].startswith("That is not right")
