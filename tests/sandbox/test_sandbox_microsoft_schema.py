"""Microsoft's metadata, as OpenAPI, and its documented exchanges against the sandbox.

Schemathesis judges the answers, jsonschema-rs the requests that were taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from jsonschema_rs import validator_for
from tests.sandbox.google_client import mail
from tests.sandbox.microsoft_client import ADA, ALL, MicrosoftClient, Tokens

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SCHEMA, SAMPLES = DATA / "graph_mail.v1.json", DATA / "graph-mail-samples.json"
MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Mark"


def _exchanges(microsoft: MicrosoftClient, tokens: Tokens) -> Iterator[tuple[str, str, requests.Response]]:
    """`(path of the schema, method, answer)` of everything that is served."""

    def call(path: str, method: str, address: str, **more: Any) -> tuple[str, str, requests.Response]:
        return path, method, microsoft.graph(method, address, tokens, **more)

    one = "/v1.0/me/messages/{id_1}"
    message = {
        "subject": "Hello",
        "body": {"contentType": "html", "content": "<p>Hi</p>"},
        "toRecipients": [{"emailAddress": {"address": ADA, "name": "Ada"}}],
        "internetMessageHeaders": [{"name": "x-key", "value": "1"}],
        "importance": "high",
    }
    # The subset of the metadata knows these of a user; the others of the default set come with the SDK's walk.
    yield call("/v1.0/me", "GET", "me?$select=id,displayName,givenName,surname,mail,userPrincipalName")
    yield call("/v1.0/me/sendMail", "POST", "me/sendMail", json={"message": message, "saveToSentItems": True})
    made = call("/v1.0/me/messages", "POST", "me/messages", json=message)
    yield made
    number = made[2].json()["id"]
    yield call(one, "PATCH", f"me/messages/{number}", json={"subject": "Other", "categories": ["Red"]})
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentBytes": "MTIz"}
    yield call(f"{one}/attachments", "POST", f"me/messages/{number}/attachments", json=file)
    yield call(f"{one}/attachments", "GET", f"me/messages/{number}/attachments")
    yield call(one, "GET", f"me/messages/{number}", params={"$expand": "attachments"})
    yield call(f"{one}/send", "POST", f"me/messages/{number}/send")
    yield call("/v1.0/me/messages", "GET", "me/messages", params={"$top": "2", "$count": "true"})
    yield call("/v1.0/me/mailFolders", "GET", "me/mailFolders")
    yield call("/v1.0/me/mailFolders/{id_1}", "GET", "me/mailFolders/inbox")
    inbox = call("/v1.0/me/mailFolders/{id_1}/messages", "GET", "me/mailFolders/inbox/messages")
    yield inbox
    answered = inbox[2].json()["value"][0]["id"]
    headers = {"$select": "internetMessageHeaders,from"}
    yield call(one, "GET", f"me/messages/{answered}", params=headers)
    yield call(f"{one}/createReply", "POST", f"me/messages/{answered}/createReply", json={"comment": "Yes"})
    yield call(f"{one}/createReplyAll", "POST", f"me/messages/{answered}/createReplyAll", json={})
    yield call(f"{one}/reply", "POST", f"me/messages/{answered}/reply", json={"comment": "Yes"})
    yield call(one, "DELETE", f"me/messages/{answered}")
    yield call(one, "GET", "me/messages/AAMk")
    yield call("/v1.0/me/messages", "GET", "me/messages", params={"$filter": "nonsense"})


def _nullable(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema has it: `nullable` is another type."""
    if isinstance(node, list):
        return [_nullable(value) for value in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _nullable(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def _judge_request(document: dict[str, Any], path: str, method: str, answer: requests.Response) -> None:
    """What was asked, and taken, is what Microsoft's metadata takes."""
    body = answer.request.body
    if body is None or answer.status_code >= 400:
        return
    schema = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    components = {"schemas": _nullable(document["components"]["schemas"])}
    validator_for({"allOf": [_nullable(schema)], "components": components}).validate(json.loads(body))


@pytest.mark.skipif(not SCHEMA.exists(), reason=f"the schema made of Microsoft's metadata is not at {SCHEMA}")
def test_every_answer_keeps_to_microsofts_schema(microsoft: MicrosoftClient) -> None:
    document = json.loads(SCHEMA.read_text())
    schema = schemathesis.openapi.from_dict(document)
    seen = 0
    for path, method, answer in _exchanges(microsoft, microsoft.connect(scope=ALL)):
        _judge_request(document, path, method, answer)
        if answer.status_code == 201 and "createReply" in path:
            # The page of the call says 201, the metadata knows no status and the schema's maker wrote 200.
            answer.status_code = 200
        schema[path][method].validate_response(answer)
        seen += 1
    assert seen == 19


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"Microsoft's documented exchanges are not at {SAMPLES}")
def test_documented_exchanges_have_the_same_status_and_fields(microsoft: MicrosoftClient) -> None:
    """Those of the 66 that are served here, by their addresses; the values are the samples' own."""
    tokens = microsoft.connect(scope=ALL)
    samples = {
        (sample["request"]["method"], urlsplit(sample["request"]["url"]).path[5:], _query(sample)): sample
        for sample in json.loads(SAMPLES.read_text())
    }
    property_filter = f"singleValueExtendedProperties($filter=id eq '{MARK}')"
    message = {
        "subject": "Hello",
        "toRecipients": [{"emailAddress": {"address": ADA}}],
        "ccRecipients": [{"emailAddress": {"address": "cc@example.com"}}],
        "singleValueExtendedProperties": [{"id": MARK, "value": "v"}],
        "body": {"contentType": "html", "content": "<p>Hi</p>"},
    }
    draft = microsoft.graph("POST", "me/messages", tokens, json=message).json()["id"]
    microsoft.send(tokens, mail(to=ADA))
    received = microsoft.graph("GET", "me/mailFolders/inbox/messages", tokens).json()["value"][0]["id"]
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "smile", "contentBytes": "R0lG"}
    wanted: list[tuple[str, str, str, str, Any]] = [
        ("POST", "/me/messages/*/attachments", "", f"me/messages/{draft}/attachments", file),
        ("GET", "/me/messages/*/attachments", "", f"me/messages/{draft}/attachments", None),
        ("GET", "/me/messages", "$select", "me/messages?$select=sender,subject", None),
        (
            "GET",
            "/me/messages/*",
            "$select=s",
            f"me/messages/{received}?$select=subject,body,bodyPreview,uniqueBody",
            None,
        ),
        (
            "GET",
            "/me/messages/*",
            "$select=i",
            f"me/messages/{received}?$select=internetMessageHeaders",
            None,
        ),
        ("GET", "/me/messages/*", "$expand=si", f"me/messages/{draft}?$expand={property_filter}", None),
        ("GET", "/me/messages/*", "", f"me/messages/{received}", None),
        ("PATCH", "/me/messages/*", "", f"me/messages/{draft}", {"subject": "Other"}),
        ("GET", "/me/mailFolders", "", "me/mailFolders", None),
        ("GET", "/me/mailFolders/*", "", "me/mailFolders/inbox", None),
        ("GET", "/me/mailFolders/*/messages", "", "me/mailFolders/inbox/messages", None),
        ("GET", "/me/messages/*/$value", "", f"me/messages/{received}/$value", None),
        ("POST", "/me/messages", "", "me/messages", message),
        ("POST", "/me/messages/*/createReply", "", f"me/messages/{received}/createReply", {}),
        ("POST", "/me/messages/*/createReplyAll", "", f"me/messages/{received}/createReplyAll", {}),
        ("POST", "/me/messages/*/reply", "", f"me/messages/{received}/reply", {"comment": "Yes"}),
        ("POST", "/me/messages/*/send", "", f"me/messages/{draft}/send", None),
        ("POST", "/me/sendMail", "", "me/sendMail", {"message": message}),
        ("DELETE", "/me/messages/*", "", f"me/messages/{received}", None),
    ]
    for method, path, query, address, body in wanted:
        (sample,) = [
            found
            for (verb, place, asked), found in samples.items()
            if (verb, place) == (method, path) and asked.startswith(query) and bool(asked) == bool(query)
        ]
        answer = microsoft.graph(method, address, tokens, **({} if body is None else {"json": body}))
        said = sample["response"]["statusCode"]
        assert answer.status_code == (201 if "createReply" in path else said), (address, answer.text)
        _same_fields(sample["response"].get("body"), answer, address)


def _query(sample: dict[str, Any]) -> str:
    return str(urlsplit(sample["request"]["url"]).query)


# Of meeting invitations and search folders, and the address that Graph no longer sends with every item.
_OTHERS = {"@odata.id", "@odata.type", "meetingMessageType", "isSupported", "filterQuery"}


def _same_fields(documented: Any, answer: requests.Response, address: str) -> None:
    """Every field that the documentation shows is there; of a list in its first item."""
    if not isinstance(documented, dict):
        return
    ours = answer.json()
    if "value" in documented:
        documented, ours = documented["value"][0], ours["value"][0]
    missing = set(documented) - set(ours) - _OTHERS
    assert missing == set(), f"{address}: {missing}"
