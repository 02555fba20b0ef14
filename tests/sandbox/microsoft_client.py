"""The plain HTTP of a Microsoft client, for tests that look at single answers."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from tests.sandbox.google_client import mail
from tests.sandbox_process import Sandbox

CLIENT_ID = "sandbox-microsoft-client"
CLIENT_SECRET = "sandbox-microsoft-secret"
CALLBACK = "http://localhost:8000/oauth/microsoft/callback"
ADA = "ada@contoso.com"
SIGN_IN = "openid profile email offline_access"
SEND = f"{SIGN_IN} User.Read Mail.Send"
ALL = f"{SEND} Mail.ReadWrite"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


def mime(message: bytes) -> bytes:
    """A mail as Graph takes it: base64 of the standard alphabet."""
    return base64.b64encode(message)


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


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
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


class MicrosoftClient:
    """Speaks to the sandbox as an application does to Microsoft."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url

    def authorize(self, scope: str = SEND, tenant: str = "common", **params: str) -> requests.Response:
        """Open the consent; the answer is not followed."""
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "state": "s",
            "scope": scope,
            **params,
        }
        return requests.get(
            f"{self.url}/{tenant}/oauth2/v2.0/authorize",
            params={name: value for name, value in query.items() if value},
            allow_redirects=False,
            timeout=10,
        )

    def token(self, tenant: str = "common", **form: str) -> requests.Response:
        """POST to the token endpoint with the client's credentials unless given."""
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
        return requests.post(f"{self.url}/{tenant}/oauth2/v2.0/token", data=body, timeout=10)

    def exchange(self, code: str, tenant: str = "common", **form: str) -> requests.Response:
        whole = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **form}
        return self.token(tenant, **whole)

    def refresh(self, token: str, tenant: str = "common", **form: str) -> requests.Response:
        return self.token(tenant, grant_type="refresh_token", refresh_token=token, **form)

    def code(self, email: str = ADA, scope: str = SEND, **params: str) -> str:
        """A code by a planned consent."""
        self.sandbox.consent(email, "microsoft")
        return came_back(self.authorize(scope, **params))["code"]

    def connect(self, email: str = ADA, scope: str = SEND, **params: str) -> Tokens:
        answer = self.exchange(self.code(email, scope, **params))
        assert answer.status_code == 200, answer.text
        return Tokens(answer.json())

    def graph(self, method: str, path: str, tokens: Tokens, **more: Any) -> requests.Response:
        headers = {**tokens.header, **more.pop("headers", {})}
        return requests.request(method, f"{self.url}/v1.0/{path}", headers=headers, timeout=30, **more)

    def send(self, tokens: Tokens, message: bytes | None = None) -> requests.Response:
        """sendMail with MIME."""
        return self.graph(
            "POST",
            "me/sendMail",
            tokens,
            data=mime(message or mail()),
            headers={"Content-Type": "text/plain"},
        )

    def draft(self, tokens: Tokens, message: bytes | None = None) -> dict[str, Any]:
        """A draft from MIME, with an immutable id."""
        answer = self.graph(
            "POST",
            "me/messages",
            tokens,
            data=mime(message or mail()),
            headers={"Content-Type": "text/plain", **IMMUTABLE},
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def get(self, tokens: Tokens, number: str, **query: str) -> requests.Response:
        """A message by its immutable id."""
        return self.graph("GET", f"me/messages/{number}", tokens, params=query, headers=IMMUTABLE)


def came_back(answer: requests.Response) -> dict[str, str]:
    """The parameters with which the consent came back; fails when it did not."""
    assert answer.status_code == 302, f"{answer.status_code}: {answer.text}"
    address = urlsplit(answer.headers["Location"])
    assert answer.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def aadsts(answer: requests.Response) -> tuple[int, str, int]:
    """Status, error and AADSTS number of a token endpoint's error."""
    body = answer.json()
    (number,) = body["error_codes"]
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    return answer.status_code, body["error"], number


def reason(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a Graph error."""
    return answer.status_code, answer.json()["error"]["code"]
