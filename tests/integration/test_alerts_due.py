"""The warning before the hour: to whom, once, and only where mail would not leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.copies import Copy, email_of, member_of
from tests.integration.test_held_pages import browser
from tests.states import State, write

from truesend import clock
from truesend.alerts import due
from truesend.alerts.models import Letter
from truesend.connections.models import Connection
from truesend.organizations.models import Member, Organization, Role
from truesend.sending.models import Delivery, Email, EmailStatus
from truesend.sending.problems import problem_of
from truesend.sending.schedule import late_after

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _mailing(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    settings.EMAIL_BACKEND = "truesend.organizations.system_mail.SystemMail"


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def scheduled(member: Member, connection: Connection, minutes: int) -> Email:
    email = email_of(member, connection, Copy("queued", due=minutes * 60))
    at = clock.now() + timedelta(minutes=minutes)
    Email.objects.filter(pk=email.pk).update(send_at=at, status=EmailStatus.SCHEDULED)
    Delivery.objects.filter(email=email).update(due_at=at, late_after=late_after(at))
    email.refresh_from_db()
    return email


def mails() -> list[tuple[str, str]]:
    return list(Letter.objects.filter(kind=Letter.Kind.DUE).order_by("pk").values_list("address", "subject"))


def test_writers_and_helpers_are_warned_once(ana: Member) -> None:
    ben = member_of(ana.organization, "ben", Role.USER)
    broken = write(ana, State("grant_revoked", "sales@northwind.example", kind="organization"))
    for one, minutes in ((ben, 90), (ben, 100), (ana, 600)):
        scheduled(one, broken, minutes)
    due.look()
    due.look()
    told = mails()
    assert {address for address, _ in told} == {ben.user.email, ana.user.email}
    assert len(told) == 2
    assert "2 emails will not go from sales@northwind.example at " in told[0][1]
    letter = Letter.objects.filter(kind=Letter.Kind.DUE).first()
    assert letter is not None
    assert "Later nothing leaves by itself" in letter.body


@pytest.mark.parametrize("cause", ["working", "not_tried", "daily_limit", "provider_error", "throttled"])
def test_nobody_is_warned_of_what_will_leave(ana: Member, cause: str) -> None:
    scheduled(ana, write(ana, State(cause, "ok@northwind.example")), 30)
    due.look()
    assert mails() == []


def test_the_page_says_that_it_will_not_leave(ana: Member) -> None:
    broken = write(ana, State("grant_revoked", "x@northwind.example"))
    email = scheduled(ana, broken, 600)
    problem = problem_of(email)
    assert problem is not None
    assert problem.sentence.startswith("It will not leave at its hour as things stand. Google says")
    assert problem.fix is not None
    assert problem.fix["label"] == "Reconnect"
    page = browser(ana).get(f"/emails/{email.pk}").content.decode()
    assert "Waits for its hour: <time" in page
    assert "It will not leave at its hour as things stand." in page
