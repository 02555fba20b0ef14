"""Calls to Graph as they are built, and its answers as they are read."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from truesend.providers.contract import Capability, Message, Request
from truesend.providers.microsoft import drafts, graph
from truesend.providers.microsoft.drafts import Draft
from truesend.providers.microsoft.provider import Microsoft

BASE = "https://graph.microsoft.com/v1.0"
PREFER = 'IdType="ImmutableId"'


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def test_a_send_without_reading_is_the_message_in_base64() -> None:
    raw = b"To: bob@example.com\r\nSubject: \xf0\x9f\x8c\x8d\r\n\r\n" + bytes(range(256))
    request = Microsoft().send_request(Message("m", raw), "token")
    assert (request.method, request.url) == ("POST", f"{BASE}/me/sendMail")
    assert request.headers["Content-Type"] == "text/plain"
    assert request.headers["Authorization"] == "Bearer token"
    assert request.body is not None
    assert base64.b64decode(request.body, validate=True) == raw
    assert "token" not in repr(request)


def test_a_send_with_a_draft_has_an_empty_body_and_its_immutable_id() -> None:
    request = Microsoft().send_request(Message("m", b"raw"), "token", Draft("AAkA/+=").write())
    assert request.url == f"{BASE}/me/messages/AAkA%2F%2B%3D/send"
    assert (request.operation, request.body, request.headers["Prefer"]) == ("drafts.send", b"", PREFER)


def test_the_check_of_a_send_can_send_nothing() -> None:
    (request,) = Microsoft().send_check_requests("token", {Capability.SEND})
    assert (request.url, request.operation) == (f"{BASE}/me/sendMail", "send.check")
    draft, send = Microsoft().send_check_requests("token", {Capability.SEND, Capability.READ})
    assert (draft.url, draft.operation) == (f"{BASE}/me/messages", "send.check")
    for one in (request, draft):
        with pytest.raises(ValueError, match=r"."):
            base64.b64decode(one.body or b"", validate=True)
    assert send.url == f"{BASE}/me/messages/truesend-checks-its-sends/send"
    assert (send.operation, send.body) == ("send.check", b"")


def test_every_call_about_a_message_asks_for_ids_that_stay() -> None:
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for request in (
        graph.draft_request(b"raw", "t", BASE),
        graph.send_draft_request("id", "t", BASE),
        graph.delete_request("id", "t", BASE),
        graph.message_request("id", "t", BASE),
        graph.content_request("id", "t", BASE),
        graph.by_internet_id_request("<a@b>", "t", BASE),
        graph.sent_request(since, "t", BASE),
        graph.drafts_request("t", BASE),
    ):
        assert request.headers["Prefer"] == PREFER


def test_a_message_id_is_safe_in_a_filter() -> None:
    request = graph.by_internet_id_request("<o'neil+1&$top=9@x.prod.outlook.com>", "t", BASE)
    assert query(request)["$filter"] == "internetMessageId eq '<o''neil+1&$top=9@x.prod.outlook.com>'"
    assert query(request)["$top"] == "5"


def test_what_is_ordered_by_stands_in_the_filter() -> None:
    request = graph.sent_request(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "t", BASE)
    asked = query(request)
    assert urlsplit(request.url).path == "/v1.0/me/mailFolders/sentitems/messages"
    assert asked["$filter"] == "sentDateTime ge 2026-01-02T03:04:05Z"
    assert asked["$orderby"].startswith("sentDateTime")
    assert "%20" in request.url
    assert "$filter" in unquote(request.url)


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example/v1.0/me/messages?$skiptoken=x",
        "https://graph.microsoft.com.example/v1.0/me/messages",
        "https://graph.microsoft.com/v1.0.example/",
        "http://graph.microsoft.com/v1.0/me/messages",
        "/v1.0/me/messages",
        f"{BASE}/me messages",
        f"{BASE}/me\r\nX: y",
        f"{BASE}/m\u00e9",
    ],
)
def test_a_page_elsewhere_is_not_asked_for_with_our_key(link: str) -> None:
    assert graph.following_request(link, "t", BASE) is None


def test_the_next_page_is_where_graph_says() -> None:
    link = f"{BASE}/me/mailFolders/sentitems/messages?$skiptoken=abc"
    request = graph.following_request(link, "t", BASE)
    assert request is not None
    assert (request.url, request.headers["Prefer"]) == (link, PREFER)


MESSAGE: dict[str, Any] = {
    "id": "AAkALgAA",
    "isDraft": False,
    "internetMessageId": "<a@EURPRD01.prod.outlook.com>",
    "conversationId": "AAQk",
    "internetMessageHeaders": [
        {"name": "Subject", "value": "Hello"},
        {"name": "x-truesend-delivery", "value": " 17 "},
    ],
}


def test_a_message_is_read() -> None:
    item = graph.read_message(MESSAGE)
    assert item is not None
    assert item.copy.message_id == "AAkALgAA"
    assert (item.copy.thread_id, item.copy.internet_message_id) == ("AAQk", "<a@EURPRD01.prod.outlook.com>")
    assert (item.is_draft, item.mark) == (False, "17")


@pytest.mark.parametrize(
    ("headers", "mark"),
    [(None, None), ([], None), ("x", None), ([{"name": "Subject", "value": "x"}], ""), ([None, 5], "")],
)
def test_headers_that_are_not_shown_are_told_from_others(headers: object, mark: str | None) -> None:
    item = graph.read_message({**MESSAGE, "internetMessageHeaders": headers})
    assert item is not None
    assert item.mark == mark


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None},
        {"id": ""},
        {"id": 5},
        {"id": "a b"},
        {"id": "a\n"},
        {"id": "x" * 1001},
        {"isDraft": None},
        {"isDraft": "false"},
        {"isDraft": 0},
    ],
)
def test_a_message_that_is_none(changed: dict[str, Any]) -> None:
    assert graph.read_message({**MESSAGE, **changed}) is None
    assert graph.read_list({"value": [MESSAGE, {**MESSAGE, **changed}]}) is None


@pytest.mark.parametrize("body", [None, [], "x", {}, {"value": {}}, {"value": None}, {"value": ["x"]}])
def test_a_list_that_is_none(body: object) -> None:
    assert graph.read_list(body) is None


def test_a_list_and_its_next_page() -> None:
    found = graph.read_list({"value": [MESSAGE], "@odata.nextLink": "link"})
    assert found is not None
    assert ([item.copy.message_id for item in found[0]], found[1]) == (["AAkALgAA"], "link")
    assert graph.read_list({"value": []}) == ([], "")


@pytest.mark.parametrize(
    ("content", "mark"),
    [
        (b"Message-ID: <a@b>\r\nX-Truesend-Delivery: 17\r\n\r\nX-Truesend-Delivery: 18", "17"),
        (b"message-id: <a@b>\nx-truesend-delivery:\n 17\n\nbody", "17"),
        (b"Message-ID: <a@b>\r\n\r\nX-Truesend-Delivery: 18", ""),
        (b"<!doctype html><h1>Welcome</h1>", None),
        (b"", None),
        (b"{}", None),
    ],
)
def test_our_mark_in_a_whole_message(content: bytes, mark: str | None) -> None:
    assert graph.mark_in(content) == mark


def test_a_reference_comes_back_as_it_was_written() -> None:
    for draft in (
        Draft("id"),
        Draft("id", "conversation", "<o'neil@x>"),
        Draft("id", "conversation", "<a@b>", sent=True),
    ):
        assert drafts.read(draft.write()) == draft


def test_a_reference_is_never_too_long_and_keeps_its_id() -> None:
    for draft in (Draft("i" * 1000, "c" * 900, "m" * 900), Draft("i" * 1000, "c" * 5000, "m" * 5000)):
        written = draft.write()
        assert len(written) <= 2000
        found = drafts.read(written)
        assert found is not None
        assert found.id == draft.id


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"id": 5}',
        '{"id": ""}',
        '{"id": "a b"}',
        '{"id": "a", "conversation": 5}',
        '{"id": "a", "message": null}',
        '{"id": "a", "other": 1}',
        "[" * 100_000,
        "AAkALgAA",
    ],
)
def test_a_reference_that_is_none_of_ours(reference: str) -> None:
    assert drafts.read(reference) is None


def test_accepted_ids_are_those_of_the_draft() -> None:
    from truesend.providers.http import Answer

    adapter, accepted = Microsoft(), Answer(202, {}, b"", 1)
    assert adapter.read_accepted(accepted) == ("", "")
    assert adapter.read_accepted(accepted, Draft("id", "conversation").write()) == ("id", "conversation")
    assert adapter.read_accepted(Answer(200, {}, json.dumps(MESSAGE).encode(), 1)) is None


def test_only_with_reading_is_a_draft_made() -> None:
    adapter = Microsoft()
    assert not adapter.prepares({Capability.SEND})
    assert adapter.prepares({Capability.SEND, Capability.READ})


@pytest.mark.parametrize(
    ("held", "granted"),
    [
        (["https://graph.microsoft.com/Mail.Send", "openid"], {"send"}),
        (["Mail.Send"], {"send"}),
        (["mail.send", "MAIL.READWRITE"], {"send", "read"}),
        (["https://graph.microsoft.com/Mail.ReadWrite", "User.Read"], {"read"}),
        (["Mail.Read", "Mail.ReadBasic", "Mail.Send.Shared", "Mail.ReadWrite.Shared"], set()),
        (["https://outlook.office.com/Mail.Send"], set()),
        ([], set()),
    ],
)
def test_what_scopes_allow(held: list[str], granted: set[str]) -> None:
    assert Microsoft().granted(held) == granted
    assert Microsoft().granted(Microsoft().scopes([Capability.SEND])) == {"send"}
    assert Microsoft().granted(Microsoft().scopes(Capability)) == {"send", "read"}


@pytest.mark.parametrize(
    ("address", "begins"),
    [
        ("ana@northwind.example", "https://outlook.office.com/mail/sentitems?"),
        ("ana@hotmail.co.uk", "https://outlook.live.com/mail/0/sentitems?"),
    ],
)
def test_the_way_to_sent_items(address: str, begins: str) -> None:
    url = Microsoft().sent_folder_url(address)
    assert url.startswith(begins)
    assert parse_qs(urlsplit(url).query) == {"login_hint": [address]}
