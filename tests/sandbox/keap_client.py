"""The plain HTTP of a Keap client, for tests that look at single answers."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from tests.sandbox.keap_schema import judge
from tests.sandbox_process import Sandbox

CLIENT_ID = "sandbox-keap-client"
CLIENT_SECRET = "sandbox-keap-secret"
CALLBACK = "http://localhost:8000/oauth/keap/callback"
ADA = "ada@example.com"
BASIC = (CLIENT_ID, CLIENT_SECRET)


def encoded(text: str) -> str:
    """Content as Keap wants it."""
    return base64.b64encode(text.encode()).decode()


@dataclass
class Tokens:
    """A token answer."""

    body: dict[str, Any]

    @property
    def access(self) -> str:
        return str(self.body["access_token"])

    @property
    def refresh(self) -> str:
        return str(self.body["refresh_token"])

    @property
    def tenant(self) -> str:
        return str(self.body["scope"]).partition("|")[2].removesuffix(".infusionsoft.com")

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


class KeapClient:
    """Speaks to the sandbox as an application does to Keap."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url

    def authorize(self, **params: str) -> requests.Response:
        """Open the consent; the answer is not followed."""
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "full",
            "state": "s",
            **params,
        }
        return requests.get(
            f"{self.url}/app/oauth/authorize",
            params={name: value for name, value in query.items() if value},
            allow_redirects=False,
            timeout=10,
        )

    def token(self, form: dict[str, str], auth: tuple[str, str] | None = None) -> requests.Response:
        return requests.post(f"{self.url}/keap/token", data=form, auth=auth, timeout=10)

    def exchange(self, code: str, **form: str) -> requests.Response:
        """A code in the documented shape: the client in the body."""
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": CALLBACK, **form}
        return self.token({"grant_type": "authorization_code", "code": code, **body})

    def refresh(
        self, token: str, auth: tuple[str, str] | None = BASIC, form: dict[str, str] | None = None
    ) -> requests.Response:
        """A refresh in the documented shape: the client as Basic."""
        return self.token({"grant_type": "refresh_token", "refresh_token": token, **(form or {})}, auth)

    def code(self, email: str = ADA, **plan: Any) -> str:
        """A code by a planned consent."""
        self.sandbox.consent(email, "keap", **plan)
        return came_back(self.authorize())["code"]

    def connect(self, email: str = ADA, **plan: Any) -> Tokens:
        answer = self.exchange(self.code(email, **plan))
        assert answer.status_code == 200, answer.text
        return Tokens(answer.json())

    def api(self, method: str, path: str, tokens: Tokens, **more: Any) -> requests.Response:
        """`path` begins with v1 or v2. Where Keap's documents are at hand they judge the answer."""
        answer = requests.request(
            method, f"{self.url}/crm/rest/{path}", headers=tokens.header, timeout=30, **more
        )
        judge(answer)
        return answer

    def contact(self, tokens: Tokens, email: str = "bob@example.org", **fields: Any) -> str:
        """The id of a contact with that address, made or found."""
        answer = self.api(
            "POST",
            "v2/contacts",
            tokens,
            params={"duplicate_option": "Email"},
            json={"email_addresses": [{"email": email, "field": "EMAIL1"}], **fields},
        )
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["id"])

    def user(self, tokens: Tokens, email: str = ADA) -> str:
        """The local id of a user."""
        users = self.api("GET", "v2/users", tokens).json()["users"]
        return next(str(user["id"]) for user in users if user["keap_id"] == email)

    def send(self, tokens: Tokens, *contacts: str, **body: Any) -> requests.Response:
        """One `emails:send`; `None` leaves a field out."""
        wanted = {
            "contacts": list(contacts),
            "subject": "Hello",
            "user_id": body.pop("user_id", None) or (None if "from_address" in body else self.user(tokens)),
            "html_content": encoded("<p>Hi</p>"),
            **body,
        }
        kept = {name: value for name, value in wanted.items() if value is not None}
        return self.api("POST", "v2/emails:send", tokens, json=kept)


def came_back(answer: requests.Response) -> dict[str, str]:
    """The parameters with which the consent came back; fails when it did not."""
    assert answer.status_code == 302, f"{answer.status_code}: {answer.text}"
    assert answer.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def fault_of(answer: requests.Response) -> tuple[int, str]:
    """Status and errorcode of the gateway's own error."""
    return answer.status_code, answer.json()["fault"]["detail"]["errorcode"]


def oauth_error(answer: requests.Response) -> tuple[int, str, str | None]:
    """Status, error and description of an OAuth error."""
    body = answer.json()
    return answer.status_code, body["error"], body.get("error_description")
