"""Who may do what: every route is tried by a stranger, by a colleague without the role, and by nobody at all.

The routes come from Django's resolver and the API's own description, so that a new one without a case fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.urls import URLPattern, URLResolver, get_resolver
from tests.operators import blocked
from tests.routes import API, DRAFTS, HOLDERS, NAMED, OPEN, OWN, SEEN
from tests.stack import Person, Stack

from truesend.api import api

SECRET = "Salary of the board"
SUPPRESSED = "board@northwind.example"
# What a person may say of a delivery that is unknown.
RESOLVED = {"outcome": "sent", "resend": False}
# Whose passkey is whose is tried in test_second_factor.py.
NO_FACTOR = "1"
LATER = {"send_at": "2099-01-01T00:00:00Z"}
BODIES = {
    "POST deliveries/{delivery_id}/resolve": RESOLVED,
    "POST emails/{email_id}/reschedule": LATER,
}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every page's route as the URL table writes it; the API's are in its own description."""
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            if not route.startswith("api/"):
                yield from routes(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route


def operations() -> set[str]:
    schema = api.get_openapi_schema(path_prefix="")
    return {f"{method.upper()} {path}" for path, found in schema["paths"].items() for method in found}


def test_every_page_has_a_case() -> None:
    found = set(routes(get_resolver().url_patterns))
    assert found == OPEN | OWN.keys() | NAMED.keys() | DRAFTS.keys()


def test_every_operation_of_the_api_has_a_case() -> None:
    assert {one.replace(" /", " ") for one in operations()} == API


@dataclass
class World:
    """An owner with things of her own, a colleague, and a stranger."""

    owner: Person
    colleague: Person
    stranger: Person
    personal: str
    shared: str
    email: str
    delivery: str
    draft: str
    file: str
    token: str
    signal: str
    block: str
    suppressed: str
    template: str
    member: str
    invitation: str
    export: str

    def ids(self, connection: str = "") -> dict[str, str]:
        return {
            "connection_id": connection or self.personal,
            "email_id": self.email,
            "delivery_id": self.delivery,
            "token_id": self.token,
            "attachment_id": self.file,
            "signal_id": self.signal,
            "block_id": self.block,
            "row_id": self.suppressed,
            "pk": NO_FACTOR,
            "row_number": NO_FACTOR,
            "address": SUPPRESSED,
            "template_id": self.template,
            "member_id": self.member,
            "invitation_id": self.invitation,
            "export_id": self.export,
            "provider": "google",
        }


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    owner = stack.verified("ana", f"Tenants {uuid4()}")
    colleague = stack.member_of(owner, "user")
    stranger = stack.person("eve", "Elsewhere")
    personal = owner.connect()["id"]
    shared = owner.connect(f"shared-{owner.email}", "capabilities=send&kind=organization")["id"]
    email = owner.send(personal, subject=SECRET)["id"]
    delivery = owner.email_when(email, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "click", as_="browser")
    (signal,) = owner.signals(email, 1)
    draft = str(uuid4())
    saved = owner.jar.post(
        f"{stack.url}/emails/drafts/{draft}",
        json={"subject": SECRET, "html": "<p>x</p>", "to": "a@b.example"},
        headers={"X-CSRFToken": owner.jar.cookies["csrftoken"]},
        timeout=30,
    )
    assert saved.status_code == 200, saved.text
    attached = owner.jar.post(
        f"{stack.url}/emails/drafts/{draft}/attachments",
        data=SECRET.encode(),
        headers={"X-CSRFToken": owner.jar.cookies["csrftoken"], "X-File-Name": "board.txt"},
        timeout=30,
    )
    assert attached.status_code == 201, attached.text
    assert owner.bearer
    found = re.search(r"/account/tokens/([0-9a-f-]{36})/revoke", owner.get("/account").text)
    assert found
    ids = (personal, shared, email, delivery, draft, attached.json()["id"], found[1], signal["id"])
    assert owner.api("POST", "suppressions", {"address": SUPPRESSED}).status_code == 201
    listed = re.search(
        r"/settings/suppression/([0-9a-f-]{36})/allow", owner.get("/settings/suppression").text
    )
    assert listed
    owner.post("/templates/new", {"kind": "template", "name": SECRET, "text": SECRET})
    written = re.search(r'href="/templates/([0-9a-f-]{36})"', owner.get("/templates").text)
    assert written
    team = owner.post("/users/invite", {"how": "link", "role": "user"}).text
    people = owner.api("GET", "members").json()["items"]
    member = next(one["id"] for one in people if one["email"] == colleague.email)
    invitation = re.search(r"/users/invitations/([0-9a-f-]{36})/revoke", team)
    assert invitation, team
    owner.post("/account/export", {"scope": "member"})
    asked = re.search(r"/account/export/([0-9a-f-]{36})/delete", owner.get("/account/export").text)
    assert asked
    rest = (listed[1], written[1], member, invitation[1], asked[1])
    return World(owner, colleague, stranger, *ids, blocked(stack, "board.example"), *rest)


def filled(route: str, ids: dict[str, str]) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>|\{(\w+)\}", lambda m: ids[m[1] or m[2]], route)


def call(person: Person, method: str, path: str, **options: Any) -> requests.Response:
    if method == "GET":
        return person.get(path, allow_redirects=False, **options)
    return person.post(path, allow_redirects=False, **options)


def as_it_was(world: World) -> None:
    """Nothing a refused person pressed has done anything."""
    for connection in (world.personal, world.shared):
        assert world.owner.connection(connection)["verdict"] in {"unproven", "working"}
    assert world.owner.api("GET", f"emails/{world.email}").json()["status"] == "sent"
    assert [one["struck"] for one in world.owner.signals(world.email, 1)] == [False]
    assert SECRET in world.owner.get(f"/emails/new?draft={world.draft}").text
    assert world.owner.get(f"/emails/{world.draft}/attachments/{world.file}").text == SECRET
    assert [one["address"] for one in world.owner.api("GET", "suppressions").json()["items"]] == [SUPPRESSED]
    assert SECRET in world.owner.get(f"/templates/{world.template}").text
    people = {one["email"]: one for one in world.owner.api("GET", "members").json()["items"]}
    assert (people[world.colleague.email]["role"], people[world.colleague.email]["status"]) == (
        "user",
        "active",
    )
    assert f"/users/invitations/{world.invitation}/revoke" in world.owner.get("/users").text
    assert world.export in world.owner.get("/account/export").text


@pytest.mark.parametrize("route", NAMED)
def test_a_stranger_finds_nothing(world: World, route: str) -> None:
    for connection in (world.personal, world.shared):
        for method, status in NAMED[route]:
            answer = call(world.stranger, method, filled(route, world.ids(connection)))
            assert answer.status_code == status, (method, route, answer.status_code)
            nobodys = {
                **dict.fromkeys(world.ids(), str(uuid4())),
                "signal_id": str(2**62),
                "pk": str(2**30),
                "row_number": str(2**30),
            }
            nothing = call(world.stranger, method, filled(route, nobodys))
            # Not told apart from what does not exist.
            assert (answer.status_code, _plain(answer)) == (nothing.status_code, _plain(nothing))
            assert SECRET not in answer.text
            assert world.owner.email not in answer.text
    as_it_was(world)


def _plain(answer: requests.Response) -> str:
    """A page without what differs from one load to the next."""
    return re.sub(r'value="\w{64}"|content="[^"]*"|data-now="[^"]*"', "", answer.text)


@pytest.mark.parametrize("route", DRAFTS)
def test_a_stranger_sees_and_changes_no_draft(world: World, route: str) -> None:
    path = filled(route, {"email_id": world.draft, "attachment_id": world.file})
    for person in (world.stranger, world.colleague):
        person.get("/login")
        if DRAFTS[route] == "GET":
            answer = person.get(path)
        else:
            answer = person.jar.post(
                person.stack.url + path,
                data={"subject": "mine now", "csrfmiddlewaretoken": person.jar.cookies["csrftoken"]},
                headers={"X-CSRFToken": person.jar.cookies["csrftoken"]},
                timeout=30,
            )
        assert answer.status_code == 404 if "attachment_id" in route else answer.status_code < 500
        assert SECRET not in answer.text
    as_it_was(world)


@pytest.mark.parametrize("operation", sorted(API))
def test_a_stranger_finds_nothing_by_the_api(world: World, operation: str) -> None:
    method, path = operation.split(" ")
    for connection in (world.personal, world.shared):
        draft = {"connection": connection, "to": ["a@b.example"], "subject": "x", "html": "x"}
        bodies: dict[str, object] = {"POST readiness": draft, "POST emails": draft}
        body = BODIES.get(operation) or bodies.get(operation)
        answer = world.stranger.api(method, filled(path, world.ids(connection))[1:], body)
        assert world.owner.email not in answer.text
        assert SECRET not in answer.text
        if "{" in path:
            assert answer.status_code == 404
            assert answer.json()["code"] == "not_found"
        elif body is draft:
            assert answer.status_code == (200 if operation == "POST readiness" else 409)
            gates = {gate["name"]: gate["cause"] for gate in answer.json()["gates"]}
            assert gates["connection"] == "connection_missing"
        elif operation == "POST suppressions":
            assert answer.status_code == 422  # of one's own list only; see test_suppression_api.py
        elif operation == "GET members":
            assert [one["email"] for one in answer.json()["items"]] == [world.stranger.email]
        elif operation != "GET me":
            assert answer.json()["items"] == []
    as_it_was(world)


def test_signed_out(world: World, stack: Stack) -> None:
    """Of every page; what everybody else gets stands in docs/access.md."""
    nobody = Person(stack, "", "")
    cases = [(method, route) for route, methods in OWN.items() for method in methods]
    cases += [(method, route) for route, found in NAMED.items() for method, _ in found]
    cases += [(method, route) for route, method in DRAFTS.items()]
    for method, route in cases:
        answer = call(nobody, method, filled(route, world.ids()))
        assert answer.status_code in {302, 401}, (method, route, answer.status_code)
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith(("/login", f"{stack.url}/login")), answer.headers
        assert SECRET not in answer.text
    as_it_was(world)


@pytest.mark.parametrize("operation", sorted(API))
def test_no_token_no_answer(world: World, stack: Stack, operation: str) -> None:
    method, path = operation.split(" ")
    url = f"{stack.url}/api/v1{filled(path, world.ids())}"
    # A session is none either: a page of somebody else's could use it unasked.
    for cookies in ({}, world.owner.jar.cookies.get_dict()):
        answer = requests.request(method, url, json={}, cookies=cookies, timeout=30)
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert SECRET not in answer.text


FORMS = [
    *(route for route, methods in OWN.items() if "POST" in methods),
    *(route for route, cases in NAMED.items() if any(method == "POST" for method, _ in cases)),
    *(route for route, method in DRAFTS.items() if method == "POST"),
    *("login", "signup", "password/reset"),
]


def test_no_form_works_without_its_csrf_field(world: World) -> None:
    for route in FORMS:
        for token in ("", "x" * 64):
            answer = world.owner.jar.post(
                world.owner.stack.url + filled(route, world.ids()),
                data={"csrfmiddlewaretoken": token},
                headers={"Origin": "https://evil.example"} if token else {},
                allow_redirects=False,
                timeout=30,
            )
            assert answer.status_code == 403, (route, answer.status_code)
            assert "<h1>" in answer.text
    as_it_was(world)


# What whoever manages a connection does to it.
CHANGED = {one for one in NAMED if one.startswith("connections/")} - SEEN - HOLDERS


@pytest.mark.parametrize("route", sorted(SEEN))
def test_a_colleague_sees_what_becomes_of_a_shared_connection(world: World, route: str) -> None:
    assert call(world.colleague, "GET", filled(route, world.ids()) + "?shape=card").status_code == 404
    answer = call(world.colleague, "GET", filled(route, world.ids(world.shared)) + "?shape=card")
    assert answer.status_code == 200


@pytest.mark.parametrize("route", sorted(CHANGED))
def test_a_colleague_finds_no_mailbox_of_another_and_cannot_manage_a_shared_one(
    world: World, route: str
) -> None:
    for method, _ in NAMED[route]:
        assert call(world.colleague, method, filled(route, world.ids())).status_code == 404
        answer = call(world.colleague, method, filled(route, world.ids(world.shared)))
        assert answer.status_code == 403
        assert "Only an owner or manager can change a shared connection." in answer.text
        assert world.owner.email in answer.text  # who can
        assert f'action="/connections/{world.shared}/ask"' in answer.text
    as_it_was(world)


@pytest.mark.parametrize("route", sorted(HOLDERS))
def test_nobody_shares_or_takes_back_what_is_not_theirs(world: World, stack: Stack, route: str) -> None:
    manager = stack.member_of(world.owner, "manager")
    for person in (world.colleague, manager):
        for method, _ in NAMED[route]:
            assert call(person, method, filled(route, world.ids())).status_code == 404
            answer = call(person, method, filled(route, world.ids(world.shared)))
            assert answer.status_code == 403
            assert "Only the owner of a mailbox can share it" in answer.text
    as_it_was(world)


# Everybody reads the suppression list; who changes it is tried in test_suppressed_sending.py.
@pytest.mark.parametrize("operation", sorted(one for one in API if "{" in one and "{address}" not in one))
def test_a_colleague_by_the_api(world: World, operation: str) -> None:
    method, path = operation.split(" ")
    body = BODIES.get(operation)
    assert world.colleague.api(method, filled(path, world.ids())[1:], body).status_code == 404
    if "connection_id" in path:
        answer = world.colleague.api(method, filled(path, world.ids(world.shared))[1:])
        assert answer.status_code == (403 if method == "POST" else 200)
        if method == "POST":
            problem = answer.json()
            assert (problem["code"], problem["cause"]) == ("forbidden", "role")
            assert world.owner.email in [one["email"] for one in problem["who"]]
    as_it_was(world)


def test_a_colleague_sends_from_a_shared_connection(world: World) -> None:
    listed = world.colleague.api("GET", "connections").json()["items"]
    assert [(one["id"], one["kind"]) for one in listed] == [(world.shared, "organization")]
    sent = world.colleague.send(world.shared)
    world.colleague.email_when(sent["id"], "sent")
    assert world.owner.api("GET", f"emails/{sent['id']}").status_code == 404  # whose mail is whose
    card = world.colleague.get("/integration").text
    assert "shared with everyone" in card
    assert f"/connections/{world.shared}/disconnect" not in card


@pytest.mark.parametrize("role", ["manager", "user"])
def test_who_may_connect_a_shared_account(world: World, stack: Stack, role: str) -> None:
    person = stack.member_of(world.owner, role)
    answer = person.get("/oauth/google/start?kind=organization", allow_redirects=False)
    assert answer.status_code == (302 if role == "manager" else 403)
    again = person.get(f"/oauth/google/start?connection={world.shared}", allow_redirects=False)
    assert again.status_code == (302 if role == "manager" else 403)
    other = person.get(f"/oauth/google/start?connection={world.personal}", allow_redirects=False)
    assert other.status_code == 404
