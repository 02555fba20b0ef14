"""What `/notices` tells of signals: a person's, one's own, fresh, and in few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.copies import Copy, email_of, mailbox, member_of
from tests.integration.test_email_at_size import made, signal

from truesend import clock
from truesend.organizations.models import Member, Organization, Role
from truesend.providers.contract import Capability
from truesend.sending.models import Delivery, Email, Recipient
from truesend.tracking.models import Signal
from truesend.web.news import ids_of, news

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def copies(email: Email) -> list[Any]:
    return list(Delivery.objects.filter(email=email).order_by("position").values_list("pk", flat=True))


def told(member: Member, signals: Sequence[Signal]) -> list[str]:
    return [one["text"] for one in news(member, [one.pk for one in signals])]


def stored(*signals: Signal) -> list[Signal]:
    return Signal.objects.bulk_create(signals)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "Ines Moreau opened “Contract”"),
        ({"kind": "click"}, "Ines Moreau clicked “link 0” in “Contract”"),
        ({"kind": "reply", "klass": "unknown"}, "Ines Moreau answered “Contract”"),
        ({"confidence": 0.79}, None),
        ({"klass": "proxy", "confidence": 0.99}, None),
        ({"klass": "unknown"}, None),
        ({"klass": "scanner", "kind": "click"}, None),
        ({"klass": "prefetch", "kind": "click"}, None),
        ({"klass": "self", "kind": "click"}, None),
        ({"struck": True, "kind": "click"}, None),
        ({"kind": "bounce", "klass": "unknown"}, "Ines Moreau did not get “Contract”"),
        ({"kind": "bounce", "klass": "unknown", "struck": True}, None),
        ({"kind": "delay", "klass": "unknown"}, None),
        ({"kind": "auto_reply", "klass": "unknown"}, None),
        ({"at": clock.now() - timedelta(minutes=11)}, None),
    ],
)
def test_what_is_worth_telling(ana: Member, fields: dict[str, Any], text: str | None) -> None:
    email = made(ana, 1)
    (copy,) = copies(email)
    Recipient.objects.filter(delivery=copy).update(name="Ines Moreau")
    assert told(ana, stored(signal(email, copy, **fields))) == ([text] if text else [])


def test_nobody_is_told_of_another_members_email(ana: Member) -> None:
    email = made(ana, 1)
    rows = stored(signal(email, copies(email)[0]))
    colleague = member_of(ana.organization, "tom", Role.OWNER)
    stranger = member_of(Organization.objects.create(name="Globex"), "eve", Role.OWNER)
    assert (told(colleague, rows), told(stranger, rows)) == ([], [])
    Email.objects.filter(pk=email.pk).update(is_test=True)
    assert told(ana, rows) == []


def test_many_are_one_line_to_an_email_and_a_number_beyond_three_emails(ana: Member) -> None:
    email = made(ana, 5)
    rows = stored(*[signal(email, copy) for copy in copies(email) for _ in range(4)])
    assert told(ana, rows) == ["5 people opened “Contract”"]
    # Those of the last two minutes belong to it, though a page asks of the last one alone.
    assert told(ana, rows[-1:]) == ["5 people opened “Contract”"]
    box = mailbox(ana, [Capability.SEND])
    others = [email_of(ana, box, Copy("accepted")) for _ in range(9)]
    rows += stored(*[signal(one, copies(one)[0], kind="click") for one in others])
    lines = told(ana, rows)
    assert lines[3:] == ["7 more emails were opened, clicked or answered"]
    with CaptureQueriesContext(database) as asked:
        news(ana, [one.pk for one in rows])
    assert len(asked.captured_queries) <= 4


def test_an_address_that_asks_for_nonsense_gets_nothing(ana: Member) -> None:
    assert ids_of("12,x,,-4,15") == [12, 15]
    assert len(ids_of(",".join(map(str, range(500))))) == 100
    browser = Client(headers={"host": "localhost:8000", "accept": "application/json"})
    assert browser.get("/notices?ids=1").status_code == 401
    browser.force_login(ana.user)
    for query in ("", "?ids=", "?ids=%00", "?ids=99999999999999999999999", "?ids=1,2,3"):
        answer = browser.get(f"/notices{query}")
        assert (answer.status_code, answer.json()) == (200, {"items": []})
        assert "no-store" in answer.headers["Cache-Control"]
