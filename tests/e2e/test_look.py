"""Every page, empty, full and failing, in both themes and at both widths: nothing axe would complain about, nothing
wider than the window, nothing on the console."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page
from tests.e2e.pages import axe, complaints, overflow, window
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser

SIZES = {"wide": (1280, 860), "phone": (390, 844)}
# The theme changes nothing but colours, so two looks get all rules and two the one about contrast.
LOOKS: list[tuple[str, Literal["light", "dark"], str | None]] = [
    ("wide", "light", None),
    ("phone", "dark", None),
    ("wide", "dark", "color-contrast"),
    ("phone", "light", "color-contrast"),
]
# A folder for pictures of every page, for people; unset: none are made.
PICTURES = os.environ.get("LOOK_PICTURES")


@dataclass
class Room:
    """A person and the pages worth looking at in their state."""

    name: str
    person: Person | None
    paths: dict[str, str]


@pytest.fixture(scope="module")
def rooms(stack: Stack) -> dict[str, Room]:
    inviting = stack.verified("ana", f"Inviting {stack.person().email}")
    invite = re.search(
        r"/invite/[\w-]{43}", inviting.post("/users/invite", {"how": "link", "role": "user"}).text
    )
    assert invite
    outside = {
        "invite": invite[0],
        "invite-gone": "/invite/nothing",
        "login": "/login",
        "signup": "/signup",
        "reset": "/password/reset",
        "forged": "/oauth/google/callback?state=x",
    }
    empty = {
        "emails": "/emails",
        "integration": "/integration",
        "compose": "/emails/new",
        "account": "/account",
        "users": "/users",
        "export": "/account/export",
        "account-delete": "/account/delete",
        "missing": "/nowhere",
    }
    return {
        "outside": Room("outside", None, outside),
        "empty": Room("empty", stack.person(), empty),
        "full": _full(stack),
        "failing": _failing(stack),
        "waiting": _waiting(stack),
        "asking": _asking(stack),
        "team": _team(stack),
        "teammate": _teammate(stack),
    }


def _full(stack: Stack) -> Room:
    ana = stack.person()
    connection = ana.connect()
    sent = ana.send(connection["id"], subject="Proposal, second version")
    delivery = ana.email_when(sent["id"], "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.act(message["id"], "scan", as_="safelinks")
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "open", as_="gmail")
    stack.sandbox.act(message["id"], "click", as_="browser")
    ana.signals(sent["id"], 2)
    ana.post("/account/tokens", {"name": "nightly report"})
    return Room(
        "full",
        ana,
        {
            "emails": "/emails",
            "nothing-found": "/emails?q=nobody",
            "email": f"/emails/{sent['id']}",
            "integration": f"/integration?connected={connection['id']}",
            "disconnect": f"/connections/{connection['id']}/disconnect",
            "share": f"/connections/{connection['id']}/share",
            "reset": f"/connections/{connection['id']}/reset",
            "read": f"/connections/{connection['id']}/read",
            "ledger": f"/connections/{connection['id']}/ledger",
            "dead-ends": "/oauth/google/pages",
            "dead-ends-admin": "/oauth/microsoft/pages",
            "compose": "/emails/new",
            "account": "/account",
            "organization": "/settings/organization",
            "organization-delete": "/settings/organization/delete",
            "audit": "/settings/audit",
            "audit-nothing": "/settings/audit?q=nobody",
        },
    )


def _failing(stack: Stack) -> Room:
    ben = stack.person("a-rather-long-name-of-a-person-in-a-department")
    connection = ben.connect()
    stack.sandbox.fault("any", "revoke_grant", account=ben.email)
    sent = ben.send(connection["id"], subject="Welcome-aboard-without-any-place-to-break-the-line-" * 2)
    ben.email_when(sent["id"], ("held", "failed"))
    stack.sandbox.consent(ben.email, decision="deny")
    assert "cause=consent_denied" in ben.get("/oauth/google/start?capabilities=send").url
    return Room(
        "failing",
        ben,
        {
            "emails": "/emails",
            "email": f"/emails/{sent['id']}",
            "integration": "/integration?cause=consent_denied&provider=google",
            "compose": "/emails/new",
        },
    )


def _asking(stack: Stack) -> Room:
    """Somebody whose role does not allow what would help."""
    owner = stack.person(organization=f"Asking {stack.person().email}")
    dan = stack.member_of(owner)
    shared = owner.connect(f"sales-{owner.email}", "capabilities=send&kind=organization")
    stack.sandbox.fault("any", "revoke_grant", account=shared["address"], times=1)
    owner.api("POST", f"connections/{shared['id']}/verify")
    return Room(
        "asking",
        dan,
        {
            "integration": "/integration",
            "ask": f"/connections/{shared['id']}/ask",
            "ask-to-connect": "/oauth/google/ask",
            "refused": f"/connections/{shared['id']}/disconnect",
            "account": "/account",
            "organization": "/settings/organization",
        },
    )


def _team(stack: Stack) -> Room:
    """An owner's team: some of every kind, invitations of every kind, and what is asked before something ends."""
    owner = stack.verified("ana", f"Team {stack.person().email}")
    ben = stack.member_of(owner, "manager")
    ben.post("/account", {"name": "Ben Ito"})
    ben.connect()
    off = stack.verified("a-rather-long-name-of-a-person-in-a-department", owner.organization, "user")
    ids = {one["email"]: one["id"] for one in owner.api("GET", "members").json()["items"]}
    owner.post(f"/users/{ids[off.email]}/deactivate")
    owner.post("/users/invite", {"how": "mail", "email": "ines@globex.example", "role": "manager"})
    page = owner.post("/users/invite", {"how": "link", "role": "user"})
    link = re.search(r"/invite/[\w-]{43}", page.text)
    assert link, page.text
    one = f"/users/{ids[ben.email]}"
    paths = {
        f"member-{act or 'page'}": f"{one}/{act}".rstrip("/") for act in ("", "owner", "deactivate", "remove")
    }
    paths["leave"] = f"/users/{ids[owner.email]}/remove"
    return Room("team", owner, {"users": "/users", **paths})


def _teammate(stack: Stack) -> Room:
    """What a user sees of it."""
    owner = stack.verified("ana", f"Teammates {stack.person().email}")
    dan = stack.member_of(owner)
    ids = {one["email"]: one["id"] for one in owner.api("GET", "members").json()["items"]}
    return Room(
        "teammate",
        dan,
        {"users": "/users", "self": f"/users/{ids[dan.email]}", "refused": f"/users/{ids[owner.email]}"},
    )


def _waiting(stack: Stack) -> Room:
    """Emails that go by themselves, that are to be undone, and that were stopped."""
    cleo = stack.person()
    connection = cleo.connect()
    stopped = cleo.send(connection["id"], undo_seconds=3600)["id"]
    assert cleo.api("POST", f"emails/{stopped}/cancel").ok
    undo = cleo.send(connection["id"], undo_seconds=3600)["id"]
    stack.sandbox.fault("send", "daily_limit", account=cleo.email)
    people = [
        "Ines Moreau <ines@globex.example>",
        "a-rather-long-address@a-rather-long-domain.globex.example",
    ]
    held = cleo.send(connection["id"], to=people, separate_copies=True)["id"]
    cleo.email_when(held, "held")
    named = {"held": held, "undo": undo, "stopped": stopped}
    return Room(
        "waiting", cleo, {"emails": "/emails", **{name: f"/emails/{one}" for name, one in named.items()}}
    )


@pytest.mark.parametrize(
    "room", ["outside", "empty", "full", "failing", "waiting", "asking", "team", "teammate"]
)
def test_pages_please_axe_and_fit(chromium: Browser, stack: Stack, rooms: dict[str, Room], room: str) -> None:
    shown = rooms[room]
    faults: list[str] = []
    with window(chromium, shown.person) as context:
        for name, path in shown.paths.items():
            page = context.new_page()
            heard = complaints(page)
            page.goto(stack.url + path)
            page.evaluate("document.fonts.ready")
            for size, theme, only in LOOKS:
                width, height = SIZES[size]
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.wait_for_timeout(30)  # the frame in which the colours change
                here = f"{name} {size} {theme}"
                faults += [f"{here}: {fault}" for fault in axe(page, only)]
                if overflow(page):
                    faults.append(f"{here}: {overflow(page)} px wider than the window")
                _picture(page, f"{room}-{name}-{theme}-{size}")
            # A page that is answered with an error status is one line on the console by itself.
            faults += [f"{name}: {one}" for one in heard if not re.search(r"status of 40[034]", one)]
            page.close()
    assert faults == []


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_names_that_people_and_scripts_hold_on_to(
    chromium: Browser, stack: Stack, rooms: dict[str, Room]
) -> None:
    with window(chromium, rooms["empty"].person) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        assert page.get_by_role("button", name="Connect Google", exact=True).is_visible()
        assert page.get_by_role("link", name="Open your sandbox mailbox").is_visible()
        page.goto(f"{stack.url}/emails/new")
        assert page.get_by_role("button", name="Send", exact=True).is_visible()
        assert page.get_by_label("To", exact=True).is_visible()
        assert page.get_by_label("Subject").is_visible()
        assert page.get_by_role("textbox", name="Message").is_visible()
    with window(chromium, rooms["full"].person) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        for name in ("Verify now", "Send me a test email", "Disconnect"):
            assert page.get_by_role("button", name=name, exact=True).count() == 1, name
        page.get_by_role("button", name="Disconnect", exact=True).click()
        page.get_by_role("button", name="Keep it", exact=True).click()
        assert page.url.split("?")[0] == f"{stack.url}/integration"
    with window(chromium, rooms["failing"].person) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/integration")
        card = page.get_by_role("article")
        assert card.get_by_role("button", name="Reconnect", exact=True).is_visible()


def test_a_chosen_theme_stays_and_is_there_from_the_first_byte(
    chromium: Browser, stack: Stack, rooms: dict[str, Room]
) -> None:
    with window(chromium, rooms["empty"].person, color_scheme="light") as context:
        page = context.new_page()
        page.goto(f"{stack.url}/account")
        page.get_by_text("Dark", exact=True).click()
        answer = page.goto(f"{stack.url}/emails")
        assert answer is not None
        assert '<html lang="en" data-theme="dark">' in answer.text()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"


def test_the_keyboard_alone_reaches_compose(chromium: Browser, stack: Stack, rooms: dict[str, Room]) -> None:
    with window(chromium, rooms["full"].person) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "search"
