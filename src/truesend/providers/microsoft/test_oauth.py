"""Code → grant at an identity platform that signs what it likes, and whose account Graph says it is."""

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
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from truesend.providers import clients, http
from truesend.providers.clients import Client
from truesend.providers.contract import Capability
from truesend.providers.errors import ProviderError
from truesend.providers.microsoft import oauth
from truesend.providers.microsoft.provider import Microsoft

KEY, ANOTHER = (RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("one", "two"))
TENANT, PERSON = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490", "690222BE-ff1a-4d56-abd1-7e4f7d38e474"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
CALLBACK = "http://localhost:8000/oauth/microsoft/callback"


def signed(key: Any = KEY, **changed: Any) -> str:
    now = int(time.time())
    tenant = changed.get("tid", TENANT)
    plain = {
        "iss": f"https://login.microsoftonline.com/{tenant}/v2.0",
        "aud": "client",
        "tid": TENANT,
        "oid": PERSON,
        "sub": "pairwise",
        "preferred_username": "phone",
        "name": "Ana Ruiz",
        "email": "Claimed@Northwind.example",
        "nonce": "nonce",
        "ver": "2.0",
        "iat": now,
        "exp": now + 3600,
    }
    claims = {name: value for name, value in {**plain, **changed}.items() if value is not None}
    return jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims).encode(), key)


@dataclass
class Platform:
    """What the next answers say: (status, body) of each address."""

    id_token: str = field(default_factory=signed)
    me: tuple[int, Any] = (
        200,
        {
            "id": PERSON,
            "displayName": "Ana",
            "mail": "Ana@Northwind.example",
            "userPrincipalName": "ana@n.example",
        },
    )
    userinfo: tuple[int, Any] = (200, {"sub": "pairwise"})
    token: tuple[int, Any] | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, Any]:
        if path.endswith("/token"):
            return self.token or (200, self._good())
        if path == "/keys":
            # As Microsoft publishes them: without `alg`, with names of its own.
            own = {
                "x5t": "one",
                "x5c": ["MIID"],
                "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            }
            return 200, {"keys": [{**KEY.as_dict(private=False), **own}]}
        return self.me if path == "/v1.0/me" else self.userinfo

    def _good(self) -> dict[str, Any]:
        return {
            "token_type": "Bearer",
            "scope": f"{oauth.SEND_SCOPE} https://graph.microsoft.com/User.Read",
            "expires_in": 3599,
            "ext_expires_in": 3599,
            "access_token": "eyJ0eXAi.access.token",
            "refresh_token": "0.AXcA-refresh",
            "id_token": self.id_token,
        }


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        platform: Platform = self.server.platform  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        platform.seen.append((path, body))
        status, told = platform.answer(path)
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.platform = Platform()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        for name, value in {
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "secret",
            "TOKEN_URL": f"{url}/{{tenant}}/token",
            "JWKS_URL": f"{url}/keys",
            "API_URL": f"{url}/v1.0",
            "USERINFO_URL": f"{url}/userinfo",
        }.items():
            monkeypatch.setenv(f"TRUESEND_MICROSOFT_{name}", value)
        with http.quiet_pools():
            yield server.platform  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def exchange() -> Any:
    return oauth.exchange(code="0.AX", redirect_uri=CALLBACK, verifier="v" * 64, nonce="nonce")


def refused() -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        exchange()
    return caught.value


def test_a_sound_statement(platform: Platform) -> None:
    grant = exchange()
    assert grant.identity.subject == f"{TENANT}:{PERSON}".lower()
    assert (grant.identity.address, grant.identity.name) == ("ana@northwind.example", "Ana Ruiz")
    assert (grant.refresh_token, grant.expires_in) == ("0.AXcA-refresh", 3599)
    assert oauth.granted(grant.scopes) == {"send"}
    assert "eyJ" not in repr(grant)
    assert "0.AX" not in repr(grant)
    path, form = platform.seen[0]
    assert path == "/common/token"
    sent = {name: values[0] for name, values in parse_qs(form).items()}
    assert (sent["client_id"], sent["client_secret"]) == ("client", "secret")
    assert (sent["code_verifier"], sent["redirect_uri"]) == ("v" * 64, CALLBACK)


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "of another consent"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": ["client"]},
        {"exp": 1_600_000_000},
        {"exp": None},
        {"iss": None},
        {"iss": f"https://login.microsoftonline.com/{PERSONAL}/v2.0"},
        {"iss": f"https://sts.windows.net/{TENANT}/"},
        {"iss": f"https://login.microsoftonline.com.example/{TENANT}/v2.0"},
        {"tid": None},
        {"tid": "common"},
        {"tid": f"{TENANT}/../{PERSONAL}"},
        {"tid": 5},
        {"oid": None},
        {"oid": ""},
        {"oid": "ana"},
    ],
)
def test_a_statement_for_somebody_else(platform: Platform, changed: dict[str, Any]) -> None:
    platform.id_token = signed(**changed)
    assert refused().cause == "identity_unverified"


def test_a_signature_by_another_key_or_none(platform: Platform) -> None:
    head, body, _ = signed().split(".")
    none, forged_head = (
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode()
        for one in ({"alg": "none"}, {"alg": "HS256", "kid": "one"})
    )
    mac = hmac.digest(KEY.as_pem(private=False), f"{forged_head}.{body}".encode(), "sha256")
    made = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    for token in (
        signed(ANOTHER),
        f"{none}.{body}.",
        f"{head}.{body}.",
        f"{forged_head}.{body}.{made}",
        "",
        "x",
    ):
        platform.id_token = token
        assert refused().cause == "identity_unverified"


def test_one_directory_is_asked_and_no_other_believed(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUESEND_MICROSOFT_TENANT", TENANT.upper())
    assert exchange().identity.subject.startswith(TENANT)
    assert platform.seen[0][0] == f"/{TENANT.upper()}/token"
    platform.id_token = signed(tid=PERSONAL)
    assert refused().cause == "identity_unverified"
    monkeypatch.setenv("TRUESEND_MICROSOFT_TENANT", "consumers")
    assert exchange().identity.subject.startswith(PERSONAL)
    platform.id_token = signed()
    assert refused().cause == "identity_unverified"


GUEST = "ana_maria_northwind.example#EXT#@contoso.onmicrosoft.com"


@pytest.mark.parametrize(
    ("profile", "address"),
    [
        ({"mail": "Ana@Northwind.Example"}, "ana@northwind.example"),
        ({"mail": None, "userPrincipalName": "Ana@Contoso.example"}, "ana@contoso.example"),
        ({"mail": "", "userPrincipalName": GUEST}, "ana_maria@northwind.example"),
        (
            {"mail": "not an address", "userPrincipalName": "live.com#ana@x.example"},
            "claimed@northwind.example",
        ),
        ({"mail": 5, "userPrincipalName": "+34600000000"}, "claimed@northwind.example"),
        ({}, "claimed@northwind.example"),
    ],
)
def test_the_address_is_the_mailboxs_own(platform: Platform, profile: dict[str, Any], address: str) -> None:
    platform.me = 200, profile
    assert exchange().identity.address == address
    assert "/userinfo" not in [path for path, _ in platform.seen]


@pytest.mark.parametrize(
    "me",
    [
        (403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}),
        (401, {"error": {"code": "InvalidAuthenticationToken", "message": "x"}}),
        (403, {"error": {"code": "MailboxNotEnabledForRESTAPI", "message": "x"}}),
        (200, ["no", "profile"]),
    ],
)
def test_a_profile_that_is_withheld_leaves_what_is_claimed(platform: Platform, me: tuple[int, Any]) -> None:
    platform.me = me
    assert exchange().identity.address == "claimed@northwind.example"
    platform.id_token = signed(email=None)
    platform.userinfo = 200, {"sub": "pairwise", "email": "Info@Northwind.example"}
    assert exchange().identity.address == "info@northwind.example"
    nothing: list[Any] = [{"email": None}, {"email": "no address"}, []]
    for told in nothing:
        platform.userinfo = 200, told
        assert refused().cause == "identity_without_address"


def test_a_profile_that_cannot_be_asked_now_connects_nothing(platform: Platform) -> None:
    platform.me = 503, {"error": {"code": "serviceNotAvailable", "message": "Later."}}
    assert refused().cause == "provider_error"


@pytest.mark.parametrize(
    ("number", "error", "status", "cause"),
    [
        (70008, "invalid_grant", 400, "code_refused"),
        (54005, "invalid_grant", 400, "code_refused"),
        (70000, "invalid_grant", 400, "code_refused"),
        (501481, "invalid_grant", 400, "code_refused"),
        (7000215, "invalid_client", 401, "client_secret_wrong"),
        (7000222, "invalid_client", 401, "client_secret_expired"),
        (700016, "unauthorized_client", 400, "client_unknown"),
        (50076, "interaction_required", 400, "mfa_required"),
        (53003, "invalid_grant", 400, "admin_policy"),
    ],
)
def test_a_code_that_is_refused(platform: Platform, number: int, error: str, status: int, cause: str) -> None:
    text = f"AADSTS{number}: Words.\r\nTrace ID: 0000aaaa"
    platform.token = status, {"error": error, "error_description": text, "error_codes": [number]}
    found = refused()
    assert (found.cause, found.words, found.grant_is_dead) == (cause, f"AADSTS{number}: Words.", False)


def test_a_renewal_brings_a_new_key_and_may_fail_for_good(platform: Platform) -> None:
    grant = oauth.refresh("0.AXcA-old")
    assert (grant.refresh_token, grant.identity) == ("0.AXcA-refresh", None)
    sent = parse_qs(platform.seen[0][1])
    assert (sent["grant_type"], sent["refresh_token"]) == (["refresh_token"], ["0.AXcA-old"])
    assert "scope" not in sent  # all that was granted
    platform.token = (
        400,
        {"error": "invalid_grant", "error_codes": [700082], "error_description": "AADSTS700082: x"},
    )
    with pytest.raises(ProviderError) as caught:
        oauth.refresh("0.AXcA-old")
    assert (caught.value.cause, caught.value.grant_is_dead) == ("grant_idle", True)


def url(account: str | None = None, *capabilities: Capability) -> dict[str, str]:
    found = Microsoft().authorize_url(
        capabilities=capabilities or [Capability.SEND],
        redirect_uri=CALLBACK,
        state="state",
        nonce="nonce",
        verifier="v" * 64,
        account=account,
    )
    return {name: values[0] for name, values in parse_qs(urlsplit(found).query).items()}


def test_the_consent_is_bound_to_itself(platform: Platform) -> None:
    asked = url()
    assert asked["scope"] == (
        "openid profile email offline_access https://graph.microsoft.com/User.Read"
        " https://graph.microsoft.com/Mail.Send"
    )
    assert (asked["state"], asked["nonce"], asked["redirect_uri"]) == ("state", "nonce", CALLBACK)
    assert (asked["response_type"], asked["response_mode"]) == ("code", "query")
    assert asked["code_challenge_method"] == "S256"
    assert "v" * 64 not in asked.values()
    assert asked["prompt"] == "select_account"
    assert "Mail.ReadWrite" in url(None, Capability.SEND, Capability.READ)["scope"]
    again = url("ana@northwind.example")
    assert again["login_hint"] == "ana@northwind.example"
    assert "prompt" not in again  # the picker would pay no heed to it


@pytest.mark.parametrize(
    ("tenant", "path"),
    [
        ("common", "/organizations/v2.0/adminconsent"),
        ("organizations", "/organizations/v2.0/adminconsent"),
        (TENANT, f"/{TENANT}/v2.0/adminconsent"),
        ("northwind.example", "/northwind.example/v2.0/adminconsent"),
    ],
)
def test_the_page_for_an_administrator(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tenant: str, path: str
) -> None:
    monkeypatch.setenv("TRUESEND_MICROSOFT_TENANT", tenant)
    page = urlsplit(Microsoft().admin_consent_url([Capability.SEND, Capability.READ], CALLBACK))
    assert f"{page.scheme}://{page.netloc}{page.path}" == f"https://login.microsoftonline.com{path}"
    asked = {name: values[0] for name, values in parse_qs(page.query).items()}
    assert (asked["client_id"], asked["redirect_uri"]) == ("client", CALLBACK)
    assert "Mail.ReadWrite" in asked["scope"]


@pytest.mark.parametrize(
    ("query", "permitted"),
    [
        ({"admin_consent": "True", "tenant": TENANT, "scope": "x", "state": "s"}, True),
        ({"admin_consent": "true"}, True),
        (
            {"admin_consent": "True", "error": "consent_required", "error_description": "AADSTS65004: x"},
            False,
        ),
        ({"admin_consent": "True", "code": "0.AX", "state": "s"}, None),
        ({"admin_consent": "False"}, None),
        ({"error": "access_denied", "state": "s"}, None),
        ({}, None),
    ],
)
def test_the_way_back_of_an_administrator(query: dict[str, str], permitted: bool | None) -> None:
    assert Microsoft().read_admin_answer(query) is permitted


def test_personal_accounts_have_no_administrator(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUESEND_MICROSOFT_TENANT", "consumers")
    assert Microsoft().admin_consent_url([Capability.SEND], CALLBACK) == ""


def test_a_tenant_belongs_to_its_client(platform: Platform) -> None:
    tried = Client("other", "other secret", "tried", {"TENANT": "northwind.example"})
    with clients.trying("microsoft", tried):
        assert oauth.address("MICROSOFT_AUTHORIZE_URL").startswith(
            "https://login.microsoftonline.com/northwind."
        )
    with clients.trying("microsoft", Client("other", "other secret", "tried")):
        assert oauth.tenant() == "common"
    assert Microsoft().consent_page().startswith("https://login.microsoftonline.com/")


def test_nobody_but_the_person_ends_the_permission() -> None:
    with pytest.raises(ProviderError) as caught:
        Microsoft().revoke("0.AXcA")
    assert caught.value.cause == "revoked_by_hand"
    assert caught.value.words == Microsoft().ends_by_hand
    assert "myapps.microsoft.com" in caught.value.words
