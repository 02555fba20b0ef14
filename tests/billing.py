"""Accounts as tests write them: a billing installation without a Stripe, and what Stripe would have answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection as database
from tests.copies import member_of

from truesend import clock, live_events
from truesend.alerts.models import Letter
from truesend.billing import account, syncing
from truesend.billing.models import BillingAccount
from truesend.billing.stripe_api import Seen
from truesend.organizations.models import Member, Organization, Role
from truesend.sending import readiness
from truesend.sending.gate import Draft, Gate

SECRET = "whsec_of_the_tests"
DAY = timedelta(days=1)


@pytest.fixture
def billing(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    for name, value in {
        "BILLING": "stripe",
        "STRIPE_SECRET_KEY": "sk_test_of_the_tests",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_PRICES": "starter=price_s,business=price_b,premium=price_p",
        # Nobody answers there: what asks Stripe here is to fail.
        "STRIPE_API_URL": "http://localhost:1",
        "EMAIL_URL": "smtp://localhost:1",
    }.items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)
    settings.EMAIL_BACKEND = "truesend.organizations.system_mail.SystemMail"


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


@pytest.fixture
def ben(ana: Member) -> Member:
    return member_of(ana.organization, "ben", Role.USER)


@pytest.fixture
def told() -> Iterator[Callable[[], list[str]]]:
    """What open pages were told since it was last asked: the kinds of the hints."""
    place = database.settings_dict
    with psycopg.connect(
        dbname=place["NAME"], user=place["USER"], password=place["PASSWORD"], host=place["HOST"], port=place["PORT"],
        autocommit=True,
    ) as listening:  # fmt: skip
        listening.execute(f"LISTEN {live_events.CHANNEL}")
        yield lambda: [json.loads(one.payload)["k"] for one in listening.notifies(timeout=0.1)]


def of(member: Member) -> BillingAccount:
    return account.row_of(member.organization_id)


def tries_until(member: Member, left: timedelta) -> None:
    """Its trial ends then; whoever looks finds it due."""
    of(member)
    BillingAccount.objects.filter(pk=member.organization_id).update(
        trial_ends_at=clock.now() + left, look_at=clock.now()
    )


def seen(status: str = "active", price: str = "price_b", **fields: Any) -> Seen:
    given: dict[str, Any] = {
        "id": "sub_1", "trial_ends_at": None, "period_ends_at": clock.now() + 30 * DAY, "ends_at": None, **fields
    }  # fmt: skip
    return Seen(status=status, price=price, **given)


def answered(member: Member, *subscriptions: Seen) -> None:
    """Stripe has answered so."""
    of(member)
    number, _ = syncing._ask(member.organization_id)
    assert syncing.write(member.organization_id, number, list(subscriptions))


def gate(member: Member, **draft: Any) -> Gate:
    gates = readiness.check(member, Draft(None, **draft)).gates
    return next(one for one in gates if one.name == "account")


def letters() -> list[tuple[str, str]]:
    found = Letter.objects.filter(kind=Letter.Kind.ACCOUNT).order_by("pk")
    return list(found.values_list("address", "subject"))
