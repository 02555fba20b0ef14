"""Graph's mail: sending as MIME and JSON, drafts with both ids, and what Exchange does to a mail on its way."""

from __future__ import annotations

from email import message_from_string
from email.header import decode_header, make_header
from typing import Any

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


def message(to: str = "bob@example.com", **more: Any) -> dict[str, Any]:
    """A message in Graph's JSON."""
    return {
        "subject": "Hallo Zürich",
        "body": {"contentType": "HTML", "content": "<p>Grüße</p>"},
        "toRecipients": [{"emailAddress": {"address": to, "name": "Bob Müller"}}],
        **more,
    }


@pytest.mark.parametrize("names", [("message", "saveToSentItems"), ("Message", "SaveToSentItems")])
def test_json_goes_out_under_either_spelling(
    sandbox: Sandbox, microsoft: MicrosoftClient, names: tuple[str, str]
) -> None:
    tokens = microsoft.connect(scope=ALL)
    headers = [{"name": "X-Truesend-Delivery", "value": "d-3"}]
    more: dict[str, Any] = {
        "internetMessageHeaders": headers,
        "bccRecipients": [{"emailAddress": {"address": "hidden@example.com"}}],
        "replyTo": [{"emailAddress": {"address": "desk@contoso.com"}}],
        "importance": "High",
    }
    body = {names[0]: message(**more)}
    assert microsoft.graph("POST", "me/sendMail", tokens, json=body).status_code == 202
    (arrived,) = sandbox.messages(delivery="d-3")
    raw = message_from_string(arrived["raw"])
    assert str(make_header(decode_header(raw["Subject"]))) == "Hallo Zürich"
    assert raw.get_payload(decode=True) == "<p>Grüße</p>".encode()
    assert (raw["Reply-To"], raw["Importance"]) == ("desk@contoso.com", "high")
    assert "hidden@example.com" in arrived["to"]
    assert "hidden" not in arrived["raw"]
    unsaved = {names[0]: message(), names[1]: False}
    assert microsoft.graph("POST", "me/sendMail", tokens, json=unsaved).status_code == 202
    kept = microsoft.graph("GET", "me/mailFolders/sentitems/messages", tokens).json()["value"]
    (sent,) = kept
    assert sent["body"]["content"] == "<p>Grüße</p>"
    assert sent["bccRecipients"][0]["emailAddress"]["address"] == "hidden@example.com"
    assert sent["toRecipients"][0]["emailAddress"] == {"name": "Bob Müller", "address": "bob@example.com"}


def many(count: int) -> list[dict[str, Any]]:
    return [{"emailAddress": {"address": f"p{number}@example.com"}} for number in range(count)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "ErrorInvalidRequest")),
        ({"message": message(toRecipients=[])}, (400, "ErrorInvalidRecipients")),
        ({"message": message("nobody")}, (400, "ErrorInvalidRecipients")),
        ({"message": message(toRecipients=many(501))}, (400, "ErrorExceededMaxRecipientLimit")),
        ({"message": message(nonsense=1)}, (400, "RequestBodyRead")),
        ({"message": message(subject=1)}, (400, "RequestBodyRead")),
        ({"message": message(importance="vast")}, (400, "RequestBodyRead")),
        ({"message": message(body={"contentType": "rtf"})}, (400, "RequestBodyRead")),
        (
            {"message": message(internetMessageHeaders=[{"name": "List-Id", "value": "x"}])},
            (400, "InvalidInternetMessageHeader"),
        ),
        (
            {"message": message(internetMessageHeaders=[{"name": f"x-{n}", "value": "x"} for n in range(6)])},
            (400, "InvalidInternetMessageHeaderCollection"),
        ),
        ({"message": message(attachments=[{"name": "x"}])}, (400, "ErrorInvalidRequest")),
        (
            {"message": message() | {"from": {"emailAddress": {"address": "boss@contoso.com"}}}},
            (403, "ErrorSendAsDenied"),
        ),
    ],
)
def test_json_that_is_refused(
    sandbox: Sandbox, microsoft: MicrosoftClient, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    tokens = microsoft.connect()
    assert reason(microsoft.graph("POST", "me/sendMail", tokens, json=body)) == expected
    assert sandbox.messages() == []


def test_no_json_and_headers_by_the_switch(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect()
    answer = microsoft.graph(
        "POST", "me/sendMail", tokens, data="{", headers={"Content-Type": "application/json"}
    )
    assert reason(answer) == (400, "BadRequest")
    sandbox.switch("microsoft", custom_headers_on_send=False)
    body = {"message": message(internetMessageHeaders=[{"name": "x-a", "value": "b"}])}
    assert microsoft.graph("POST", "me/sendMail", tokens, json=body).status_code == 400
    assert microsoft.graph("POST", "me/sendMail", tokens, json={"message": message()}).status_code == 202


def test_another_mailbox_sends_by_right_and_scope(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.account(
        "ada@contoso.com", "microsoft", send_as=["desk@contoso.com"], send_on_behalf=["boss@contoso.com"]
    )
    plain = microsoft.connect()
    body = {"message": message() | {"from": {"emailAddress": {"address": "desk@contoso.com"}}}}
    assert reason(microsoft.graph("POST", "me/sendMail", plain, json=body)) == (403, "ErrorSendAsDenied")
    shared = microsoft.connect(scope=f"{ALL} Mail.Send.Shared")
    assert microsoft.graph("POST", "me/sendMail", shared, json=body).status_code == 202
    body["message"]["from"]["emailAddress"]["address"] = "boss@contoso.com"
    assert microsoft.graph("POST", "me/sendMail", shared, json=body).status_code == 202
    as_desk, for_boss = (message_from_string(item["raw"]) for item in sandbox.messages())
    assert (as_desk["From"], as_desk["Sender"]) == ("desk@contoso.com", None)
    assert (for_boss["From"], for_boss["Sender"]) == ("boss@contoso.com", "Ada <ada@contoso.com>")


@pytest.mark.parametrize("way", ["send", "draft"])
@pytest.mark.parametrize("switch", ["rewrite", "preserve"])
def test_a_message_id_given_in_mime(
    sandbox: Sandbox, microsoft: MicrosoftClient, way: str, switch: str
) -> None:
    sandbox.switch("microsoft", message_id=switch)
    tokens = microsoft.connect(scope=ALL)
    text = mail(Message_ID="<mine@truesend>")
    if way == "send":
        microsoft.send(tokens, text)
    else:
        draft = microsoft.draft(tokens, text)
        assert (draft["internetMessageId"] == "<mine@truesend>") == (switch == "preserve")
        microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    number = message_from_string(sandbox.messages()[0]["raw"])["Message-ID"]
    if switch == "preserve":
        assert number == "<mine@truesend>"
    else:
        assert number.endswith(".prod.outlook.com>")


def test_an_account_without_a_mailbox_or_blocked_for_sending(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens)
    sandbox.account("ada@contoso.com", "microsoft", send_block=True)
    blocked = microsoft.send(tokens)
    assert reason(blocked) == (554, "ErrorMessageSubmissionBlocked")
    assert "WASCL UserAction verdict is not None" in blocked.json()["error"]["message"]
    sent = microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    assert sent.status_code == 554
    assert microsoft.get(tokens, draft["id"]).json()["isDraft"] is True
    sandbox.account("ada@contoso.com", "microsoft", send_block=False, mailbox_enabled=False)
    assert reason(microsoft.send(tokens)) == (403, "MailboxNotEnabledForRESTAPI")
    check = microsoft.graph("POST", "me/sendMail", tokens, data=b"!", headers=TEXT)
    assert check.status_code == 403, "the mailbox is looked at before the content"
    sandbox.switch("microsoft", mailbox_missing_status=404)
    assert reason(microsoft.get(tokens, draft["id"])) == (404, "MailboxNotEnabledForRESTAPI")
    assert microsoft.graph("GET", "me", tokens).status_code == 200
    sandbox.account("ada@contoso.com", "microsoft", mailbox_enabled=True, deleted=True)
    assert reason(microsoft.send(tokens)) == (404, "ErrorInvalidUser")
    assert reason(microsoft.graph("GET", "me", tokens)) == (404, "Request_ResourceNotFound")
    assert sandbox.messages() == []


def test_the_limit_of_the_day_bounces_or_refuses(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", daily_recipients=2)
    tokens = microsoft.connect(scope=ALL)
    assert microsoft.send(tokens, mail(to="a@example.com, b@example.com")).status_code == 202
    assert microsoft.send(tokens, mail(subject="Third")).status_code == 202
    assert sandbox.messages(to="bob@example.com") == []
    (report,) = microsoft.graph("GET", "me/mailFolders/inbox/messages", tokens).json()["value"]
    assert report["subject"] == "Undeliverable: Third"
    whole = microsoft.graph("GET", f"me/messages/{report['id']}/$value", tokens).text
    assert "Status: 5.1.90" in whole
    sandbox.switch("microsoft", daily_limit_answer="refuse")
    assert reason(microsoft.send(tokens)) == (429, "ErrorExceededMessageLimit")
    sandbox.advance(86_401)
    assert microsoft.send(microsoft.connect()).status_code == 202


def test_mail_to_oneself_lands_in_the_inbox_too(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    microsoft.send(tokens, mail(to="ada@contoso.com", X_Truesend_Delivery="d-4"))
    for folder in ("inbox", "sentitems"):
        (found,) = microsoft.graph("GET", f"me/mailFolders/{folder}/messages", tokens).json()["value"]
        assert found["isRead"] is (folder == "sentitems")
    assert sandbox.messages(delivery="d-4")[0]["count"] == 1


def test_answers_come_back_into_the_conversation(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens)
    microsoft.graph("POST", f"me/messages/{draft['id']}/send", tokens, headers=IMMUTABLE)
    (arrived,) = sandbox.messages()
    sandbox.act(arrived["id"], "reply", text="Yes please")
    sandbox.act(arrived["id"], "bounce")
    sandbox.act(arrived["id"], "delay")
    select = {"$select": "subject,conversationId,internetMessageHeaders,from,bodyPreview"}
    listed = microsoft.graph("GET", "me/mailFolders/inbox/messages", tokens, params=select).json()["value"]
    delay, bounce, reply = listed
    assert {one["conversationId"] for one in listed} == {draft["conversationId"]}
    headers = {one["name"].lower(): one["value"] for one in reply["internetMessageHeaders"]}
    assert headers["in-reply-to"] == draft["internetMessageId"]
    assert reply["bodyPreview"].startswith("Yes please")
    assert bounce["from"]["emailAddress"]["name"] == "Microsoft Outlook"
    assert bounce["from"]["emailAddress"]["address"].endswith("@contoso.onmicrosoft.com")
    assert delay["subject"].startswith("Delivery delayed: ")
    whole = message_from_string(microsoft.graph("GET", f"me/messages/{bounce['id']}/$value", tokens).text)
    assert (whole.get_content_type(), whole.get_param("report-type")) == (
        "multipart/report",
        "delivery-status",
    )
    status = whole.get_payload()[1].get_payload()[1]  # type: ignore[union-attr, index]
    assert status["Final-Recipient"] == "rfc822;bob@example.com"  # type: ignore[index]
