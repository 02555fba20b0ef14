"""Google's own client libraries and Authlib against the sandbox: judges that nobody here wrote."""

from __future__ import annotations

import base64
import io
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import id_token
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build, build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload
from jwt.exceptions import InvalidAudienceError
from tests.sandbox.google_client import (
    CALLBACK,
    CLIENT_ID,
    CLIENT_SECRET,
    COMPOSE,
    READ,
    SEND,
    SIGN_IN,
    GoogleClient,
    Tokens,
    mail,
    raw,
)
from tests.sandbox_process import Sandbox

with warnings.catch_warnings():
    # Authlib puts a filter of its own in front, which would blind the rule that warnings are errors.
    warnings.simplefilter("ignore")
    from authlib.integrations.requests_client import OAuth2Session

Make = Callable[[Tokens], Any]
ALL = f"{SIGN_IN} {SEND} {READ} {COMPOSE}"
SCHEMAS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "gmail.v1.json"


def _credentials(google: GoogleClient, tokens: Tokens) -> Credentials:
    return Credentials(
        None,
        refresh_token=tokens.refresh,
        token_uri=f"{google.url}/token",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )


@pytest.fixture
def gmail(google: GoogleClient) -> Iterator[Callable[[Tokens], Any]]:
    """Gmail as the library builds it, closed after the test."""
    with ExitStack() as opened:

        def make(tokens: Tokens) -> Any:
            service = _service(google, tokens)
            opened.callback(service.close)
            return service

        yield make


def _service(google: GoogleClient, tokens: Tokens) -> Any:
    """By its own document, pointed at the sandbox, uploads included."""
    document = json.loads(get_static_doc("gmail", "v1"))
    document["rootUrl"] = document["baseUrl"] = f"{google.url}/"
    document.pop("mtlsRootUrl", None)
    return build_from_document(document, credentials=_credentials(google, tokens))


def test_google_auth_refreshes_and_the_library_walks_through_gmail(google: GoogleClient) -> None:
    tokens = google.connect(scope=ALL)
    service = build(
        "gmail",
        "v1",
        credentials=_credentials(google, tokens),
        client_options={"api_endpoint": google.url},
        static_discovery=True,
        cache_discovery=False,
    )
    users = service.users()
    profile = users.getProfile(userId="me").execute()
    assert profile["emailAddress"] == "ada@gmail.com"
    start = profile["historyId"]
    sent = users.messages().send(userId="me", body={"raw": raw(mail(X_Truesend_Delivery="d-1"))}).execute()
    assert sent["labelIds"] == ["SENT"]
    listed = users.messages().list(userId="me", labelIds=["SENT"]).execute()
    assert listed["messages"] == [{"id": sent["id"], "threadId": sent["threadId"]}]
    got = (
        users.messages()
        .get(
            userId="me",
            id=sent["id"],
            format="metadata",
            metadataHeaders=["x-truesend-delivery", "message-id"],
        )
        .execute()
    )
    headers = {item["name"].lower(): item["value"] for item in got["payload"]["headers"]}
    assert headers["x-truesend-delivery"] == "d-1"
    assert headers["message-id"].endswith("@mail.gmail.com>")
    assert set(headers) == {"x-truesend-delivery", "message-id"}
    history = (
        users.history()
        .list(userId="me", startHistoryId=start, historyTypes=["messageAdded"], labelId="SENT")
        .execute()
    )
    assert [entry["messagesAdded"][0]["message"]["id"] for entry in history["history"]] == [sent["id"]]
    assert users.settings().sendAs().list(userId="me").execute()["sendAs"][0]["isPrimary"] is True
    service.close()


@pytest.mark.parametrize("resumable", [False, True])
def test_the_library_uploads(google: GoogleClient, sandbox: Sandbox, gmail: Make, resumable: bool) -> None:
    service = gmail(google.connect(scope=ALL))
    first = service.users().messages().send(userId="me", body={"raw": raw(mail())}).execute()
    number = service.users().messages().get(userId="me", id=first["id"]).execute()
    message_id = next(
        item["value"] for item in number["payload"]["headers"] if item["name"].lower() == "message-id"
    )
    body = mail(body="x" * 600_000, subject="Re: Hello", In_Reply_To=message_id, X_Truesend_Delivery="big")
    media = MediaIoBaseUpload(
        io.BytesIO(body),
        mimetype="message/rfc822",
        resumable=resumable,
        chunksize=262_144 if resumable else -1,
    )
    sent = (
        service.users()
        .messages()
        .send(userId="me", body={"threadId": first["threadId"]}, media_body=media)
        .execute()
    )
    assert sent["threadId"] == first["threadId"]
    (arrived,) = sandbox.messages(delivery="big")
    assert arrived["count"] == 1
    assert len(arrived["raw"]) > 600_000
    assert len(sandbox.calls(operation="send")) == 2, "opening an upload and its parts are no sends"


def test_simple_media_upload(google: GoogleClient, gmail: Make) -> None:
    service = gmail(google.connect(scope=ALL))
    media = MediaIoBaseUpload(io.BytesIO(mail()), mimetype="message/rfc822")
    assert service.users().messages().send(userId="me", media_body=media).execute()["labelIds"] == ["SENT"]


def test_the_library_keeps_drafts(google: GoogleClient, sandbox: Sandbox, gmail: Make) -> None:
    drafts = gmail(google.connect(scope=ALL)).users().drafts()
    made = drafts.create(userId="me", body={"message": {"raw": raw(mail())}}).execute()
    assert made["message"]["labelIds"] == ["DRAFT"]
    replaced = drafts.update(
        userId="me",
        id=made["id"],
        body={"message": {"raw": raw(mail(subject="Second", X_Truesend_Delivery="d"))}},
    ).execute()
    assert replaced["id"] == made["id"]
    assert replaced["message"]["id"] != made["message"]["id"]
    assert [item["id"] for item in drafts.list(userId="me").execute()["drafts"]] == [made["id"]]
    assert drafts.get(userId="me", id=made["id"]).execute()["id"] == made["id"]
    assert sandbox.messages() == []
    sent = drafts.send(userId="me", body={"id": made["id"]}).execute()
    assert sent["labelIds"] == ["SENT"]
    with pytest.raises(HttpError) as twice:
        drafts.send(userId="me", body={"id": made["id"]}).execute()
    assert twice.value.status_code == 404
    with pytest.raises(HttpError, match="Message not a draft"):
        drafts.update(userId="me", id=made["id"], body={"message": {"raw": raw(mail())}}).execute()
    (arrived,) = sandbox.messages(to="bob@example.com")
    assert (arrived["subject"], arrived["count"]) == ("Second", 1)
    gone = drafts.create(userId="me", body={"message": {"raw": raw(mail())}}).execute()
    drafts.delete(userId="me", id=gone["id"]).execute()
    assert "drafts" not in drafts.list(userId="me").execute()


def test_the_library_understands_the_errors(google: GoogleClient, sandbox: Sandbox, gmail: Make) -> None:
    service = gmail(google.connect())
    with pytest.raises(HttpError, match="insufficient authentication scopes") as refused:
        service.users().messages().list(userId="me").execute()
    assert refused.value.error_details[0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    sandbox.fault("token", "expire_grant", account="ada@gmail.com")
    sandbox.fault("any", "expire_access", account="ada@gmail.com")
    with pytest.raises(RefreshError, match="expired or revoked"):
        service.users().messages().send(userId="me", body={"raw": raw(mail())}).execute()


def test_google_auth_verifies_the_id_token(google: GoogleClient) -> None:
    tokens = google.connect(scope="openid email profile", nonce="n-1")
    with requests.Session() as session:
        request = Request(session)
        certs = f"{google.url}/oauth2/v3/certs"
        claims = id_token.verify_token(tokens.body["id_token"], request, CLIENT_ID, certs_url=certs)
        with pytest.raises(InvalidAudienceError):
            id_token.verify_token(tokens.body["id_token"], request, "somebody-else", certs_url=certs)
    assert claims["iss"] == "https://accounts.google.com"
    assert claims["email"] == "ada@gmail.com"
    assert claims["nonce"] == "n-1"
    assert claims["exp"] - claims["iat"] == 3600


def test_authlib_completes_the_consent_with_pkce(google: GoogleClient, sandbox: Sandbox) -> None:
    discovered = requests.get(f"{google.url}/.well-known/openid-configuration", timeout=10).json()
    with OAuth2Session(
        CLIENT_ID,
        CLIENT_SECRET,
        scope=f"{SIGN_IN} {SEND}",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=discovered["token_endpoint"],
    ) as session:
        verifier = "authlib-" + "v" * 50
        address, state = session.create_authorization_url(
            discovered["authorization_endpoint"], code_verifier=verifier, access_type="offline"
        )
        sandbox.consent("ada@gmail.com")
        back = requests.get(address, allow_redirects=False, timeout=10).headers["Location"]
        token = session.fetch_token(authorization_response=back, code_verifier=verifier, state=state)
        assert token["refresh_token"]
        assert session.get(discovered["userinfo_endpoint"]).json()["email"] == "ada@gmail.com"
        renewed = session.refresh_token(discovered["token_endpoint"], refresh_token=token["refresh_token"])
        assert renewed["access_token"] != token["access_token"]
        revoked = session.revoke_token(  # type: ignore[no-untyped-call]  # its stub has no types here
            discovered["revocation_endpoint"], token=renewed["access_token"]
        )
        assert revoked.status_code == 200


def _check(value: object, schema: dict[str, Any], schemas: dict[str, Any], path: str) -> None:
    """Every field is known to the schema and of its JSON type; 64-bit numbers are strings."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        assert isinstance(value, dict), path
        for name, inner in value.items():
            assert name in schema["properties"], f"{path}.{name} is not in Google's schema"
            _check(inner, schema["properties"][name], schemas, f"{path}.{name}")
    elif kind == "array":
        assert isinstance(value, list), path
        for index, inner in enumerate(value):
            _check(inner, schema["items"], schemas, f"{path}[{index}]")
    else:
        types = {"string": str, "integer": int, "boolean": bool}
        assert kind in types, path
        assert type(value) is types[kind], f"{path} is {type(value).__name__}, Google's is {kind}"


@pytest.mark.skipif(not SCHEMAS.exists(), reason=f"Google's discovery document is not at {SCHEMAS}")
def test_every_answer_has_only_fields_of_googles_schemas(google: GoogleClient, sandbox: Sandbox) -> None:
    schemas = json.loads(SCHEMAS.read_text())["schemas"]
    tokens = google.connect(scope=ALL)
    sandbox.account("ada@gmail.com", send_as=[{"email": "sales@example.com", "name": "Sales"}])
    sent = google.send(tokens, mail(to="ada@gmail.com, bob@example.com")).json()
    draft = google.gmail("POST", "drafts", tokens, json={"message": {"raw": raw(mail())}}).json()
    watched = {"topicName": "projects/sandbox/topics/mail"}
    for name, path, method, body in (
        ("Message", f"messages/{sent['id']}", "GET", None),
        ("Message", f"messages/{sent['id']}?format=raw", "GET", None),
        ("Message", f"messages/{sent['id']}?format=minimal", "GET", None),
        ("ListMessagesResponse", "messages?maxResults=1", "GET", None),
        ("ListHistoryResponse", "history?startHistoryId=1000000", "GET", None),
        ("Profile", "profile", "GET", None),
        ("ListSendAsResponse", "settings/sendAs", "GET", None),
        ("ListLabelsResponse", "labels", "GET", None),
        ("Thread", f"threads/{sent['threadId']}", "GET", None),
        ("Draft", f"drafts/{draft['id']}", "GET", None),
        ("ListDraftsResponse", "drafts", "GET", None),
        ("WatchResponse", "watch", "POST", watched),
        ("Message", "drafts/send", "POST", {"id": draft["id"]}),
    ):
        answer = google.gmail(method, path, tokens, json=body)
        assert answer.status_code == 200, answer.text
        _check(answer.json(), schemas[name], schemas, name)


def test_attachments_come_back_byte_for_byte(google: GoogleClient, gmail: Make) -> None:
    service = gmail(google.connect(scope=ALL))
    data = bytes(range(256)) * 20
    edge = "edge"
    message = (
        "To: bob@example.com\r\nSubject: File\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/mixed; boundary="{edge}"\r\n\r\n'
        f"--{edge}\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
        f'--{edge}\r\nContent-Type: application/pdf; name="a.pdf"\r\n'
        'Content-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{base64.encodebytes(data).decode()}\r\n--{edge}--\r\n"
    ).encode()
    sent = service.users().messages().send(userId="me", body={"raw": raw(message)}).execute()
    got = service.users().messages().get(userId="me", id=sent["id"]).execute()
    assert got["snippet"] == "See the file."
    part = got["payload"]["parts"][1]
    assert (part["filename"], part["body"]["size"]) == ("a.pdf", len(data))
    fetched = (
        service.users()
        .messages()
        .attachments()
        .get(userId="me", messageId=sent["id"], id=part["body"]["attachmentId"])
        .execute()
    )
    assert base64.urlsafe_b64decode(fetched["data"]) == data
    whole = service.users().messages().get(userId="me", id=sent["id"], format="raw").execute()
    assert message_from_bytes(base64.urlsafe_b64decode(whole["raw"]))["Subject"] == "File"
