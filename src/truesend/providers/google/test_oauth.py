"""Code → grant at a token endpoint that signs what it likes: only a statement for this consent is believed."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from truesend.providers import http
from truesend.providers.errors import ProviderError
from truesend.providers.google import oauth

KEY, ANOTHER = (
    RSAKey.generate_key(2048, {"kid": kid, "alg": "RS256", "use": "sig"}) for kid in ("one", "two")
)


@dataclass
class Google:
    """What the next answers say."""

    id_token: str = ""
    published: list[Any] = field(default_factory=lambda: [KEY])

    def token(self) -> dict[str, Any]:
        return {
            "access_token": "ya29.access",
            "refresh_token": "1//refresh",
            "expires_in": 3599,
            "scope": f"openid {oauth.SEND_SCOPE} https://www.googleapis.com/auth/userinfo.email",
            "token_type": "Bearer",
            "id_token": self.id_token,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.published]}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(self.server.google.keys())  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.server.google.token())  # type: ignore[attr-defined]

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.google = Google()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        for name, value in {
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "secret",
            "TOKEN_URL": f"{url}/token",
            "JWKS_URL": f"{url}/certs",
        }.items():
            monkeypatch.setenv(f"TRUESEND_GOOGLE_{name}", value)
        with http.quiet_pools():
            yield server.google  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    plain = {
        "iss": "https://accounts.google.com",
        "aud": "client",
        "sub": "1234567890",
        "email": "Ana@Northwind.example",
        "nonce": "nonce",
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in {**plain, **changed}.items() if value is not None}


def signed(key: Any = KEY, **changed: Any) -> str:
    header = {"alg": "RS256", "kid": "one"}
    return jws.serialize_compact(header, json.dumps(claims(**changed)).encode(), key)


def base64url(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def exchange() -> Any:
    return oauth.exchange(code="4/0A", redirect_uri="http://localhost/cb", verifier="v" * 64, nonce="nonce")


def test_a_sound_statement(google: Google) -> None:
    google.id_token = signed()
    grant = exchange()
    assert grant.identity is not None
    assert (grant.identity.subject, grant.identity.address) == ("1234567890", "ana@northwind.example")
    assert (grant.access_token, grant.refresh_token, grant.expires_in) == ("ya29.access", "1//refresh", 3599)
    assert oauth.granted(grant.scopes) == {"send"}
    assert "ya29" not in repr(grant)
    assert "1//" not in repr(grant)


def test_both_spellings_of_the_issuer(google: Google) -> None:
    google.id_token = signed(iss="accounts.google.com")
    assert exchange().identity is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "of another consent"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["client", "another client"]},
        {"aud": None},
        {"iss": "https://accounts.google.example"},
        {"iss": None},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"exp": "never"},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "1\x00"},
        {"sub": "x" * 256},
    ],
)
def test_a_statement_for_somebody_else(google: Google, changed: dict[str, Any]) -> None:
    google.id_token = signed(**changed)
    with pytest.raises(ProviderError) as caught:
        exchange()
    assert caught.value.cause == "identity_unverified"


@pytest.mark.parametrize("address", [None, "", 7, "no address", "a@b\x00", "a@b\ud800", "a" * 320 + "@b"])
def test_a_statement_without_an_address(google: Google, address: Any) -> None:
    google.id_token = signed(email=address)
    with pytest.raises(ProviderError) as caught:
        exchange()
    assert caught.value.cause == "identity_without_address"


def test_a_signature_by_another_key(google: Google) -> None:
    google.id_token = signed(ANOTHER)
    with pytest.raises(ProviderError) as caught:
        exchange()
    assert caught.value.cause == "identity_unverified"


def test_no_signature_and_one_made_with_the_public_key(google: Google) -> None:
    head, body, _ = signed().split(".")
    none, hmac_head = base64url({"alg": "none"}), base64url({"alg": "HS256", "kid": "one"})
    mac = hmac.digest(KEY.as_pem(private=False), f"{hmac_head}.{body}".encode(), "sha256")
    made = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    for forged in (f"{none}.{body}.", f"{head}.{body}.", f"{hmac_head}.{body}.{made}"):
        google.id_token = forged
        with pytest.raises(ProviderError) as caught:
            exchange()
        assert caught.value.cause == "identity_unverified"


def test_a_name_that_cannot_be_stored_is_made_fit(google: Google) -> None:
    google.id_token = signed(name="Ana\x00\ud800 Ruiz")
    assert exchange().identity.name == "Ana   Ruiz"
