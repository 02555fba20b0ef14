"""Reading by Graph: filters, order, pages, folders, extended properties, files, replies, and what a scope hides."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests
from tests.sandbox.google_client import mail
from tests.sandbox.microsoft_client import ADA, ALL, IMMUTABLE, SIGN_IN, MicrosoftClient, Tokens, reason
from tests.sandbox_process import Sandbox

MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Mark"


def listed(
    microsoft: MicrosoftClient, tokens: Tokens, folder: str = "", **query: str
) -> list[dict[str, Any]]:
    """The messages of one page."""
    path = f"me/mailFolders/{folder}/messages" if folder else "me/messages"
    answer = microsoft.graph("GET", path, tokens, params={f"${name}": value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def subjects(found: list[dict[str, Any]]) -> list[str]:
    return [one["subject"] for one in found]


def new(microsoft: MicrosoftClient, tokens: Tokens, subject: str, **more: Any) -> dict[str, Any]:
    """A draft from JSON."""
    body = {"subject": subject, "toRecipients": [{"emailAddress": {"address": "bob@example.com"}}], **more}
    answer = microsoft.graph("POST", "me/messages", tokens, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_messages_are_found_by_each_filter(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = new(
        microsoft, tokens, "It's a draft", singleValueExtendedProperties=[{"id": MARK, "value": "m-1"}]
    )
    other = new(
        microsoft, tokens, "Other draft", singleValueExtendedProperties=[{"id": MARK, "value": "m-2"}]
    )
    sandbox.advance(60)
    microsoft.send(tokens, mail(subject="Sent", to="bob@example.com, ada@contoso.com"))
    at, later = draft["receivedDateTime"], other["receivedDateTime"]
    number = draft["internetMessageId"]
    mark = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}'"
    for text, expected in {
        f"internetMessageId eq '{number}'": ["It's a draft"],
        "subject eq 'It''s a draft'": ["It's a draft"],
        f"{mark} and ep/value eq 'm-1')": ["It's a draft"],
        f"{mark.replace('Any', 'any')})": ["Other draft", "It's a draft"],
        f"{mark} and ep/value eq 'm-3')": [],
        "isDraft eq false": ["Sent", "Sent"],
        "isDraft eq false and isRead eq false": ["Sent"],
        f"receivedDateTime gt {later}": ["Sent", "Sent"],
        f"receivedDateTime ge {at} and isDraft eq true": ["Other draft", "It's a draft"],
        f"sentDateTime le {later}": ["Other draft", "It's a draft"],
        f"(receivedDateTime lt {at}) or startswith(subject, 'other')": ["Other draft"],
        "not contains(subject, 'draft')": ["Sent", "Sent"],
        f"conversationId eq '{draft['conversationId']}'": ["It's a draft"],
        "from/emailAddress/address eq 'ADA@contoso.com'": ["Sent", "Sent"],
        f"parentFolderId eq '{draft['parentFolderId']}'": ["Other draft", "It's a draft"],
        "hasAttachments eq true": [],
    }.items():
        assert subjects(listed(microsoft, tokens, filter=text)) == expected, text
    assert subjects(listed(microsoft, tokens, "drafts", orderby="subject")) == ["It's a draft", "Other draft"]
    sorted_too = {"filter": f"receivedDateTime ge {at}", "orderby": "receivedDateTime asc"}
    assert subjects(listed(microsoft, tokens, **sorted_too))[0] == "It's a draft"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"$filter": "colour eq 'red'"}, "RequestBroker--ParseUri"),
        ({"$filter": "subject eq"}, "BadRequest"),
        ({"$filter": "subject is 'x'"}, "BadRequest"),
        ({"$filter": "(subject eq 'x'"}, "BadRequest"),
        ({"$filter": "subject eq 'x"}, "BadRequest"),
        ({"$filter": "subject eq 'x'; DROP TABLE calls"}, "BadRequest"),
        ({"$filter": "receivedDateTime ge yesterday"}, "BadRequest"),
        ({"$filter": "receivedDateTime ge 2026-99-01"}, "BadRequest"),
        ({"$filter": "isDraft eq 'yes'"}, "BadRequest"),
        ({"$filter": "contains(isDraft, 'x')"}, "ErrorInvalidUrlQueryFilter"),
        ({"$filter": "singleValueExtendedProperties/Any(ep: ep/value eq 'x')"}, "ErrorInvalidUrlQueryFilter"),
        ({"$filter": "isRead eq true", "$orderby": "receivedDateTime"}, "InefficientFilter"),
        ({"$orderby": "colour"}, "RequestBroker--ParseUri"),
        ({"$top": "1001"}, "RequestBroker--ParseUri"),
        ({"$top": "x"}, "RequestBroker--ParseUri"),
        ({"$skiptoken": "!"}, "ErrorInvalidUrlQuery"),
        ({"$select": "colour"}, "RequestBroker--ParseUri"),
        ({"$expand": "colours"}, "RequestBroker--ParseUri"),
        ({"$search": "x"}, "BadRequest"),
        ({"$apply": "x"}, "BadRequest"),
    ],
)
def test_a_wrong_query_is_refused(microsoft: MicrosoftClient, query: dict[str, str], code: str) -> None:
    tokens = microsoft.connect(scope=ALL)
    assert reason(microsoft.graph("GET", "me/messages", tokens, params=query)) == (400, code)


def test_pages_follow_one_another(microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    for number in range(12):
        new(microsoft, tokens, f"{number:02d}")
    first = microsoft.graph(
        "GET", "me/messages", tokens, params={"$count": "true", "$select": "subject"}
    ).json()
    assert (len(first["value"]), first["@odata.count"]) == (10, 12)
    assert set(first["value"][0]) == {"@odata.etag", "id", "subject"}
    second = requests.get(first["@odata.nextLink"], headers=tokens.header, timeout=10).json()
    assert subjects(first["value"] + second["value"]) == [f"{number:02d}" for number in reversed(range(12))]
    assert "@odata.nextLink" not in second
    assert subjects(listed(microsoft, tokens, top="3", skip="9")) == ["02", "01", "00"]


def test_a_listing_may_lag_and_folders_count(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    sandbox.switch("microsoft", listing_delay=30)
    tokens = microsoft.connect(scope=ALL)
    microsoft.send(tokens, mail(to=ADA))
    assert listed(microsoft, tokens) == []
    sandbox.advance(31)
    assert len(listed(microsoft, tokens)) == 2
    folders = microsoft.graph("GET", "me/mailFolders", tokens).json()["value"]
    counts = {one["displayName"]: (one["totalItemCount"], one["unreadItemCount"]) for one in folders}
    assert counts == {
        "Inbox": (1, 1),
        "Drafts": (0, 0),
        "Sent Items": (1, 0),
        "Deleted Items": (0, 0),
        "Junk Email": (0, 0),
    }
    inbox = microsoft.graph("GET", "me/mailFolders/Inbox", tokens).json()
    assert microsoft.graph("GET", f"me/mailFolders/{inbox['id']}", tokens).json()["displayName"] == "Inbox"
    assert len(listed(microsoft, tokens, inbox["id"])) == 1
    for path in ("me/mailFolders/nowhere", "me/mailFolders/nowhere/messages"):
        assert reason(microsoft.graph("GET", path, tokens)) == (404, "ErrorItemNotFound")


def test_a_draft_is_changed_and_deleted(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = new(microsoft, tokens, "First", singleValueExtendedProperties=[{"id": MARK, "value": "m"}])
    path = f"me/messages/{draft['id']}"
    change = {
        "subject": "Second",
        "body": {"contentType": "text", "content": "plain"},
        "ccRecipients": [{"emailAddress": {"address": "cc@example.com"}}],
        "internetMessageId": "<own@truesend>",
        "categories": ["Red"],
    }
    changed = microsoft.graph("PATCH", path, tokens, json=change).json()
    assert changed["changeKey"] != draft["changeKey"]
    for name, value in {**change, "ccRecipients": changed["ccRecipients"]}.items():
        assert changed[name] == value, name
    expand = {"$expand": f"singleValueExtendedProperties($filter=id eq '{MARK}')"}
    assert microsoft.graph("GET", path, tokens, params=expand).json()["singleValueExtendedProperties"] == [
        {"id": MARK, "value": "m"}
    ]
    assert reason(microsoft.graph("PATCH", path, tokens, json={"colour": "red"})) == (400, "RequestBodyRead")
    assert microsoft.graph("DELETE", path, tokens).status_code == 204
    assert reason(microsoft.graph("GET", path, tokens)) == (404, "ErrorItemNotFound"), "its id has changed"
    (deleted,) = listed(microsoft, tokens, "deleteditems")
    assert microsoft.graph("DELETE", f"me/messages/{deleted['id']}", tokens).status_code == 204
    assert listed(microsoft, tokens) == []
    sandbox.switch("microsoft", delete_goes_to="nowhere")
    other = new(microsoft, tokens, "Gone")
    assert microsoft.graph("DELETE", f"me/messages/{other['id']}", tokens).status_code == 204
    assert listed(microsoft, tokens) == []


def test_what_is_sent_cannot_be_rewritten(microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    microsoft.send(tokens)
    (sent,) = listed(microsoft, tokens, "sentitems")
    path = f"me/messages/{sent['id']}"
    refused = microsoft.graph("PATCH", path, tokens, json={"subject": "Other"})
    assert reason(refused) == (400, "ErrorInvalidPropertySet")
    unread = microsoft.graph("PATCH", path, tokens, json={"isRead": False}).json()
    assert unread["isRead"] is False


def test_files_come_back_byte_for_byte_and_stay_when_the_text_changes(
    sandbox: Sandbox, microsoft: MicrosoftClient
) -> None:
    tokens = microsoft.connect(scope=ALL)
    data = bytes(range(256)) * 20
    draft = new(microsoft, tokens, "Files", body={"contentType": "html", "content": "<p>One</p>"})
    path = f"me/messages/{draft['id']}"
    file = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "Bericht größer.pdf",
        "contentType": "application/pdf",
        "contentBytes": base64.b64encode(data).decode(),
    }
    made = microsoft.graph("POST", f"{path}/attachments", tokens, json=file)
    assert made.status_code == 201
    microsoft.graph("PATCH", path, tokens, json={"body": {"contentType": "html", "content": "<p>Two</p>"}})
    shown = microsoft.graph("GET", path, tokens).json()
    assert (shown["hasAttachments"], shown["body"]["content"]) == (True, "<p>Two</p>")
    (one,) = microsoft.graph("GET", f"{path}/attachments", tokens).json()["value"]
    assert (one["name"], one["size"]) == ("Bericht größer.pdf", len(data))
    same = microsoft.graph("GET", f"{path}/attachments/{one['id']}", tokens).json()
    assert base64.b64decode(same["contentBytes"]) == data
    assert reason(microsoft.graph("GET", f"{path}/attachments/x", tokens)) == (404, "ErrorItemNotFound")
    wrong = microsoft.graph("POST", f"{path}/attachments", tokens, json={**file, "contentBytes": "!"})
    assert reason(wrong) == (400, "RequestBodyRead")
    microsoft.graph("POST", f"{path}/send", tokens)
    (arrived,) = sandbox.messages()
    assert base64.b64encode(data[:57]).decode() in arrived["raw"]


def test_replies_stay_in_the_conversation(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    bea = microsoft.connect("bea@contoso.com")
    microsoft.send(bea, mail(to="ada@contoso.com, bob@example.com", subject="Plan", Cc="cc@example.com"))
    (got,) = listed(microsoft, tokens, "inbox")
    path = f"me/messages/{got['id']}"
    draft = microsoft.graph("POST", f"{path}/createReply", tokens, json={"comment": "Yes & no"}).json()
    assert (draft["subject"], draft["conversationId"]) == ("RE: Plan", got["conversationId"])
    assert [one["emailAddress"]["address"] for one in draft["toRecipients"]] == ["bea@contoso.com"]
    assert "Yes &amp; no" in draft["body"]["content"]
    everybody = microsoft.graph("POST", f"{path}/createReplyAll", tokens, json={}).json()
    assert [one["emailAddress"]["address"] for one in everybody["toRecipients"]] == [
        "bea@contoso.com",
        "bob@example.com",
    ]
    assert everybody["ccRecipients"][0]["emailAddress"]["address"] == "cc@example.com"
    assert microsoft.graph("POST", f"{path}/reply", tokens, json={"comment": "Sent"}).status_code == 202
    arrived = sandbox.messages(to="bea@contoso.com")[-1]
    assert f"In-Reply-To: {got['internetMessageId']}" in arrived["raw"]
    both = {"comment": "x", "message": {"body": {"contentType": "text", "content": "y"}}}
    assert reason(microsoft.graph("POST", f"{path}/reply", tokens, json=both)) == (400, "ErrorInvalidRequest")
    assert reason(microsoft.graph("POST", "me/messages/x/reply", tokens, json={})) == (
        404,
        "ErrorItemNotFound",
    )


def test_basic_reading_hides_what_it_must(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=f"{SIGN_IN} Mail.ReadBasic")
    microsoft.send(microsoft.connect("bea@contoso.com"), mail(to=ADA))
    (found,) = listed(microsoft, tokens)
    assert found["subject"] == "Hello"
    assert not {"body", "bodyPreview"} & set(found)
    for path in (f"me/messages/{found['id']}/$value", f"me/messages/{found['id']}/attachments"):
        assert reason(microsoft.graph("GET", path, tokens)) == (403, "ErrorAccessDenied")


def test_headers_of_sent_mail_by_the_switch(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    microsoft.send(tokens, mail(to="ada@contoso.com", X_Truesend_Delivery="d"))
    select = {"select": "internetMessageHeaders"}

    def names(folder: str) -> set[str]:
        (one,) = listed(microsoft, tokens, folder, **select)
        return {header["name"].lower() for header in one.get("internetMessageHeaders", [])}

    assert "x-truesend-delivery" in names("inbox")
    assert names("sentitems") == set()
    sandbox.switch("microsoft", headers_of_sent=True)
    assert "x-truesend-delivery" in names("sentitems")


def test_the_text_instead_of_the_html_when_preferred(microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    draft = microsoft.draft(tokens, mail(body="<p>Hi&nbsp;there</p>"))
    prefer = {"Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"'}
    body = microsoft.graph("GET", f"me/messages/{draft['id']}", tokens, headers=prefer).json()["body"]
    assert body["contentType"] == "text"
    assert body["content"].split() == ["Hi", "there"]


def test_a_mailbox_is_nobody_elses(microsoft: MicrosoftClient) -> None:
    tokens, other = microsoft.connect(scope=ALL), microsoft.connect("bea@contoso.com", ALL)
    draft = microsoft.draft(tokens)
    path = f"me/messages/{draft['id']}"
    for method, address in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/send")):
        answer = microsoft.graph(method, address, other, headers=IMMUTABLE, json={})
        assert reason(answer) == (404, "ErrorItemNotFound"), method
    assert microsoft.get(tokens, draft["id"]).json()["isDraft"] is True


def test_people_look_into_sent_items(sandbox: Sandbox, microsoft: MicrosoftClient) -> None:
    tokens = microsoft.connect(scope=ALL)
    microsoft.send(tokens, mail(subject="To be seen"))
    microsoft.draft(tokens, mail(subject="Only a draft"))
    page = requests.get(f"{microsoft.url}/outlook/sentitems?login_hint=Ada@contoso.com", timeout=10)
    assert "To be seen" in page.text
    assert "bob@example.com" in page.text
    assert "Only a draft" not in page.text
    missing = requests.get(f"{microsoft.url}/outlook/sentitems?login_hint=x@y.zz", timeout=10)
    assert missing.status_code == 404
