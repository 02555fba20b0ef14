"""The team: roles, deactivating, removing, handing over; who may do it, and that it holds at once everywhere."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.accounts import sql, words
from tests.stack import Person, Stack, until
from tests.storms.overdue import now

from truesend.organizations.roles import TABLE, Action, Role

SHARED = "capabilities=send&kind=organization"


@pytest.fixture
def owner(stack: Stack) -> Person:
    """An owner of an organization of its own."""
    return stack.verified("ana", f"Team {stack.person(signed_up=False).email}")


def people(person: Person) -> dict[str, dict[str, Any]]:
    """Members by address."""
    return {one["email"]: one for one in person.api("GET", "members").json()["items"]}


def page_of(owner: Person, one: Person) -> str:
    return f"/users/{people(owner)[one.email]['id']}"


def in_hours(stack: Stack) -> str:
    """An hour to come by the stack's clock, which other tests have moved."""
    return (now(stack) + timedelta(hours=5)).isoformat()


# -- what is seen -----------------------------------------------------------------------------------------------


def test_everybody_sees_the_team(stack: Stack, owner: Person) -> None:
    manager, user = stack.member_of(owner, "manager"), stack.member_of(owner)
    for person in (owner, manager, user):
        listed = people(person)
        assert {one: found["role"] for one, found in listed.items()} == {
            owner.email: "owner",
            manager.email: "manager",
            user.email: "user",
        }
        assert set(listed[owner.email]) == {"id", "name", "email", "role", "status", "seen_at"}
        page = words(person.get("/users"))
        assert "3 people" in page
        assert "(you)" in page
        # Nobody is billed here, and the table says nothing of paying.
        for action, rule in TABLE.items():
            assert (rule.words in page) is (action is not Action.PAY)
    assert people(owner)[user.email]["seen_at"] is not None
    assert "here" in words(owner.get("/users/list"))
    # What each may manage: oneself always, and what the table says.
    managed = {
        person.email: len(re.findall(r'aria-label="Manage ', person.get("/users").text))
        for person in (owner, manager, user)
    }
    assert managed == {owner.email: 3, manager.email: 2, user.email: 1}


# -- who may ----------------------------------------------------------------------------------------------------

ACTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("role", {"role": "user"}),
    ("owner", {}),
    ("deactivate", {}),
    ("reactivate", {}),
    ("remove", {}),
)


@pytest.mark.parametrize("target", list(Role))
@pytest.mark.parametrize("actor", ["manager", "user"])
def test_who_may_not_is_told_who_can(stack: Stack, owner: Person, actor: str, target: str) -> None:
    by, whom = stack.member_of(owner, actor), stack.member_of(owner, target)
    path, before = page_of(owner, whom), people(owner)
    for act, fields in ACTS:
        if actor == "manager" and target == "user" and act in {"deactivate", "reactivate", "remove"}:
            continue  # theirs to do; see below
        answer = by.post(f"{path}/{act}", fields)
        assert answer.status_code == 403, act
        assert owner.email in answer.text
        assert re.search("Only an owner", words(answer))
    assert people(owner) == before
    whom.bearer  # noqa: B018 - still theirs


def test_a_manager_handles_users(stack: Stack, owner: Person) -> None:
    manager, user = stack.member_of(owner, "manager"), stack.member_of(owner)
    path = page_of(owner, user)
    assert "An owner can change it" in words(manager.get(path))
    assert "is deactivated." in words(manager.post(f"{path}/deactivate"))
    assert people(owner)[user.email]["status"] == "deactivated"
    assert "is active again." in words(manager.post(f"{path}/reactivate"))
    assert "is removed from the team." in words(manager.post(f"{path}/remove"))
    assert user.email not in people(owner)
    assert manager.get(path).status_code == 404
    # It stands in the log, with who did it.
    log = words(owner.get("/settings/audit"))
    for act in ("Deactivated a member", "Reactivated a member", "Removed a member"):
        assert act in log
    assert manager.email in log


def test_an_owner_steps_down_only_behind_another(stack: Stack, owner: Person) -> None:
    mine = page_of(owner, owner)
    for act in ("role", "remove", "deactivate"):
        answer = owner.post(f"{mine}/{act}", {"role": "user"})
        assert "An organization keeps at least one owner" in words(answer), act
    for act in ("remove", "deactivate"):  # told before the button is pressed
        assert "An organization keeps at least one owner" in words(owner.get(f"{mine}/{act}"))
    assert "no such role" in words(owner.post(f"{mine}/role", {"role": "emperor"}))
    other = stack.member_of(owner, "user")
    theirs = page_of(owner, other)
    asked = owner.get(f"{theirs}/owner")
    assert "You become a manager at the same moment" in words(asked)
    assert "is an owner now, and you are a manager" in words(owner.post(f"{theirs}/owner"))
    assert {one: found["role"] for one, found in people(owner).items()} == {
        other.email: "owner",
        owner.email: "manager",
    }
    assert owner.post(f"{theirs}/owner").status_code == 403


# -- their mail -------------------------------------------------------------------------------------------------


def test_of_a_deactivated_member_mail_waits_and_goes_on(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    connection = ben.connect()["id"]
    later = ben.send(connection, send_at=in_hours(stack))["id"]
    path = page_of(owner, ben)
    assert "1 waiting email is held, not lost" in words(owner.get(f"{path}/deactivate"))
    owner.post(f"{path}/deactivate")
    held = sql(stack, "SELECT status, problem FROM sending_email WHERE id = %s", later)
    assert held == [("held", "member_inactive")]
    owner.post(f"{path}/reactivate")
    ben.sign_in_again()
    assert ben.api("GET", f"emails/{later}").json()["status"] == "scheduled"
    assert ben.connection(connection)["verdict"] != "disconnected"


def test_what_was_due_meanwhile_waits_for_its_writer(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    later = ben.send(ben.connect()["id"], send_at=in_hours(stack))["id"]
    path = page_of(owner, ben)
    owner.post(f"{path}/deactivate")
    sql(
        stack, "UPDATE sending_email SET send_at = now() - interval '1 hour' WHERE id = %s RETURNING 1", later
    )
    owner.post(f"{path}/reactivate")
    ben.sign_in_again()
    email = ben.api("GET", f"emails/{later}").json()
    assert (email["status"], email["problem"]) == ("held", "member_inactive")
    assert "What stood in its way is gone" in email["problem_detail"]["sentence"]
    ben.api("POST", f"emails/{later}/release")
    ben.email_when(later, "sent")


@pytest.mark.produces("member_removed")
def test_of_a_removed_member_everything_stays_and_what_waits_becomes_an_owners(
    stack: Stack, owner: Person
) -> None:
    ben = stack.member_of(owner)
    shared = owner.connect(f"sales-{owner.email}", SHARED)["id"]
    mine = ben.connect()["id"]
    ben.post("/account", {"name": "Ben Ito"})
    sent = ben.send(mine, subject="Sent before")["id"]
    delivery = ben.email_when(sent, "sent")["deliveries"][0]["id"]
    own = ben.send(mine, subject="From my own", send_at=in_hours(stack))["id"]
    from_shared = ben.send(shared, subject="From the shared one", send_at=in_hours(stack))["id"]
    path = page_of(owner, ben)
    told = words(owner.get(f"{path}/remove"))
    assert f"Their mailbox {ben.email} is disconnected." in told
    assert "2 emails that have not ended become yours" in told
    assert "is removed from the team." in words(owner.post(f"{path}/remove"))
    # What was sent stays, with its links.
    writers = "SELECT m.removed_at IS NOT NULL FROM sending_email e JOIN organizations_member m ON m.id = e.member_id"
    assert sql(stack, f"{writers} WHERE e.id = %s", sent) == [(True,)]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "click", as_="browser")
    until(
        lambda: sql(stack, "SELECT count(*) FROM tracking_signal WHERE email = %s", sent),
        lambda n: n[0][0] > 0,
        10,
    )
    # Their mailbox is disconnected, and the permission withdrawn.
    assert sql(
        stack, "SELECT disconnected_at IS NOT NULL FROM connections_connection WHERE id = %s", mine
    ) == [(True,)]
    assert stack.sandbox.calls(provider="google", operation="revoke")
    # What waits is the owner's: held, with who wrote it; nobody else's mail is.
    assert owner.api("GET", f"emails/{sent}").status_code == 404
    for one in (own, from_shared):
        email = owner.api("GET", f"emails/{one}").json()
        assert email["status"] == "held"
        problem = email["problem_detail"]
        assert problem["cause"] == "member_removed"
        assert "Ben Ito, who wrote it, is no longer in the team." in problem["sentence"]
        assert [each["email"] for each in problem["who"]] == [owner.email]
        assert problem["fix"]["label"] == ("Send now" if one == from_shared else "Choose another account")
        assert "Ben Ito" in words(owner.get(f"/emails/{one}"))
    # From the shared account it goes when the owner lets it; from theirs it never does.
    assert owner.api("POST", f"emails/{own}/release").status_code == 409
    assert owner.api("POST", f"emails/{from_shared}/reschedule", {"send_at": in_hours(stack)}).ok
    assert owner.api("GET", f"emails/{from_shared}").json()["status"] == "scheduled"
    edited = owner.post(f"/emails/{own}/edit")
    assert "/emails/new" in edited.url
    assert "From my own" in edited.text


def test_invited_again_somebody_finds_what_stayed(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    sent = ben.send(ben.connect()["id"])["id"]
    ben.email_when(sent, "sent")
    before = people(owner)[ben.email]["id"]
    owner.post(f"/users/{before}/remove")
    page = owner.post("/users/invite", {"how": "link", "role": "manager"})
    found = re.search(r"/invite/[\w-]{43}\b", page.text)
    assert found
    ben.sign_in_again()
    ben.post(found[0])
    assert people(owner)[ben.email]["id"] == before
    assert people(owner)[ben.email]["role"] == "manager"
    assert ben.api("GET", f"emails/{sent}").json()["status"] == "sent"


# -- the operator -----------------------------------------------------------------------------------------------


def test_the_operator_names_an_owner(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner)
    owner.post(f"{page_of(owner, ben)}/deactivate")

    def name(email: str, organization: str) -> tuple[int, str]:
        done = stack.up.run("user", "owner", "--email", email, "--organization", organization)
        return done.returncode, done.stdout + done.stderr

    assert name(ben.email, owner.organization) == (0, f"{ben.email} is an owner of {owner.organization}.\n")
    assert (people(owner)[ben.email]["role"], people(owner)[ben.email]["status"]) == ("owner", "active")
    assert name(ben.email.upper(), owner.organization)[1].endswith("already.\n")
    for email, organization in ((ben.email, "Elsewhere"), ("nobody@x.example", owner.organization)):
        code, said = name(email, organization)
        assert code != 0
        assert "is not in an organization called" in said


def test_docs_name_the_command() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/team.md"
    assert "truesend user owner --email" in page.read_text(encoding="utf-8")
