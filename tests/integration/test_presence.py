"""What a member began before they were removed or deactivated does not end behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection as database
from django.db import transaction
from tests.copies import mailbox
from tests.integration.test_last_owner import joined

from truesend.organizations import members, presence
from truesend.organizations.models import Member, Organization
from truesend.organizations.roles import Role
from truesend.providers.contract import Capability
from truesend.sending.models import Email
from truesend.sending.submit import NotReady, Written, submit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team() -> tuple[Member, Member]:
    """An owner, and a user."""
    organization = Organization.objects.create(name="Northwind")
    return joined(organization, Role.OWNER), joined(organization, Role.USER)


@pytest.mark.parametrize("out", [members.remove, members.deactivate])
def test_an_email_sent_in_the_same_moment_is_refused_and_not_left_behind(
    team: tuple[Member, Member], out: object
) -> None:
    owner, user = team
    box = mailbox(user, [Capability.SEND], "organization")
    written = Written(connection=box, to=["ines@globex.example"], subject="Hello", html="<p>Hello</p>")
    as_it_was = Member.objects.select_related("organization", "user").get(pk=user.pk)
    assert callable(out)
    out(owner, user)
    with pytest.raises(NotReady) as refused:
        submit(as_it_was, written)
    assert {gate.cause for gate in refused.value.readiness.gates if not gate.ok} >= {"member_inactive"}
    assert not Email.objects.exists()


def test_removing_waits_for_what_is_being_stored(team: tuple[Member, Member]) -> None:
    owner, user = team
    begun, removed = Event(), Event()

    def remove() -> None:
        try:
            begun.wait()
            members.remove(owner, user)
            removed.set()
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert presence.hold(user.pk)
            done = pool.submit(remove)
            begun.set()
            assert not removed.wait(0.5)
        done.result(20)
    assert not presence.hold(user.pk)
    # Several of one member do not wait for each other.
    with transaction.atomic():
        assert presence.hold(owner.pk)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_held_elsewhere, owner).result(20)


def _held_elsewhere(member: Member) -> bool:
    try:
        with transaction.atomic():
            return presence.hold(member.pk)
    finally:
        database.close()
