"""The whole of Truesend as its users meet it, once per test run: real processes, real HTTP, a person with a browser's
cookie jar and a script with a bearer token."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from tests import few_rounds, figures, prepared, produced, up
from tests.sandbox_process import Sandbox

PASSWORD = "correct-horse-9"
_numbers = itertools.count(1)


@dataclass
class Stack:
    """A running ``truesend up --sandbox``."""

    up: up.Up
    sandbox: Sandbox

    @property
    def url(self) -> str:
        """The web app's address."""
        return self.up.url

    def person(self, name: str = "ana", organization: str = "Northwind", *, signed_up: bool = True) -> Person:
        """Somebody new, signed up unless told otherwise."""
        address = f"{name}{next(_numbers)}-{time.time_ns() // 1000}@northwind.example"
        person = Person(self, address, organization)
        if signed_up:
            person.sign_up()
        return person

    def verified(self, name: str = "ana", organization: str = "Northwind", role: str = "owner") -> Person:
        """Somebody new whose address counts as confirmed, made on the command line and signed in."""
        person = self.person(name, organization, signed_up=False)
        self.up.scene(
            "user", "create", "--email", person.email, "--password", PASSWORD,
            "--organization", organization, "--role", role,
        )  # fmt: skip
        person.sign_in()
        return person

    def member_of(self, other: Person, role: str = "user") -> Person:
        """Another member of the same organization, made on the command line and signed in."""
        return self.verified(role, other.organization, role)


@dataclass
class Person:
    """A member with a cookie jar, and, once asked for, an API token."""

    stack: Stack
    email: str
    organization: str
    jar: requests.Session = field(default_factory=requests.Session)
    _bearer: str = ""

    # -- pages --

    def get(self, path: str, **options: Any) -> requests.Response:
        """A page."""
        return produced.hear(self.jar.get(self.stack.url + path, timeout=30, **options))

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> requests.Response:
        """A form, with its CSRF field."""
        if "csrftoken" not in self.jar.cookies:
            self.get("/login")
        fields = {"csrfmiddlewaretoken": self.jar.cookies["csrftoken"], **(data or {})}
        return produced.hear(self.jar.post(self.stack.url + path, data=fields, timeout=30, **options))

    def sign_up(self) -> None:
        """By the form."""
        fields = {"organization": self.organization, "email": self.email, "password1": PASSWORD}
        answer = self.post("/signup", fields)
        assert answer.status_code == 200, answer.text
        assert answer.url.endswith("/integration"), answer.url

    def sign_in(self) -> None:
        """By the form."""
        answer = self.post("/login", {"login": self.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        assert "/login" not in answer.url, answer.url

    def sign_in_again(self) -> None:
        """With nothing left of what they were."""
        self.jar, self._bearer = requests.Session(), ""
        answer = self.post("/login", {"login": self.email, "password": PASSWORD}, allow_redirects=False)
        assert answer.status_code == 302, answer.text

    def begin_consent(self, query: str = "capabilities=send&kind=personal", provider: str = "google") -> str:
        """Press Connect; the provider's address the browser is sent to."""
        answer = self.get(f"/oauth/{provider}/start?{query}", allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def connect(
        self,
        account: str = "",
        query: str = "capabilities=send&kind=personal",
        provider: str = "google",
        **consent: Any,
    ) -> dict[str, Any]:
        """Connect an account at a provider (made here) and return the connection as the API shows it."""
        account = account or self.email
        self.stack.sandbox.account(account, provider, name="Ana Ruiz")
        self.stack.sandbox.consent(account, provider, **consent)
        answer = self.get(f"/oauth/{provider}/start?{query}")
        assert answer.status_code == 200, answer.text
        connected = parse_qs(urlsplit(answer.url).query)["connected"][0]
        return self.connection(connected)

    # -- API --

    @property
    def bearer(self) -> str:
        """An API token of theirs, made on the account page."""
        if not self._bearer:
            self._bearer = self.token("script")
        return self._bearer

    def token(self, name: str) -> str:
        """Another one; whoever signed in a while ago is asked for the password, and types it."""
        answer = self.post("/account/tokens", {"name": name})
        if urlsplit(answer.url).path == "/reauthenticate":
            answer = self.post("/reauthenticate", {"password": PASSWORD, "next": "/account/tokens"})
        found = re.search(r"\bts_[\w-]{20,}", answer.text)
        assert found, answer.text
        return found[0]

    def api(self, method: str, path: str, json: Any = None, **headers: str) -> requests.Response:
        """A call of `/api/v1`."""
        sent = {
            "Authorization": f"Bearer {self.bearer}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return produced.hear(
            requests.request(method, f"{self.stack.url}/api/v1/{path}", json=json, headers=sent, timeout=30)
        )

    def connection(self, connection_id: str) -> dict[str, Any]:
        """A connection by id."""
        answer = self.api("GET", f"connections/{connection_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def send(self, connection: str, **draft: Any) -> dict[str, Any]:
        """Queue an email."""
        body = {
            "connection": connection,
            "to": ["Ines Moreau <ines@globex.example>"],
            "subject": "Proposal",
            "html": '<p>Hello, <a href="https://example.com/prices">new price list</a></p>',
            **draft,
        }
        answer = self.api("POST", "emails", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def email_when(self, email_id: str, status: str | tuple[str, ...], seconds: float = 20) -> dict[str, Any]:
        """The email once its status is one of ``status``."""
        wanted = (status,) if isinstance(status, str) else status
        found: dict[str, Any] = until(
            lambda: self.api("GET", f"emails/{email_id}").json(), lambda one: one["status"] in wanted, seconds
        )
        return found

    def signals(self, email_id: str, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        """The email's signals once there are ``count``."""
        found: list[dict[str, Any]] = until(
            lambda: self.api("GET", f"emails/{email_id}/signals").json()["items"],
            lambda items: len(items) >= count,
            seconds,
        )
        return found


def until(
    read: Callable[[], Any], good: Callable[[Any], bool], seconds: float, *, steady: bool = False
) -> Any:
    """What ``read`` gives once it is ``good``; fails with the last value. ``seconds`` as the proof has them.

    One looks more and more seldom, unless ``steady``: where each look moves something on, or what is
    looked for passes by.
    """
    seconds = figures.limit(seconds)
    began = time.monotonic()
    while True:
        value = read()
        if good(value):
            return value
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds} s; at last: {value}"
        time.sleep(figures.pause(0 if steady else waited))


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


@contextmanager
def running(data: Path, *, first: bool = False, **options: Any) -> Iterator[Stack]:
    """A stack of one's own, for tests that kill parts of it. ``first``: it makes its database itself."""
    if not first and prepared.is_kept():
        options["settings"] = few_rounds.added(options.get("settings"))
        if not data.exists():
            prepared.lay(data)
    with up.running(data, **options) as started:
        sandbox = Sandbox(started.sandbox_url, data / "sandbox", started.process)  # type: ignore[arg-type]
        yield Stack(started, sandbox)
