"""No sequence of what can be done to members leaves an organization without an owner, one after another or at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from threading import Barrier

import pytest
from django.db import connection as database
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.rows import mailbox

from truesend.organizations import invitations, members
from truesend.organizations.access import Refused
from truesend.organizations.members import LastOwner, NotDone
from truesend.organizations.models import Member, Organization, User
from truesend.organizations.roles import Role
from truesend.sending.models import Email

pytestmark = pytest.mark.django_db(transaction=True)
_numbers = count(1)
_who, _role = st.integers(0, 7), st.sampled_from(list(Role))


def joined(organization: Organization, role: str) -> Member:
    """Somebody new in it."""
    user = User.objects.create_user(f"p{next(_numbers)}@northwind.example")
    return Member.objects.create(organization=organization, user=user, role=role)


def owned(organization: Organization) -> bool:
    """Whether somebody who may act owns it, as the database says."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM organizations_member m JOIN organizations_user u ON u.id = m.user_id "
            "WHERE m.organization_id = %s AND m.role = 'owner' AND m.removed_at IS NULL "
            "AND m.deactivated_at IS NULL AND u.is_active",
            [organization.pk],
        )
        return bool(cursor.fetchone()[0] > 0)


class Team(RuleBasedStateMachine):
    """Anybody does anything to anybody, as often as they like; some of it is refused."""

    @initialize(roles=st.lists(_role, max_size=4))
    def begin(self, roles: list[str]) -> None:
        self.organization = Organization.objects.create(name="Northwind")
        self.people = [
            joined(self.organization, Role.OWNER),
            *(joined(self.organization, one) for one in roles),
        ]

    def _do(self, who: int, whom: int, what: Callable[[Member, Member], object]) -> None:
        actor, target = (self.people[one % len(self.people)] for one in (who, whom))
        actor, target = Member.objects.get(pk=actor.pk), Member.objects.get(pk=target.pk)
        with suppress(Refused, NotDone):
            what(actor, target)

    @rule(who=_who, whom=_who, role=_role)
    def change_role(self, who: int, whom: int, role: str) -> None:
        self._do(who, whom, lambda by, one: members.change_role(by, one, role))

    @rule(who=_who, whom=_who)
    def hand_over(self, who: int, whom: int) -> None:
        self._do(who, whom, members.hand_over_ownership)

    @rule(who=_who, whom=_who)
    def deactivate(self, who: int, whom: int) -> None:
        self._do(who, whom, members.deactivate)

    @rule(who=_who, whom=_who)
    def reactivate(self, who: int, whom: int) -> None:
        self._do(who, whom, members.reactivate)

    @rule(who=_who, whom=_who)
    def remove(self, who: int, whom: int) -> None:
        self._do(who, whom, members.remove)

    @rule(who=_who)
    def leave(self, who: int) -> None:
        self._do(who, who, members.remove)

    @rule(whom=_who)
    def the_operator_names_an_owner(self, whom: int) -> None:
        self._do(whom, whom, lambda _, one: members.name_owner(one))

    @rule(who=_who, role=_role)
    def invited_and_joined(self, who: int, role: str) -> None:
        def invite(by: Member, _: Member) -> None:
            made = invitations.invite(by, role)
            user = User.objects.create_user(f"p{next(_numbers)}@northwind.example")
            self.people.append(invitations.accept(made.invitation, user))

        if len(self.people) < 8:
            self._do(who, who, invite)

    @rule(whom=_who, who=_who)
    def back_again(self, who: int, whom: int) -> None:
        def again(by: Member, one: Member) -> None:
            invitations.accept(invitations.invite(by, Role.USER).invitation, one.user)

        self._do(who, whom, again)

    @invariant()
    def somebody_owns_it(self) -> None:
        assert owned(self.organization)


def test_no_sequence_loses_the_last_owner() -> None:
    run_state_machine_as_test(
        Team,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("round_", range(5))
@pytest.mark.parametrize(
    "how", ["step down", "leave", "deactivate each other", "remove each other", "hand over"]
)
def test_owners_who_go_in_the_same_moment(how: str, round_: int) -> None:
    organization = Organization.objects.create(name="Northwind")
    first, second = joined(organization, Role.OWNER), joined(organization, Role.OWNER)
    user = joined(organization, Role.USER)
    ways: dict[str, Callable[[Member, Member], object]] = {
        "step down": lambda one, _: members.change_role(one, one, Role.USER),
        "leave": lambda one, _: members.remove(one, one),
        "deactivate each other": members.deactivate,
        "remove each other": members.remove,
        "hand over": lambda one, _: members.hand_over_ownership(one, user),
    }
    together = Barrier(2)

    def go(one: Member, other: Member) -> bool:
        together.wait()
        try:
            ways[how](one, other)
        except (LastOwner, NotDone, Refused):
            return False
        finally:
            database.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(go, [first, second], [second, first]))
    assert owned(organization)
    assert any(done)
    if how != "hand over":
        assert done.count(True) == 1


def test_the_last_owner_is_told_what_to_do_first() -> None:
    organization = Organization.objects.create(name="Northwind")
    owner = joined(organization, Role.OWNER)
    gone = joined(organization, Role.OWNER)
    members.deactivate(owner, gone)
    for do in (members.remove, lambda by, one: members.change_role(by, one, Role.MANAGER)):
        with pytest.raises(LastOwner, match="Make somebody else an owner first"):
            do(owner, owner)
    # A mailbox of theirs is as it was.
    box = mailbox(owner)
    with pytest.raises(LastOwner):
        members.remove(owner, owner)
    box.refresh_from_db()
    assert box.disconnected_at is None


def test_where_no_owner_can_sign_in_a_manager_gets_what_waits_and_nobody_leaves() -> None:
    """The operator has switched their accounts off, which is no act of the team."""
    organization = Organization.objects.create(name="Northwind")
    owner, manager, user = (joined(organization, role) for role in (Role.OWNER, Role.MANAGER, Role.USER))
    User.objects.filter(pk=owner.user_id).update(is_active=False)
    email = Email.objects.create(
        organization=organization,
        member=user,
        connection=mailbox(manager, kind="organization"),
        status="held",
    )
    with pytest.raises(NotDone, match="Ask whoever runs this installation"):
        members.remove(user, user)
    assert members.remove(manager, user) == 1
    email.refresh_from_db()
    assert (email.member_id, email.writer_id) == (manager.pk, user.pk)
