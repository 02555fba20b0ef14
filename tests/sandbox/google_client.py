"""The plain HTTP of a Google client, for tests that look at single answers."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from tests.sandbox_process import Sandbox

CLIENT_ID = "sandbox-google-client"
CLIENT_SECRET = "sandbox-google-secret"
CALLBACK = "http://localhost:8000/oauth/google/callback"
PREFIX = "https://www.googleapis.com/auth/"
SEND = PREFIX + "gmail.send"
READ = PREFIX + "gmail.readonly"
COMPOSE = PREFIX + "gmail.compose"
SIGN_IN = "openid email"


def mail(
    to: str = "bob@example.com", subject: str = "Hello", body: str = "<p>Hi</p>", **headers: str
) -> bytes:
    """A small mail; `In_Reply_To="…"` becomes the header In-Reply-To."""
    lines = [
        f"To: {to}",
        f"Subject: {subject}",
        "MIME-Version: 1.0",
        "Content-Type: text/html; charset=utf-8",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def raw(message: bytes) -> str:
    return base64.urlsafe_b64encode(message).decode().rstrip("=")


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


class GoogleClient:
    """Speaks to the sandbox as an application does to Google."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.url

    def authorize(self, scope: str = f"{SIGN_IN} {SEND}", **params: str) -> requests.Response:
        """Open the consent; the answer is not followed."""
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "access_type": "offline",
            "state": "s",
            "scope": scope,
            **params,
        }
        return requests.get(
            f"{self.url}/o/oauth2/v2/auth",
            params={name: value for name, value in query.items() if value},
            allow_redirects=False,
            timeout=10,
        )

    def token(self, **form: str) -> requests.Response:
        """POST /token with the client's credentials unless given."""
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
        return requests.post(f"{self.url}/token", data=body, timeout=10)

    def exchange(self, code: str, **form: str) -> requests.Response:
        return self.token(grant_type="authorization_code", code=code, **{"redirect_uri": CALLBACK, **form})

    def refresh(self, token: str, **form: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=token, **form)

    def code(self, email: str = "ada@gmail.com", scope: str = f"{SIGN_IN} {SEND}", **params: str) -> str:
        """A code by a planned consent."""
        self.sandbox.consent(email)
        return came_back(self.authorize(scope, **params))["code"]

    def connect(
        self, email: str = "ada@gmail.com", scope: str = f"{SIGN_IN} {SEND}", **params: str
    ) -> Tokens:
        answer = self.exchange(self.code(email, scope, **params))
        assert answer.status_code == 200, answer.text
        return Tokens(answer.json())

    def gmail(self, method: str, path: str, tokens: Tokens, **more: Any) -> requests.Response:
        return requests.request(
            method, f"{self.url}/gmail/v1/users/me/{path}", headers=tokens.header, timeout=30, **more
        )

    def send(self, tokens: Tokens, message: bytes | None = None, **more: Any) -> requests.Response:
        body = {"raw": raw(message or mail()), **more}
        return self.gmail("POST", "messages/send", tokens, json=body)


def came_back(answer: requests.Response) -> dict[str, str]:
    """The parameters with which the consent came back; fails when it did not."""
    assert answer.status_code == 302, f"{answer.status_code}: {answer.text}"
    address = urlsplit(answer.headers["Location"])
    assert answer.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def reason(answer: requests.Response) -> tuple[int, str]:
    """Status and reason of a Gmail error."""
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


def oauth_error(answer: requests.Response) -> tuple[int, str, str | None]:
    """Status, error and description of an OAuth error."""
    body = answer.json()
    return answer.status_code, body["error"], body.get("error_description")
