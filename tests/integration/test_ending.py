"""An organization is to be deleted: nothing is sent, everybody is told, and any owner takes it back in time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection as database
from tests.copies import Copy, email_of, mailbox, member_of

from truesend import clock
from truesend.alerts import post
from truesend.alerts.models import Letter
from truesend.billing import account
from truesend.closing import deciding, erasing
from truesend.closing.models import Closing
from truesend.connections import beginning
from truesend.organizations import members
from truesend.organizations.access import Refused
from truesend.organizations.audit_models import AuditEntry
from truesend.organizations.members import NotDone
from truesend.organizations.models import Member, Organization, Role
from truesend.providers.contract import Capability
from truesend.sending import handover, readiness
from truesend.sending.gate import Draft, Gate
from truesend.sending.models import Delivery, Email, EmailStatus
from truesend.sending.problems import problem_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind  Post"), "ana", Role.OWNER)


@pytest.fixture
def ben(ana: Member) -> Member:
    return member_of(ana.organization, "ben", Role.USER)


def again(member: Member) -> Member:
    return Member.objects.select_related("user", "organization").get(pk=member.pk)


def gate(member: Member) -> Gate:
    gates = readiness.check(again(member), Draft(None)).gates
    return next(one for one in gates if one.name == "account")


def test_nothing_is_sent_from_the_press_on_and_the_owner_is_named(ana: Member, ben: Member) -> None:
    assert gate(ben).ok
    deciding.begin(ana, "Northwind Post")
    shut = gate(ben)
    assert (shut.ok, shut.cause) == (False, "organization_ends")
    assert "is to be deleted on" in shut.sentence
    assert [one["email"] for one in shut.who] == ["ana@northwind.example"]
    assert gate(ana).fix == {"label": "Keep the organization", "url": "/settings/organization/delete"}
    assert shut.fix == {"label": "See the team", "url": "/users"}
    # Nor is anything connected; what stands may be repaired, so that taking it back needs nobody.
    box = mailbox(ben, [Capability.SEND])
    assert beginning.stopped(again(ben), None) == "organization_ends"
    assert beginning.stopped(again(ben), box) == ""


def test_what_waits_is_held_and_waits_for_its_hour_again(ana: Member, ben: Member) -> None:
    box = mailbox(ben, [Capability.SEND])
    soon, later = (email_of(ben, box, Copy("queued", due=seconds)) for seconds in (60, 3 * 86_400))
    Email.objects.filter(pk=later.pk).update(send_at=clock.now() + timedelta(days=3))
    paused = email_of(ben, box, Copy("queued", held="paused"))
    deciding.begin(ana, "Northwind Post")
    for one in (soon, later):
        one.refresh_from_db()
        assert (one.status, one.problem) == (EmailStatus.HELD, "organization_ends")
    told = problem_of(later)
    assert told is not None
    assert told.cause == "organization_ends"
    assert "is to be deleted" in told.sentence
    assert deciding.keep(ana) == 1
    later.refresh_from_db()
    assert later.status == EmailStatus.SCHEDULED
    # What was to leave meanwhile waits for a person, and what a person paused stays paused.
    assert Delivery.objects.get(email=soon).held_cause == "organization_ends"
    assert Delivery.objects.get(email=paused).held_cause == "paused"
    assert gate(ben).ok


def test_what_is_held_for_another_reason_stays_so(ana: Member, ben: Member) -> None:
    box = mailbox(ben, [Capability.SEND])
    email = email_of(ben, box, Copy("queued", due=86_400))
    Email.objects.filter(pk=email.pk).update(send_at=clock.now() + timedelta(days=1))
    assert handover.hold(ben) == 1
    deciding.begin(ana, "Northwind Post")
    assert deciding.keep(ana) == 0
    assert Delivery.objects.get(email=email).held_cause == "member_inactive"


@pytest.mark.parametrize("typed", ["", "northwind post", "Northwind", "Northwind Post!", "x" * 300])
def test_another_name_does_nothing(ana: Member, typed: str) -> None:
    with pytest.raises(deciding.WrongName, match="Type Northwind"):
        deciding.begin(ana, typed)
    assert not Closing.objects.exists()
    assert again(ana).organization.ends_at is None


@pytest.mark.parametrize("role", [Role.MANAGER, Role.USER])
def test_an_owner_alone_decides(ana: Member, ben: Member, role: str) -> None:
    Member.objects.filter(pk=ben.pk).update(role=role)
    with pytest.raises(Refused, match="Only an owner"):
        deciding.begin(again(ben), "Northwind Post")
    deciding.begin(ana, "Northwind Post")
    with pytest.raises(Refused, match="Only an owner"):
        deciding.keep(again(ben))
    # One who was an owner when the page was opened, and is none any more.
    Member.objects.filter(pk=ben.pk).update(role="owner")
    stale = again(ben)
    members.change_role(ana, again(ben), Role.USER)
    with pytest.raises(Refused):
        deciding.keep(stale)
    assert again(ana).organization.ends_at is not None


def test_any_owner_takes_it_back(ana: Member, ben: Member) -> None:
    members.change_role(ana, ben, Role.OWNER)
    deciding.begin(ana, "Northwind Post")
    with pytest.raises(NotDone, match="was there before you"):
        deciding.begin(again(ben), "Northwind Post")
    deciding.keep(again(ben))
    with pytest.raises(NotDone, match="not to be deleted"):
        deciding.keep(ana)
    told = AuditEntry.objects.filter(action__startswith="organization.").order_by("at")
    assert [one.action for one in told] == ["organization.to_be_deleted", "organization.kept"]
    deciding.begin(again(ben), "Northwind Post")  # and again, with all of its days
    assert Closing.objects.get().look_at > clock.now() + timedelta(days=6)


def test_everybody_is_told_once_and_of_what_is_true(
    ana: Member, ben: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_EMAIL_URL", "smtp://localhost:1")
    deciding.begin(ana, "Northwind Post")
    told = Letter.objects.filter(kind="closing").order_by("address")
    assert [one.address for one in told] == ["ana@northwind.example", "ben@northwind.example"]
    assert "/account/export" in told[0].body
    told.filter(address=ben.user.email).update(claimed_at=clock.real_now(), sent_at=clock.real_now())
    deciding.keep(ana)
    # Whom it had not reached yet it does not reach any more, and they are told nothing of what is over.
    assert post.told(Letter.Kind.KEPT, Letter.objects.get(kind="kept").about) == [ben.user.email]
    assert list(Letter.objects.filter(kind="closing").values_list("address", flat=True)) == [ben.user.email]


def test_too_late_it_is_not_taken_back(ana: Member) -> None:
    deciding.begin(ana, "Northwind Post")
    Organization.objects.update(ends_at=clock.now())
    Closing.objects.update(erasing_at=clock.now())
    with pytest.raises(NotDone, match="too late"):
        deciding.keep(ana)
    assert again(ana).organization.ends_at is not None


@pytest.mark.parametrize("round_", range(5))
def test_taken_back_in_the_moment_of_erasing_it_stays_whole_or_goes_whole(ana: Member, round_: int) -> None:
    deciding.begin(ana, "Northwind Post")
    Organization.objects.update(ends_at=clock.now() - timedelta(seconds=1))
    together = Barrier(2)

    def go(take_back: bool) -> bool:
        together.wait()
        try:
            if take_back:
                deciding.keep(ana)
                return True
            return erasing.work(ana.organization_id)
        except (NotDone, Organization.DoesNotExist):
            return False
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        kept, gone = pool.map(go, [True, False])
    assert (kept, gone) in {(True, False), (False, True)}
    assert Organization.objects.exists() is kept
    assert Member.objects.current().filter(pk=ana.pk).exists() is kept


def test_the_account_of_billing_says_which_of_the_two_stops(ana: Member) -> None:
    assert account.stopped_by(again(ana).organization) == ""
    deciding.begin(ana, "Northwind Post")
    assert account.stopped_by(again(ana).organization) == "organization_ends"
