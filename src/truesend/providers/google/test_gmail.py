"""Reading what Gmail answers, in every shape that it could have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from truesend.providers.contract import SentCopy
from truesend.providers.google import gmail

MARK = "3f0e9a52-0000-4000-8000-000000000001"


def message(*headers: tuple[str, Any], **more: Any) -> dict[str, Any]:
    listed = [{"name": name, "value": value} for name, value in headers]
    return {
        "id": "18f85d2eb6adb232",
        "threadId": "18f85d2eb6adb000",
        "labelIds": ["SENT"],
        "internalDate": "1715945597000",
        "payload": {"headers": listed},
        **more,
    }


def test_a_message_with_our_mark() -> None:
    read = gmail.read_message(
        message(("x-truesend-delivery", f" {MARK} "), ("Message-Id", "<a@mail.gmail.com>"))
    )
    assert read is not None
    assert read.copy == SentCopy("18f85d2eb6adb232", "18f85d2eb6adb000", "<a@mail.gmail.com>")
    assert (read.mark, read.is_readable) == (MARK, True)
    assert read.at == datetime(2024, 5, 17, 11, 33, 17, tzinfo=UTC)


def test_the_first_of_two_headers_counts() -> None:
    read = gmail.read_message(
        message(("X-Truesend-Delivery", MARK), ("X-Truesend-Delivery", "another"), ("Message-ID", "<a@b>"))
    )
    assert read is not None
    assert read.mark == MARK


def test_a_draft_is_no_trace() -> None:
    headers = (("X-Truesend-Delivery", MARK), ("Message-ID", "<a@b>"))
    read = gmail.read_message(message(*headers, labelIds=["DRAFT"]))
    assert read is not None
    assert read.mark == ""


@pytest.mark.parametrize(
    "body",
    [
        message(),
        message(("X-Other", "x")),
        message(payload=None),
        message(payload={}),
        message(payload={"headers": "none"}),
        message(payload={"headers": ["none", 5]}),
        message(("Message-ID", None)),
    ],
)
def test_a_message_without_its_headers_is_not_readable(body: dict[str, Any]) -> None:
    read = gmail.read_message(body)
    assert read is not None
    assert (read.mark, read.is_readable) == ("", False)


@pytest.mark.parametrize("date", [None, "", "soon", "1e400", [], "9" * 40, "-9" + "9" * 30])
def test_a_date_that_cannot_be_read(date: object) -> None:
    read = gmail.read_message(message(internalDate=date))
    assert read is not None
    assert read.at is None


@pytest.mark.parametrize("body", [None, [], "x", 5, {}, {"id": 5}, {"id": None}])
def test_no_message_at_all(body: object) -> None:
    assert gmail.read_message(body) is None


def change(message_id: str = "a", labels: object = None, changed: object = None) -> dict[str, Any]:
    inner: dict[str, Any] = {"id": message_id, "threadId": "t"}
    outer: dict[str, Any] = {"message": inner}
    if labels is not None:
        inner["labelIds"] = labels
    if changed is not None:
        outer["labelIds"] = changed
    return outer


def test_a_page_of_history() -> None:
    page = gmail.read_history(
        {
            "history": [
                {"id": "1", "messages": [{"id": "z"}]},
                {"id": "2", "messagesAdded": [change("new", ["SENT"])]},
                {"id": "3", "messagesAdded": [change("unlabelled")]},
                {"id": "4", "labelsAdded": [change("draft", ["SENT"], ["SENT"])]},
                {"id": "5", "labelsAdded": [change("starred", ["SENT", "STARRED"], ["STARRED"])]},
                {"id": "6", "messagesDeleted": [change("gone", ["SENT"])]},
                {"id": "7", "messagesDeleted": [change("binned", ["TRASH"])]},
                {"id": "8", "messagesDeleted": [change("old draft", ["DRAFT"]), change("spam", ["SPAM"])]},
                {"id": "9", "messagesDeleted": [change("whose"), change("whose too", [])]},
            ],
            "historyId": "12345678901234567890",
            "nextPageToken": "next",
        }
    )
    assert page is not None
    assert page.sent == ("new", "unlabelled", "draft")
    assert page.deleted == ("gone", "binned", "whose", "whose too")
    assert (page.newest, page.following) == (12345678901234567890, "next")


def test_nothing_new_has_no_history_at_all() -> None:
    page = gmail.read_history({"historyId": 1754293})
    assert page is not None
    assert (page.sent, page.deleted, page.newest, page.following) == ((), (), 1754293, "")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"history": []},
        {"history": None, "historyId": "5"},
        {"history": ["x"], "historyId": "5"},
        {"history": [{"messagesAdded": {}}], "historyId": "5"},
        {"history": [{"messagesAdded": [None]}], "historyId": "5"},
        {"history": [{"messagesAdded": [{"message": {}}]}], "historyId": "5"},
        {"history": [{"messagesDeleted": [{"message": {"id": 5}}]}], "historyId": "5"},
    ],
)
def test_a_history_that_is_none(body: object) -> None:
    assert gmail.read_history(body) is None


def test_a_listing() -> None:
    assert gmail.read_listing({"messages": [{"id": "a"}, {"id": "b"}], "nextPageToken": "n"}) == (
        ["a", "b"],
        "n",
    )
    assert gmail.read_listing({"resultSizeEstimate": 0}) == ([], "")


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"messages": {}}, {"messages": None}, {"messages": ["a"]}, {"messages": [{"id": 1}]}],
)
def test_a_listing_that_is_none(body: object) -> None:
    assert gmail.read_listing(body) is None


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"historyId": "123"}, "123"),
        ({"historyId": 123}, "123"),
        (None, None),
        ([], None),
        ({}, None),
        ({"historyId": ""}, None),
        ({"historyId": "-5"}, None),
        ({"historyId": "9" * 21}, None),
    ],
)
def test_a_position(body: object, number: str | None) -> None:
    assert gmail.read_position(body) == number


def test_when_a_message_was_made() -> None:
    assert gmail.made_at("18f85d2eb6adb232") == datetime(2024, 5, 17, 9, 12, 23, 658000, tzinfo=UTC)
    for other in ("", "18f85d2eb6adb23", "msg-a:r123456789", "zzzzzzzzzzzzzzzz", "18f85d2eb6adb2320"):
        assert gmail.made_at(other) is None


def test_a_read_never_searches() -> None:
    for request in (
        gmail.sent_listing_request("t", "", "https://g"),
        gmail.history_request("t", "5", ("messageAdded",), "SENT", "p/+", "https://g"),
        gmail.message_request("t", "a/b?c", "https://g"),
    ):
        assert "q=" not in request.url
        assert "t" not in request.url.partition("://")[2].split("/")[0]
        assert request.headers == {"Authorization": "Bearer t"}
    assert gmail.message_request("t", "a/b?c", "https://g").url.startswith(
        "https://g/gmail/v1/users/me/messages/a%2Fb%3Fc?format=metadata"
    )


def test_addresses_to_send_from_are_the_verified_ones() -> None:
    body = {
        "sendAs": [
            {"sendAsEmail": "ana@northwind.example", "displayName": "Ana", "isPrimary": True},
            {"sendAsEmail": "sales@northwind.example", "verificationStatus": "accepted"},
            {"sendAsEmail": "new@northwind.example", "verificationStatus": "pending"},
            {"sendAsEmail": "odd@northwind.example"},
            {"sendAsEmail": 7, "verificationStatus": "accepted"},
            "nonsense",
        ]
    }
    found = gmail.read_senders(body)
    assert found is not None
    assert [(one.address, one.name) for one in found] == [
        ("ana@northwind.example", "Ana"),
        ("sales@northwind.example", ""),
    ]
    nothing: list[Any] = [None, [], {}, {"sendAs": {}}]
    assert [gmail.read_senders(one) for one in nothing] == [None] * 4
