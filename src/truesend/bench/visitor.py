"""Somebody with a browser's cookies, and a script with their token: HTTP to one's own machine only."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from truesend.bench.rows import BenchError

_PASSWORD = secrets.token_urlsafe(16)
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True)
class Page:
    """An answer, after its redirects."""

    status: int
    url: str
    text: str


class Visitor:
    """Keeps one connection per port and, as browsers do, one jar for all ports of ``localhost``."""

    def __init__(self, port: int, sandbox_port: int) -> None:
        self.url = f"http://localhost:{port}"
        self._sandbox = f"http://localhost:{sandbox_port}/_sandbox/"
        self.email = f"ana-{secrets.token_hex(4)}@northwind.example"
        self._jar: dict[str, str] = {}
        self._connections: dict[int, HTTPConnection] = {}
        self._bearer = ""

    @property
    def cookie(self) -> str:
        """The ``Cookie`` header."""
        return "; ".join(f"{name}={value}" for name, value in self._jar.items())

    def rested(self) -> None:
        """After a long pause: the server has closed what was kept."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def get(self, path: str) -> Page:
        """A page; :class:`BenchError` unless it is a 200 in the end."""
        return self._browse("GET", urljoin(self.url, path))

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        """A form with its CSRF field."""
        if "csrftoken" not in self._jar:
            self.get("/login")
        body = urlencode({"csrfmiddlewaretoken": self._jar["csrftoken"], **fields})
        return self._browse("POST", urljoin(self.url, path), body)

    def sign_up(self) -> None:
        """Become the owner of a new organization, by the form."""
        self.post("/signup", {"organization": "Northwind", "email": self.email, "password1": _PASSWORD})

    def connect(self, provider: str, address: str = "") -> str:
        """Connect an account made in the sandbox, one's own unless it is named: the connection's id."""
        account = address or self.email
        self.sandbox("accounts", {"provider": provider, "email": account, "name": "Ana Ruiz"})
        self.sandbox("consent", {"provider": provider, "account": account, "decision": "approve"})
        answer = self.get(f"/oauth/{provider}/start?capabilities=send&kind=personal")
        connected = parse_qs(urlsplit(answer.url).query).get("connected")
        if not connected:
            raise BenchError(f"The account could not be connected: it ended at {answer.url}.")
        return connected[0]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """A call of ``/api/v1``: its JSON; :class:`BenchError` unless it is a 2xx."""
        if not self._bearer:
            found = re.search(r"\bts_[\w-]{20,}", self.post("/account/tokens", {"name": "bench"}).text)
            if found is None:
                raise BenchError("The account page gave no API token.")
            self._bearer = found[0]
        headers = {"Authorization": f"Bearer {self._bearer}"}
        return self._json(method, f"{self.url}/api/v1/{path}", body, headers)

    def sandbox(self, path: str, body: Any = None) -> Any:
        """A call of the sandbox's control: POST with a body, else GET."""
        return self._json("GET" if body is None else "POST", self._sandbox + path, body, {})

    def _json(self, method: str, url: str, body: Any, headers: Mapping[str, str]) -> Any:
        content = None if body is None else json.dumps(body)
        sent = {**headers, **({} if content is None else {"Content-Type": "application/json"})}
        status, _, text = self._ask(method, url, content, sent)
        if not 200 <= status < 300:
            raise BenchError(f"{method} {url} answered {status}: {text[:200]}")
        return json.loads(text) if text else None

    def _browse(self, method: str, url: str, body: str | None = None) -> Page:
        for _ in range(10):
            headers = {"Cookie": self.cookie, "Accept": "text/html", "Referer": self.url}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            status, location, text = self._ask(method, url, body, headers)
            if status not in _REDIRECTS or location is None:
                if status != 200:
                    raise BenchError(f"{method} {url} answered {status}.")
                return Page(status, url, text)
            method, url, body = "GET", urljoin(url, location), None
        raise BenchError(f"{url} redirects for ever.")

    def _ask(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, str | None, str]:
        """Status, ``Location`` and text of one answer; cookies are kept."""
        parts = urlsplit(url)
        if parts.hostname not in {"localhost", "127.0.0.1"}:
            raise BenchError(f"{url} leads away from this machine.")
        port = parts.port or 80
        connection = self._connections.setdefault(port, HTTPConnection("127.0.0.1", port, timeout=60))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, path, body, {"Host": parts.netloc, **headers})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", errors="replace")
        except (OSError, HTTPException) as error:
            connection.close()
            raise BenchError(f"{method} {url} failed: {error!r}.") from error
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self._jar[name] = morsel.value
        return answer.status, answer.headers.get("Location"), text


def until(read: Callable[[], Any], good: Callable[[Any], bool], seconds: float, what: str) -> Any:
    """What ``read`` gives once it is ``good``; :class:`BenchError` after ``seconds``."""
    end = time.monotonic() + seconds
    while not good(value := read()):
        if time.monotonic() > end:
            raise BenchError(f"{what}: not within {seconds:.0f} s.")
        time.sleep(0.05)
    return value
