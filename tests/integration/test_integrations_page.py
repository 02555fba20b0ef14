"""The integrations page with one connection and with 200: what stands where, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.copies import member_of
from tests.states import State, many, write

from truesend.organizations.models import Member, Organization, Role

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def signed_in(member: Member) -> Client:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(member.user)
    client.get("/integration")  # what a session writes at first
    return client


def fill(member: Member, states: Sequence[State]) -> None:
    for state in states:
        write(member, state)


# Whose installation this is, and its clients at providers, are believed for a second each and asked in between.
_ASIDE = re.compile("organizations_installation|connections_providerclient")


def asked(client: Client, path: str) -> list[str]:
    """What a page asks the database."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return [one["sql"] for one in queries.captured_queries if not _ASIDE.search(one["sql"])]


@pytest.mark.parametrize("path", ["/integration", "/integration/cards", "/partials/health"])
def test_as_many_questions_for_200_connections_as_for_one_of_each(ana: Member, path: str) -> None:
    causes = ("grant_revoked", "client_secret_wrong", "daily_limit", "not_tried", "working")
    fill(ana, [State(cause, f"few-{cause}@x.example") for cause in causes])
    client = signed_in(ana)
    few = asked(client, path)
    fill(ana, many(200, causes))
    lots = asked(client, path)
    assert len(few) == len(lots), "\n".join(lots)
    assert len(few) <= 12, "\n".join(few)


def test_every_place_counts_alike(ana: Member) -> None:
    broken = [State("grant_revoked", f"broken{number}@x.example") for number in range(5)]
    fill(ana, [*broken, State("daily_limit"), State("sending_blocked"), State("not_tried"), State()])
    page = signed_in(ana).get("/integration").content.decode()
    text = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert "One works, one is not proved yet, two are held up, five need you." in text
    for label, count in (("Needs you", 5), ("Held up", 2), ("Not proved yet", 1), ("Working", 1)):
        assert f"{label} {count} " in text
    assert "5 of 9 need you" in text
    assert "Integrations 5 , 5 need you" in text
    # Three of the five stand open.
    assert "More that need you 2 of 5" in text
    health = signed_in(ana).get("/partials/health").content.decode()
    assert re.search(r'id="needs-count" hx-swap-oob="outerMorph">.*?>5<', health)


def test_what_needs_somebody_stands_open_and_the_rest_are_lines(ana: Member) -> None:
    fill(ana, [*many(120), State("grant_revoked", "broken@northwind.example")])
    page = signed_in(ana).get("/integration").content.decode()
    cards = re.findall(r'<article class="card connection" id="connection-', page)
    lines = re.findall(r'<details class="connection-line"', page)
    assert len(cards) == 3
    assert len(cards) + len(lines) == 121
    assert page.index("Cannot send") < page.index('class="connection-line"')
