"""Mails about a tracking host: to the owners, once a trouble, and once when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from tests.copies import member_of

from truesend import clock
from truesend.alerts import hosts
from truesend.alerts.models import Letter
from truesend.organizations import tracking_host
from truesend.organizations.models import Member, Organization, Role

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://t.northwind.example"
WHY = f"Nobody answers at {URL}: nothing listens at port 443."


@pytest.fixture
def ana(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Member:
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    settings.EMAIL_BACKEND = "truesend.organizations.system_mail.SystemMail"
    northwind = Organization.objects.create(name="Northwind", tracking_url=URL, zone="Europe/Berlin")
    member_of(northwind, "ben", Role.MANAGER)
    return member_of(northwind, "ana", Role.OWNER)


def looked(member: Member, why: str = "") -> None:
    hosts.note(member.organization_id, URL, why)


def letters() -> list[tuple[str, str]]:
    return list(Letter.objects.order_by("pk").values_list("kind", "address"))


def test_a_trouble_and_its_end_are_told_once_to_the_owners(ana: Member) -> None:
    looked(ana)
    assert letters() == []
    for _ in range(3):
        looked(ana, WHY)
    assert letters() == [("host", ana.user.email)]
    told = Letter.objects.get()
    assert WHY in told.body
    assert "do not work until it leads here again" in told.body
    assert "/settings/organization#tracking-host" in told.body
    Letter.objects.update(sent_at=clock.real_now())
    for _ in range(2):
        looked(ana)
    assert letters() == [("host", ana.user.email), ("host_leads", ana.user.email)]
    assert " CET on " in Letter.objects.get(kind="host_leads").body
    # Another trouble is another mail.
    looked(ana, WHY)
    assert [kind for kind, _ in letters()] == ["host", "host_leads", "host"]


def test_what_was_over_before_it_was_sent_is_told_to_nobody(ana: Member) -> None:
    looked(ana, WHY)
    looked(ana)
    assert letters() == []


def test_a_look_at_a_host_that_was_changed_meanwhile_tells_nothing(ana: Member) -> None:
    tracking_host.choose(ana, "")
    looked(ana, WHY)
    assert letters() == []
    assert Organization.objects.get().tracking_failed_at is None
