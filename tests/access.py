"""Every page and call there is, asked by everybody who could ask: what each gets stands in `docs/access.md`.

In this process, on rows, each request in a transaction that is rolled back: every one of them finds the same world.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client
from tests.copies import Copy, email_of, mailbox
from tests.routes import API, DRAFTS, NAMED, OPEN, OWN

from truesend import clock
from truesend.blocklist.models import Block
from truesend.connections.models import Connection, Token
from truesend.connections.secretbox import seal
from truesend.exports.models import Export
from truesend.organizations import access, invitations
from truesend.organizations.models import ApiToken, Member, Organization, Role, User
from truesend.organizations.session_models import SignedIn
from truesend.providers.contract import Capability
from truesend.sending.models import Attachment, AttachmentPiece, Email
from truesend.suppression.models import Suppression
from truesend.tracking.models import Signal
from truesend.writing.models import Template

PAGE = Path(__file__).resolve().parents[1] / "docs/access.md"
NOBODY, STRANGER, USER, MANAGER, OWNER, INACTIVE = COLUMNS = (
    "nobody",
    "stranger",
    "user",
    "manager",
    "owner",
    "inactive",
)
SIGN_IN = "sign in"
HOST = "localhost:8000"
# Whose rows a route is tried with; the first that its parameters name.
KINDS: dict[str, tuple[str, ...]] = {
    "connection_id": ("own", "shared", "another’s"),
    "template_id": ("own", "shared", "another’s"),
    "member_id": ("oneself", "a user", "an owner"),
    "invitation_id": ("of a user", "of a manager"),
    "row_id": ("the team’s",),
    "address": ("the team’s",),
    "block_id": ("the operator’s",),
}
_OWNED = ("own", "another’s")
# Forms and bodies that would do something, where their fields decide who may.
FORMS: dict[str, dict[str, str]] = {
    "users/invite": {"how": "link", "role": "user"},
    "users/<uuid:member_id>/role": {"role": "manager"},
    "settings/suppression": {"address": "new@globex.example"},
    "settings/suppression/footer": {"text": "Northwind, Bergen"},
    "account": {"name": "Somebody"},
    "account/tokens": {"name": "script"},
    "account/export": {"scope": "organization"},
    "account/billing/checkout": {"tier": "business"},
    "account/second-factor/required": {"required": "on"},
    "templates/new": {"kind": "template", "name": "A new one", "text": "Hello"},
    "templates/<uuid:template_id>": {
        "kind": "template",
        "name": "Another name",
        "text": "Hello",
        "revision": "1",
    },
    "deliveries/<uuid:delivery_id>/resolve": {"outcome": "sent"},
    "emails/drafts/<uuid:email_id>/send": {
        "subject": "Hello",
        "html": "<p>Hello</p>",
        "to": "a@globex.example",
        "connection": "{connection_id}",
    },
    "emails/recipients": {"to": "a@globex.example"},
}
QUERIES = {
    "oauth/<str:provider>/start": "?capabilities=send&kind=organization",
    "connections/<uuid:connection_id>/part": "?shape=card",
    "emails/held/<uuid:connection_id>": "?cause=overdue",
}
# Rows in the state that a call is about, where the usual one is not.
STATES: dict[str, dict[str, str]] = {
    "templates/<uuid:template_id>/restore": {"template_id": "deleted_id"},
    "deliveries/<uuid:delivery_id>/resolve": {"delivery_id": "unknown_id"},
    "deliveries/{delivery_id}/resolve": {"delivery_id": "unknown_id"},
    "emails/<uuid:email_id>/copies": {"email_id": "many_id"},
    **{route: {"email_id": "draft_id"} for route in DRAFTS},
    **{
        f"emails/{name}/{act}": {"email_id": which}
        for name in ("<uuid:email_id>", "{email_id}")
        for act, which in {
            "cancel": "scheduled_id",
            "pause": "scheduled_id",
            "reschedule": "scheduled_id",
            "edit": "scheduled_id",
            "undo": "scheduled_id",
            "resume": "paused_id",
            "release": "held_id",
        }.items()
    },
}
AUTOSAVE = "emails/drafts/<uuid:email_id>"
DRAFT = {"to": ["a@globex.example"], "subject": "Hello", "html": "<p>Hello</p>"}
BODIES: dict[str, dict[str, object]] = {
    "POST deliveries/{delivery_id}/resolve": {"outcome": "sent", "resend": False},
    "POST emails/{email_id}/reschedule": {"send_at": "2099-01-01T00:00:00Z"},
    "POST suppressions": {"address": "new@globex.example"},
}
# Routes that are a pattern, and what is asked of them.
PATHS = {
    r"^confirm-email/(?P<key>[-:\w]+)$": "confirm-email/nothing",
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$": "password/reset/key/1-nothing",
}
_PASSWORD = make_password("correct-horse-9")
_PLAIN = {"token": "nothing", "provider": "google", "pk": "1"}


@dataclass(frozen=True)
class Call:
    """A request: ``kind`` says whose rows its parameters name."""

    method: str
    route: str
    kind: str = ""
    is_api: bool = False


def calls() -> list[Call]:
    """Every one, from `tests/routes.py`, which is held to the URL table and to the API's description."""
    pages = [(method, route) for route in OPEN for method in ("GET", "POST")]
    pages += [(method, route) for route, methods in OWN.items() for method in methods]
    pages += [(method, route) for route, cases in NAMED.items() for method, _ in cases]
    pages += [(method, route) for route, method in DRAFTS.items()]
    told = [(method, route) for method, route in (one.split(" ") for one in API)]
    return [
        Call(method, route, kind, is_api)
        for is_api, found in ((False, pages), (True, told))
        for method, route in sorted(found, key=lambda one: one[::-1])
        for kind in _kinds(route)
    ]


def _kinds(route: str) -> tuple[str, ...]:
    named = [one for one in _names(route) if one not in _PLAIN]
    if not named or route in PATHS:
        return ("",)
    return KINDS.get(named[0], _OWNED)


def _names(route: str) -> list[str]:
    return [one[0] or one[1] for one in re.findall(r"<\w+:(\w+)>|\{(\w+)\}", route)]


@dataclass
class Things:
    """What somebody has."""

    member: Member
    ids: dict[str, str]
    bearer: str


@dataclass
class World:
    """A team with one of each role and another user, and somebody of another organization."""

    team: Organization
    people: dict[str, Things]
    shared: dict[str, str]
    rest: dict[str, dict[str, str]] = field(default_factory=dict)

    def ids(self, column: str, kind: str) -> dict[str, str]:
        """What the parameters are filled with."""
        who = {NOBODY: USER, STRANGER: USER, INACTIVE: OWNER}.get(column, column)
        own, other = self.people[who].ids, self.people["another"].ids
        chosen = {"shared": {**own, **self.shared}, "another’s": other}.get(kind, own)
        return {**_PLAIN, **chosen, **self.rest.get(kind, {})}


def world() -> World:
    """Made anew for a test."""
    team, elsewhere = (
        Organization.objects.create(name="Northwind"),
        Organization.objects.create(name="Elsewhere"),
    )
    people = {
        OWNER: _things(team, "ana", Role.OWNER),
        MANAGER: _things(team, "mia", Role.MANAGER),
        USER: _things(team, "ben", Role.USER),
        "another": _things(team, "dora", Role.USER),
        "another owner": _things(team, "olga", Role.OWNER),
        STRANGER: _things(elsewhere, "eve", Role.OWNER),
    }
    owner = people[OWNER].member
    shared = {
        "connection_id": str(_mailbox(owner, "organization").pk),
        "template_id": str(_template(owner, shared=True).pk),
        "deleted_id": str(_template(owner, shared=True, deleted_at=clock.now()).pk),
    }
    suppressed = Suppression.objects.create(
        organization=team, key="board@globex.example", domain="globex.example", address="board@globex.example",
        reason="by_hand",
    )  # fmt: skip
    block = Block.objects.create(kind=Block.Kind.HOST, value="bad.example", reason="Phishing")
    invited = {role: str(invitations.invite(owner, role).invitation.pk) for role in ("user", "manager")}
    rest = {
        "a user": {"member_id": str(people["another"].member.pk)},
        "an owner": {"member_id": str(people["another owner"].member.pk)},
        "of a user": {"invitation_id": invited["user"]},
        "of a manager": {"invitation_id": invited["manager"]},
        "the team’s": {"row_id": str(suppressed.pk), "address": suppressed.address},
        "the operator’s": {"block_id": str(block.pk)},
    }
    return World(team, people, shared, rest)


def _things(organization: Organization, name: str, role: Role) -> Things:
    user = User(email=f"{name}@{organization.name.lower()}.example", password=_PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    member = Member.objects.create(organization=organization, user=user, role=role)
    box = _mailbox(member)
    email = email_of(member, box, Copy("accepted"))
    delivery = email.deliveries.get()
    waiting = {
        "scheduled_id": email_of(member, box, Copy("queued", due=86_400)),
        "paused_id": email_of(member, box, Copy("queued", held="paused")),
        "held_id": email_of(member, box, Copy("queued", held="overdue")),
        "many_id": email_of(member, box, *[Copy("accepted")] * 3),
    }
    unsure = email_of(member, box, Copy("unknown"))
    signal = Signal.objects.create(
        organization=organization.pk, email=email.pk, delivery=delivery.pk, kind="open", klass="person",
        confidence=0.9, at=clock.now(), changed_at=clock.now(),
    )  # fmt: skip
    draft = Email.objects.create(
        organization=organization,
        member=member,
        connection=box,
        status="draft",
        subject="Hello",
        html="<p>x</p>",
    )
    file = Attachment.objects.create(email=draft, position=0, name="a.txt", content_type="text/plain", size=1)
    AttachmentPiece.objects.create(attachment=file, position=0, content=b"x")
    bearer = access.create_token(member, "script")
    ids = {
        "connection_id": box.pk,
        "email_id": email.pk,
        "draft_id": draft.pk,
        "delivery_id": delivery.pk,
        "signal_id": signal.pk,
        "attachment_id": file.pk,
        "template_id": _template(member, shared=False).pk,
        "deleted_id": _template(member, shared=False, deleted_at=clock.now()).pk,
        "unknown_id": unsure.deliveries.get().pk,
        **{name: one.pk for name, one in waiting.items()},
        "token_id": ApiToken.objects.get(member=member).pk,
        "member_id": member.pk,
        "export_id": Export.objects.create(organization=organization, member=member, scope="member").pk,
        "row_number": SignedIn.objects.create(user=user, session_key=uuid4().hex).pk,
    }
    return Things(member, {name: str(value) for name, value in ids.items()}, bearer)


def _mailbox(member: Member, kind: str = "personal") -> Connection:
    box = mailbox(member, [Capability.SEND], kind)
    Connection.objects.filter(pk=box.pk).update(address=member.user.email)
    # A renewal is a transaction of its own, and has no place in one that is rolled back.
    Token.objects.filter(pk=box.pk).update(
        access=seal("a", place=f"token.access:{box.pk}"), access_expires_at=clock.now() + timedelta(hours=9)
    )
    return box


def _template(member: Member, **fields: object) -> Template:
    given = {"organization": member.organization, "member": member, "kind": "template", "name": str(uuid4())}
    return Template.objects.create(**given, **fields)


class Asker:
    """Somebody who asks everything."""

    def __init__(self, world: World, column: str) -> None:
        self.world, self.column = world, column
        self.things = world.people.get(OWNER if column == INACTIVE else column)
        self.client = Client(headers={"host": HOST}, raise_request_exception=False)
        if self.things is not None:
            self.client.force_login(self.things.member.user)

    def ask(self, call: Call) -> tuple[str, bytes]:
        """The cell of the table, and what was shown; nothing of what it does stays."""
        ids = self.world.ids(self.column, call.kind)
        ids = {**ids, **{name: ids[which] for name, which in STATES.get(call.route, {}).items()}}
        path = re.sub(
            r"<\w+:(\w+)>|\{(\w+)\}", lambda m: ids[m[1] or m[2]], PATHS.get(call.route, call.route)
        )
        with transaction.atomic():
            answer = self._called(call, path) if call.is_api else self._opened(call, path)
            transaction.set_rollback(True)
        return told(answer), b"".join(answer.streaming_content) if answer.streaming else answer.content

    def _opened(self, call: Call, path: str) -> Any:
        url = f"/{path}{QUERIES.get(call.route, '')}"
        ids = self.world.ids(self.column, "")
        fields = {name: value.format(**ids) for name, value in FORMS.get(call.route, {}).items()}
        # A session that ends is another's again.
        kept = copy(self.client.cookies)
        if call.method == "GET":
            answer = self.client.get(url)
        elif call.route == AUTOSAVE:
            answer = self.client.post(url, {"subject": "Hello", "to": "a@globex.example"}, "application/json")
        else:
            answer = self.client.post(url, fields)
        self.client.cookies = kept
        return answer

    def _called(self, call: Call, path: str) -> Any:
        headers = {"authorization": f"Bearer {self.things.bearer}"} if self.things is not None else {}
        operation = f"{call.method} {call.route}"
        ids = self.world.ids(self.column, "")
        draft = {**DRAFT, "connection": ids["connection_id"]}
        body = draft if operation in {"POST emails", "POST readiness"} else BODIES.get(operation)
        return self.client.generic(
            call.method,
            f"/api/v1/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers=headers,
        )


def told(answer: Any) -> str:
    """A cell of the table."""
    if answer.status_code == 302 and answer["Location"].startswith("/login"):
        return SIGN_IN
    return str(answer.status_code)


# -- the page -----------------------------------------------------------------------------------------------------

HEAD = """# Who gets what

Every page and call of the API, asked by everybody who could ask, with the answer each gets. A test asks them all and
holds the table (`tests/integration/test_access_matrix.py`); a route without a row fails it.

- *nobody*: not signed in, or without a token. *stranger*: an owner of another organization, who asks for a row of this
  one. *user*, *manager*, *owner*: by role ([roles.md](roles.md)); whoever is refused (403) is told who can.
  *inactive*: the owner, where the account is inactive ([billing.md](billing.md)).
- *whose*: the row that the address names is one's own, shared with everybody, a colleague's, or of a role.
- *sign in*: led to the sign-in page. 302: led to another page, which says what was done, or why nothing was. 400 and
  422: heard, and asked for more than the test sent. 409: heard, and not possible as things stand.
- A row of another organization is 404, as if it were not there. The id of a draft is made by the browser, so an unknown
  one is a new draft: a stranger gets an empty page, and changes nothing.
- Operators of an installation are no role of an organization: without being one, everybody is refused at their pages.

| method | route | whose | nobody | stranger | user | manager | owner | inactive |
|---|---|---|---|---|---|---|---|---|
"""


def line(call: Call, cells: dict[str, str]) -> str:
    """A row of the table."""
    route = ("/api/v1/" if call.is_api else "/") + PATHS.get(call.route, call.route)
    shown = re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    return f"| {call.method} | `{shown}` | {call.kind} | {' | '.join(cells[one] for one in COLUMNS)} |"


def table() -> dict[str, dict[str, str]]:
    """What the page says, by the first three cells of a row."""
    return dict(_rows(PAGE.read_text(encoding="utf-8")))


def _rows(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for one in text.splitlines():
        cells = [cell.strip() for cell in one.strip("|").split("|")]
        if one.startswith("| ") and cells[0].isupper():
            yield " ".join(cells[:3]), dict(zip(COLUMNS, cells[3:], strict=True))


def key(call: Call) -> str:
    """As :func:`table` names it."""
    return " ".join(one.strip() for one in line(call, dict.fromkeys(COLUMNS, "")).strip("|").split("|")[:3])
