"""Graph's mail: sending as MIME and JSON, drafts with both ids, and what Exchange does to a mail on its way."""

from __future__ import annotations

import pytest
from tests.sandbox.google_client import mail
from tests.sandbox.microsoft_client import ALL, IMMUTABLE, SIGN_IN, MicrosoftClient, mime, reason
from tests.sandbox_process import Sandbox

TEXT = {"Content-Type": "text/plain"}


def test_mime_goes_out_with_an_empty_202_and_lands_with_its_mark(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    tokens = microsoft.connect()
    answer = microsoft.send(
        tokens, mail(X_Truesend_Delivery="d-1", From="Eve <eve@evil.com>", Bcc="hidden@example.com")
    )
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["request-id"]
    assert answer.headers["Content-Length"] == "0"
    (arrived,) = sandbox.messages(delivery="d-1")
    assert set(arrived["to"]) == {"bob@example.com", "hidden@example.com"}
    assert "From: Ada <ada@contoso.com>" in arrived["raw"]
    assert "hidden@example.com" not in arrived["raw"]
    assert arrived["provider"] == "microsoft"


def test_a_draft_keeps_its_immutable_id_and_message_id_through_send(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens, mail(X_Truesend_Delivery="d-2", Bcc="hidden@example.com"))
    assert draft["isDraft"] is True
    assert sandbox.messages() == []
    by_default = microsoft.graph("GET", "me/messages/" + draft["id"], tokens)
    assert reason(by_default) == (404, "ErrorItemNotFound"), "an immutable id wants its header"
    sent = microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    assert (sent.status_code, sent.content) == (202, b"")
    kept = microsoft.get(tokens, draft["id"]).json()
    assert kept["isDraft"] is False
    assert kept["internetMessageId"] == draft["internetMessageId"]
    assert kept["parentFolderId"] != draft["parentFolderId"]
    assert kept["bccRecipients"][0]["emailAddress"]["address"] == "hidden@example.com"
    (arrived,) = sandbox.messages(delivery="d-2")
    assert arrived["count"] == 1
    assert draft["internetMessageId"] in arrived["raw"]
    again = microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    assert reason(again) == (404, "ErrorItemNotFound")
    sandbox.switch("microsoft", second_send="bad_request")
    again = microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    assert again.status_code == 400
    assert len(sandbox.messages()) == 1


def test_the_default_id_changes_when_the_item_moves(microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    body = {"subject": "Hi", "toRecipients": [{"emailAddress": {"address": "bob@example.com"}}]}
    draft = microsoft.graph("POST", "me/messages", tokens, json=body).json()
    assert microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens).status_code == 202
    assert reason(microsoft.graph("GET", f"me/messages/{draft['id']}", tokens)) == (404, "ErrorItemNotFound")


def test_a_sent_draft_may_be_nowhere_for_a_while(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", transit_seconds=20)
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens)
    microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    assert reason(microsoft.get(tokens, draft["id"])) == (404, "ErrorItemNotFound")
    assert len(sandbox.messages()) == 1
    sandbox.advance(21)
    assert microsoft.get(tokens, draft["id"]).json()["isDraft"] is False


@pytest.mark.parametrize(
    ("scope", "data", "expected"),
    [
        (SIGN_IN + " User.Read", b"!", (403, "ErrorAccessDenied")),
        (ALL, b"!", (400, "ErrorMimeContentInvalidBase64String")),
        (ALL, mime(b"Subject: x\r\n\r\nno recipient"), (400, "ErrorInvalidRecipients")),
        (ALL, mime(b"To: a@b.co\r\n\r\n") + b"A" * 4_194_304, (413, "RequestEntityTooLarge")),
    ],
    ids=["scope", "base64", "recipients", "size"],
)
def test_what_is_refused_before_anything_is_sent(
    sandbox: Sandbox, microsoft: MicrosoftClient, scope: str, data: bytes, expected: tuple[int, str]
) -> None:
    tokens = microsoft.connect(scope=scope)
    answer = microsoft.graph("POST", "me/sendMail", tokens, data=data, headers=TEXT)
    assert reason(answer) == expected
    assert answer.json()["error"]["innerError"]["request-id"] == answer.headers["request-id"]
    assert sandbox.messages() == []
