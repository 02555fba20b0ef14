"""Held emails let go together: which are offered, who can, and what one press does."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client
from tests.copies import Copy, email_of, mailbox, member_of
from tests.integration.test_unknown_pages import SEND

from truesend import clock
from truesend.connections import proofs
from truesend.connections.models import Connection, LedgerKind
from truesend.organizations import finding
from truesend.organizations.models import Member, Organization, Role
from truesend.providers.contract import Evidence
from truesend.sending import holding, release
from truesend.sending.models import Delivery, Email, EmailStatus
from truesend.web import held
from truesend.web.facts import PageFacts

pytestmark = pytest.mark.django_db(transaction=True)

HELD = Copy("queued", held="grant_revoked")


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def browser(member: Member) -> Client:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(member.user)
    return client


def place(connection: Connection, cause: str = "grant_revoked") -> str:
    return f"/emails/held/{connection.pk}?cause={cause}"


def press(member: Member, connection: Connection, cause: str = "grant_revoked") -> HttpResponseBase:
    """The button of a confirmation that was shown just now."""
    return browser(member).post(place(connection, cause), {"asked_at": clock.now().isoformat()})


def offered(member: Member) -> list[dict[str, Any]]:
    listed = finding.numbers(member, of_the_list=True).listed
    assert listed is not None
    return held.groups(listed.held, PageFacts(member).mailboxes)


def held_now() -> int:
    return Delivery.objects.exclude(held_cause="").count()


def test_several_of_one_cause_are_offered_together_and_go_at_one_press(ana: Member) -> None:
    connection, other = mailbox(ana, SEND), mailbox(ana, SEND)
    Connection.objects.filter(pk=other.pk).update(address="sales@northwind.example")
    mine = [email_of(ana, connection, HELD) for _ in range(3)]
    alone = email_of(ana, other, HELD)
    limited = email_of(ana, connection, Copy("queued", held="daily_limit", due=3600))
    restored = [email_of(ana, connection, Copy("queued", held="restored")) for _ in range(2)]
    assert [(one["title"], one["fix"]["label"]) for one in offered(ana)] == [
        ("3 emails from ana@northwind.example are held.", "Send all 3"),
        ("2 emails from ana@northwind.example are held.", "Send all 2"),
    ]
    page = browser(ana).get("/emails").content.decode()
    assert page.count(">Send all 3</button>") == 1
    asked = browser(ana).get(place(connection)).content.decode()
    assert "Send 3 emails from ana@northwind.example?" in asked
    assert asked.count("<b>Contract</b>") == 3
    later = email_of(ana, connection, HELD)
    told = re.search(r'name="asked_at" value="([^"]+)"', asked)
    assert told
    client = browser(ana)
    answer = client.post(place(connection), {"asked_at": told[1]})
    assert answer.headers["Location"] == "/emails"
    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["3 emails go out now."]
    for email in mine:
        email.refresh_from_db()
        assert (email.status, email.problem) == (EmailStatus.QUEUED, "")
        assert Delivery.objects.get(email=email).due_at is not None
    for email in (alone, limited, later, *restored):
        email.refresh_from_db()
        assert email.status == EmailStatus.HELD
    # Pressed again on the old page: only what came since waits there, and it was not asked for.
    client.post(place(connection), {"asked_at": told[1]})
    later.refresh_from_db()
    assert later.status == EmailStatus.HELD


def test_nothing_is_offered_while_it_could_not_leave(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    for _ in range(2):
        email_of(ana, connection, HELD)
    assert len(offered(ana)) == 1
    evidence = [Evidence("grant", False, "token.refresh", "grant_revoked", "revoked")]
    proofs.record(connection, evidence, kind=LedgerKind.REFRESH, trigger="schedule")
    assert offered(ana) == []
    for answer in (browser(ana).get(place(connection)), press(ana, connection)):
        assert (answer.status_code, answer.headers["Location"]) == (302, "/emails?filter=needs")
    assert held_now() == 2


def test_only_ones_own_go_whatever_the_role(ana: Member) -> None:
    shared = mailbox(ana, SEND, kind="organization")
    tom = member_of(ana.organization, "tom", Role.USER)
    mia = member_of(ana.organization, "mia", Role.MANAGER)
    eve = member_of(Organization.objects.create(name="Globex"), "eve", Role.OWNER)
    hers = [email_of(ana, shared, HELD) for _ in range(2)]
    his = [email_of(tom, shared, HELD) for _ in range(2)]
    for other in (eve, mia):
        assert browser(other).get(place(shared)).status_code == 404
        assert offered(other) == []
    assert press(eve, shared).status_code == 404
    assert press(mia, shared).status_code == 302  # of this mailbox she has none
    assert held_now() == 4
    assert press(tom, shared).status_code == 302
    assert set(Email.objects.filter(status=EmailStatus.HELD)) == set(hers)
    assert set(Email.objects.filter(status=EmailStatus.QUEUED)) == set(his)


def test_an_hour_that_was_chosen_stands(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    at = clock.now() + timedelta(days=2)
    for _ in range(2):
        email = email_of(ana, connection, HELD)
        Email.objects.filter(pk=email.pk).update(send_at=at)
    press(ana, connection)
    assert set(Delivery.objects.values_list("due_at", "held_cause")) == {(at, "")}
    assert set(Email.objects.values_list("status", flat=True)) == {EmailStatus.SCHEDULED}


@pytest.mark.parametrize("cause", ["", "nothing_known", "\x00", "a" * 300])
def test_a_cause_that_is_none_finds_nothing(ana: Member, cause: str) -> None:
    connection = mailbox(ana, SEND)
    email_of(ana, connection, HELD)
    assert browser(ana).get(place(connection, quote(cause))).status_code == 404


@pytest.mark.parametrize("asked_at", ["", "yesterday", "2026-11-22T10:00:00"])
def test_a_press_without_its_moment_does_nothing(ana: Member, asked_at: str) -> None:
    connection = mailbox(ana, SEND)
    email_of(ana, connection, HELD)
    assert browser(ana).post(place(connection), {"asked_at": asked_at}).status_code == 404
    assert held_now() == 1


def test_what_had_left_of_a_cancelled_email_is_not_denied(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    for copies in ((HELD, HELD), (Copy("accepted"), HELD)):
        email_of(ana, connection, *copies)
        client = browser(ana)
        form = {"asked_at": clock.now().isoformat(), "action": "cancel"}
        said = [str(one) for one in get_messages(client.post(place(connection), form).wsgi_request)]
        told = "nothing of it has left" if copies[0] is HELD else "copies that had left before have left"
        assert said == [f"1 email cancelled; {told}."]


def test_enter_without_scripts_sends_nothing(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    email_of(ana, connection, HELD)
    client = browser(ana)
    page = client.get(place(connection)).content.decode()
    first = re.search(r"<button[^>]*>", page[page.index("data-deliberate") :])
    assert first is not None
    assert 'name="action" value="look"' in first[0]
    form = {"asked_at": clock.now().isoformat(), "action": "look"}
    assert client.post(place(connection), form).headers["Location"] == place(connection)
    assert held_now() == 1


def test_copies_that_wait_for_their_hour_again_keep_their_pace(ana: Member) -> None:
    connection, at = mailbox(ana, SEND), clock.now() + timedelta(days=2)
    email = email_of(ana, connection, *[Copy("queued", held="disconnected")] * 3)
    Email.objects.filter(pk=email.pk).update(send_at=at)
    assert holding.resume(connection.pk, {"disconnected"}) == 1
    times = Delivery.objects.filter(email=email).order_by("position").values_list("due_at", flat=True)
    assert list(times) == [at, at + timedelta(seconds=1), at + timedelta(seconds=2)]


def test_what_is_paused_is_not_said_to_be_gone(ana: Member) -> None:
    connection = mailbox(ana, SEND)
    email = email_of(ana, connection, *[Copy("queued", held="paused")] * 2)
    with pytest.raises(release.TooLateToChange, match="It is paused: resume it first"):
        release.reschedule(email, clock.now() + timedelta(days=1), ana)
