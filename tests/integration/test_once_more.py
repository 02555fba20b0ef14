"""An API token outlives the browser it was made in: whoever makes one has lately shown who they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from tests.copies import member_of
from tests.stack import PASSWORD

from truesend import clock
from truesend.organizations.models import ApiToken, Member, Organization, Role

pytestmark = pytest.mark.django_db(transaction=True)
ASK = "/reauthenticate?next=%2Faccount%2Ftokens"


@pytest.fixture
def ana() -> Member:
    ana = member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)
    ana.user.set_password(PASSWORD)
    ana.user.save(update_fields=["password"])
    return ana


def signed_in(member: Member, ago: timedelta) -> Client:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(member.user)
    session = client.session
    session["began"] = (clock.real_now() - ago).isoformat()
    session.save()
    return client


def names() -> list[str]:
    return list(ApiToken.objects.values_list("name", flat=True))


def test_who_signed_in_a_moment_ago_has_shown_it(ana: Member) -> None:
    shown = signed_in(ana, timedelta(minutes=14)).post("/account/tokens", {"name": "nightly"})
    assert b"ts_" in shown.content
    assert names() == ["nightly"]


def test_later_the_password_is_asked_for_and_then_it_is_made(ana: Member) -> None:
    client = signed_in(ana, timedelta(minutes=16))
    asked = client.post("/account/tokens", {"name": "nightly"})
    assert (asked.status_code, asked.headers["Location"]) == (302, ASK)
    wrong = client.post(ASK, {"password": f"{PASSWORD}x", "next": "/account/tokens"})
    assert wrong.status_code == 200
    assert names() == []
    shown = client.post(ASK, {"password": PASSWORD, "next": "/account/tokens"})
    assert "Your new token “nightly”" in shown.content.decode()
    assert names() == ["nightly"]
    # It lasts a while: the next one asks for nothing.
    assert b"ts_" in client.post("/account/tokens", {"name": "hourly"}).content


def test_what_was_asked_for_by_somebody_else_in_that_browser_is_not_made(ana: Member) -> None:
    client = signed_in(ana, timedelta(minutes=16))
    client.post("/account/tokens", {"name": "nightly"})
    client.logout()
    assert client.post(ASK, {"password": PASSWORD, "next": "/account/tokens"}).status_code == 302
    assert names() == []
