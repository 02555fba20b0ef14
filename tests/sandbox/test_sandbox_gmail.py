"""Gmail's rules for sending, threads, reading and limits, as google.md has them."""

from __future__ import annotations

import base64

import pytest
import requests
from tests.sandbox.google_client import (
    COMPOSE,
    PREFIX,
    READ,
    SEND,
    SIGN_IN,
    GoogleClient,
    Tokens,
    mail,
    raw,
    reason,
)
from tests.sandbox_process import Sandbox

BOTH = f"{SIGN_IN} {SEND} {READ}"


def _header(google: GoogleClient, tokens: Tokens, message_id: str, name: str) -> str | None:
    payload = google.gmail("GET", f"messages/{message_id}?format=metadata", tokens).json()["payload"]
    return next((item["value"] for item in payload["headers"] if item["name"].lower() == name.lower()), None)


def test_what_happens_to_a_mail_on_its_way(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.account("ada@gmail.com", name="Ada", send_as=[{"email": "sales@example.com"}])
    tokens = google.connect(scope=BOTH)
    body = "<p>Grüße, <b>  byte exact </b></p>"
    message = mail(
        body=body,
        From='"Somebody Else" <ceo@elsewhere.example>',
        Bcc="secret@example.com",
        Message_ID="<mine@truesend>",
        X_Truesend_Delivery="d-1",
    )
    sent = google.send(tokens, message).json()
    assert _header(google, tokens, sent["id"], "bcc") == "secret@example.com"
    assert _header(google, tokens, sent["id"], "x-truesend-delivery") == "d-1"
    assert _header(google, tokens, sent["id"], "from") == "Somebody Else <ada@gmail.com>"
    (arrived,) = sandbox.messages(delivery="d-1")
    assert arrived["to"] == ["bob@example.com", "secret@example.com"]
    assert "secret@example.com" not in arrived["raw"]
    assert "<mine@truesend>" not in arrived["raw"]
    assert "@mail.gmail.com>" in arrived["raw"]
    assert arrived["raw"].endswith("\r\n\r\n" + body)
    alias = google.send(tokens, mail(From="Sales <sales@example.com>")).json()
    assert _header(google, tokens, alias["id"], "from") == "Sales <sales@example.com>"
    sandbox.switch(message_id="preserve")
    kept = google.send(tokens, mail(Message_ID="<mine@truesend>")).json()
    assert _header(google, tokens, kept["id"], "message-id") == "<mine@truesend>"


def test_accounts_of_the_sandbox_get_their_mail_in_the_inbox_and_threads_hold(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    ada, bea = google.connect(scope=BOTH), google.connect("bea@gmail.com", BOTH)
    sent = google.send(ada, mail(to="Bea <bea@gmail.com>")).json()
    (inbox,) = google.gmail("GET", "messages?labelIds=INBOX", bea).json()["messages"]
    number = _header(google, bea, inbox["id"], "message-id")
    assert number == _header(google, ada, sent["id"], "message-id")
    answer = mail(to="ada@gmail.com", subject="Re: Hello", In_Reply_To=number or "", References=number or "")
    reply = google.send(bea, answer, threadId=inbox["threadId"]).json()
    assert reply["threadId"] == inbox["threadId"]
    (came,) = google.gmail("GET", "messages?labelIds=INBOX", ada).json()["messages"]
    assert came["threadId"] == sent["threadId"], "threads are per mailbox, joined by references"
    other_subject = mail(to="ada@gmail.com", subject="Other", In_Reply_To=number or "")
    assert google.send(bea, other_subject, threadId=inbox["threadId"]).json()["threadId"] != inbox["threadId"]
    no_reference = mail(to="ada@gmail.com", subject="Re: Hello")
    assert google.send(bea, no_reference, threadId=inbox["threadId"]).json()["threadId"] != inbox["threadId"]
    unknown = google.send(bea, answer, threadId="18f85d2eb6adb232")
    assert reason(unknown) == (404, "notFound")


def test_mail_to_oneself_is_one_message_with_both_labels(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect(scope=BOTH)
    sent = google.send(tokens, mail(to="ada@gmail.com", X_Truesend_Delivery="self")).json()
    assert set(sent["labelIds"]) == {"SENT", "INBOX", "UNREAD"}
    assert google.gmail("GET", "profile", tokens).json()["messagesTotal"] == 1
    assert sandbox.messages(to="ada@gmail.com")[0]["count"] == 1


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"Subject: nobody\r\n\r\nx", "Recipient address required"),
        (mail(to="not an address"), "Invalid To header"),
        (mail(Cc="broken@"), "Invalid Cc header"),
        (b"no header at all", "'raw' RFC822 payload"),
    ],
)
def test_bad_mail_is_refused_and_nothing_leaves(
    sandbox: Sandbox, google: GoogleClient, message: bytes, says: str
) -> None:
    answer = google.send(google.connect(), message)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert says in answer.json()["error"]["message"]
    assert sandbox.messages() == []


def test_bad_bodies(google: GoogleClient) -> None:
    tokens = google.connect()
    for body in (b"{", b"[]", b'{"raw": 3}', b'{"raw": "***"}', b"{}"):
        answer = google.gmail("POST", "messages/send", tokens, data=body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["code"] == 400


def test_json_has_a_limit_that_the_upload_address_has_not(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect()
    big = mail(body="x" * 4_000_000)
    assert google.send(tokens, big).status_code == 413
    upload = f"{google.url}/upload/gmail/v1/users/me/messages/send?uploadType=media"
    headers = {**tokens.header, "Content-Type": "message/rfc822"}
    assert requests.post(upload, data=big, headers=headers, timeout=30).status_code == 200
    too_big = mail(body="x" * 36_700_160)
    assert requests.post(upload, data=too_big, headers=headers, timeout=60).status_code == 413
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize(
    ("scope", "path", "allowed"),
    [
        (SEND, "profile", False),
        (SEND, "messages", False),
        (SEND, "history?startHistoryId=1000000", False),
        (SEND, "drafts", False),
        (SEND, "settings/sendAs", False),
        (READ, "profile", True),
        (READ, "messages", True),
        (READ, "drafts", True),
        (READ, "settings/sendAs", True),
        (COMPOSE, "profile", True),
        (COMPOSE, "messages", False),
        (PREFIX + "gmail.metadata", "messages", True),
        (PREFIX + "gmail.metadata", "drafts", False),
        ("https://mail.google.com/", "history?startHistoryId=1000000", True),
    ],
)
def test_each_call_wants_its_scope(google: GoogleClient, scope: str, path: str, allowed: bool) -> None:
    answer = google.gmail("GET", path, google.connect(scope=scope))
    if allowed:
        assert answer.status_code == 200, answer.text
    else:
        assert reason(answer) == (403, "insufficientPermissions")
        assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_only_some_scopes_send(google: GoogleClient) -> None:
    assert reason(google.send(google.connect(scope=READ)))[0] == 403
    assert google.send(google.connect(scope=COMPOSE)).status_code == 200


def test_the_metadata_scope_shows_no_bodies_and_takes_no_query(google: GoogleClient) -> None:
    tokens = google.connect(scope=f"{SEND} {PREFIX}gmail.metadata")
    sent = google.send(tokens).json()
    assert google.gmail("GET", f"messages/{sent['id']}?format=full", tokens).status_code == 403
    assert google.gmail("GET", f"messages/{sent['id']}?format=metadata", tokens).status_code == 200
    refused = google.gmail("GET", "messages?q=hello", tokens)
    assert refused.json()["error"]["message"] == "Metadata scope does not support 'q' parameter"


def test_lists_have_pages_newest_first(google: GoogleClient) -> None:
    tokens = google.connect(scope=BOTH)
    sent = [google.send(tokens, mail(subject=str(number))).json()["id"] for number in range(7)]
    found: list[str] = []
    token = ""
    while True:
        page = google.gmail("GET", f"messages?labelIds=SENT&maxResults=3&pageToken={token}", tokens).json()
        found += [item["id"] for item in page["messages"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert found == sent[::-1]
    history: list[str] = []
    while True:
        address = f"history?startHistoryId=1000000&maxResults=3&pageToken={token}"
        body = google.gmail("GET", address, tokens).json()
        history += [entry["messagesAdded"][0]["message"]["id"] for entry in body["history"]]
        token = body.get("nextPageToken", "")
        if not token:
            break
    assert history == sent
    assert isinstance(body["historyId"], str)
    assert "history" not in google.gmail("GET", f"history?startHistoryId={body['historyId']}", tokens).json()


def test_old_and_invented_history_is_not_found(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect(scope=BOTH)
    google.send(tokens)
    start = google.gmail("GET", "profile", tokens).json()["historyId"]
    assert reason(google.gmail("GET", "history?startHistoryId=5", tokens)) == (404, "notFound")
    assert google.gmail("GET", f"history?startHistoryId={int(start) + 5000}", tokens).status_code == 404
    assert google.gmail("GET", "history?startHistoryId=abc", tokens).status_code == 400
    google.send(tokens)
    sandbox.advance(8 * 86_400)
    tokens = google.connect(scope=BOTH)
    assert google.gmail("GET", f"history?startHistoryId={start}", tokens).status_code == 404


def test_the_sent_listing_the_history_and_the_search_index_can_be_late(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens = google.connect(scope=BOTH)
    start = google.gmail("GET", "profile", tokens).json()["historyId"]
    sandbox.switch(sent_listing_delay=10, history_delay=20, search_index_delay=60)
    sent = google.send(tokens).json()
    number = _header(google, tokens, sent["id"], "message-id")

    def seen() -> tuple[bool, bool, bool]:
        listing = google.gmail("GET", "messages?labelIds=SENT", tokens).json()
        history = google.gmail("GET", f"history?startHistoryId={start}", tokens).json()
        found = google.gmail("GET", "messages", tokens, params={"q": f"rfc822msgid:{number}"}).json()
        assert ("history" in history) == (history["historyId"] != start)
        return "messages" in listing, "history" in history, "messages" in found

    assert seen() == (False, False, False)
    sandbox.advance(11)
    assert seen() == (True, False, False)
    sandbox.advance(10)
    assert seen() == (True, True, False)
    sandbox.advance(40)
    assert seen() == (True, True, True)


def test_searching_by_words_and_fields(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect(scope=BOTH)
    sandbox.switch(search_index_delay=0)
    first = google.send(tokens, mail(to="x@example.com", subject="Quarterly numbers")).json()["id"]
    second = google.send(tokens, mail(to="y@example.com", subject="Lunch", body="<p>numbers</p>")).json()[
        "id"
    ]

    def search(query: str) -> list[str]:
        body = google.gmail("GET", "messages", tokens, params={"q": query}).json()
        return [item["id"] for item in body.get("messages", [])]

    assert search("numbers") == [second, first]
    assert search("subject:numbers") == [first]
    assert search("to:y@example.com in:sent") == [second]
    assert search("in:sent -to:y@example.com") == [first]
    assert search("newer_than:1d") == [second, first]
    assert search("older_than:1d") == []


def test_daily_limits_and_quota_by_switch(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect(scope=BOTH)
    sandbox.switch(daily_messages=2)
    assert [google.send(tokens).status_code for _ in range(3)] == [200, 200, 429]
    message = google.send(tokens).json()["error"]["message"]
    assert message.startswith("User-rate limit exceeded.  Retry after ")
    assert message.endswith(" (Mail sending)")
    sandbox.advance(86_401)
    tokens = google.connect(scope=BOTH)
    assert google.send(tokens).status_code == 200
    sandbox.switch(daily_messages=0, quota_units_per_user_minute=250)
    google.send(tokens)
    google.send(tokens)
    refused = google.send(tokens)
    assert reason(refused) == (429, "rateLimitExceeded")
    assert "Queries per minute per user" in refused.json()["error"]["message"]
    sandbox.advance(61)
    assert google.send(tokens).status_code == 200


def test_the_quota_of_the_project_counts_all_accounts(sandbox: Sandbox, google: GoogleClient) -> None:
    one, other = google.connect("ada@gmail.com"), google.connect("bob@gmail.com")
    sandbox.switch(quota_units_per_project_minute=250)
    assert google.send(one).status_code == 200
    assert google.send(other).status_code == 200
    for refused in (google.send(one), google.send(other)):
        assert reason(refused) == (429, "rateLimitExceeded")
        assert "limit 'Queries per minute' of service" in refused.json()["error"]["message"]
    sandbox.advance(61)
    assert google.send(other).status_code == 200


def test_what_is_thrown_away_keeps_its_label_and_what_is_deleted_is_gone(
    sandbox: Sandbox, google: GoogleClient
) -> None:
    tokens = google.connect(scope="https://mail.google.com/")
    sent = google.send(tokens, mail(to="ada@gmail.com")).json()["id"]
    assert google.gmail("POST", f"messages/{sent}/trash", tokens).json()["labelIds"] == [
        "SENT",
        "UNREAD",
        "TRASH",
    ]
    assert "messages" not in google.gmail("GET", "messages?labelIds=SENT", tokens).json()
    seen = google.gmail("GET", "messages?labelIds=SENT&includeSpamTrash=true", tokens).json()
    assert [one["id"] for one in seen["messages"]] == [sent]
    assert google.gmail("POST", f"messages/{sent}/untrash", tokens).json()["labelIds"] == ["SENT", "UNREAD"]
    start = google.gmail("GET", "profile", tokens).json()["historyId"]
    assert google.gmail("DELETE", f"messages/{sent}", tokens).status_code == 204
    for answer in (
        google.gmail("GET", f"messages/{sent}", tokens),
        google.gmail("DELETE", f"messages/{sent}", tokens),
        google.gmail("POST", f"messages/{sent}/trash", tokens),
    ):
        assert reason(answer) == (404, "notFound")
    told = google.gmail("GET", f"history?startHistoryId={start}&historyTypes=messageDeleted", tokens).json()
    assert [entry["messagesDeleted"][0]["message"]["id"] for entry in told["history"]] == [sent]


def test_deleting_needs_the_whole_mailbox(google: GoogleClient) -> None:
    tokens = google.connect(scope=BOTH)
    sent = google.send(tokens).json()["id"]
    assert reason(google.gmail("DELETE", f"messages/{sent}", tokens)) == (403, "insufficientPermissions")
    assert reason(google.gmail("POST", f"messages/{sent}/trash", tokens)) == (403, "insufficientPermissions")


def test_accounts_that_cannot_send(sandbox: Sandbox, google: GoogleClient) -> None:
    sandbox.account("nomail@gmail.com", gmail=False)
    tokens = google.connect("nomail@gmail.com")
    assert reason(google.send(tokens)) == (400, "failedPrecondition")
    sandbox.account("nomail@gmail.com", gmail=True)
    assert google.send(tokens).status_code == 200
    sandbox.account("nomail@gmail.com", disabled=True)
    assert google.send(tokens).status_code == 401
    sandbox.account("nomail@gmail.com", disabled=False)
    sandbox.switch(api_not_enabled=True)
    assert reason(google.send(tokens)) == (403, "accessNotConfigured")


def test_a_mailbox_may_be_named_but_not_somebody_elses(google: GoogleClient) -> None:
    tokens = google.connect()
    google.connect("bea@gmail.com")
    body = {"raw": raw(mail())}

    def send_as(user: str) -> requests.Response:
        address = f"{google.url}/gmail/v1/users/{user}/messages/send"
        return requests.post(address, json=body, headers=tokens.header, timeout=10)

    assert send_as("ada%40gmail.com").status_code == 200
    assert reason(send_as("bea%40gmail.com"))[0] == 403
    bare = requests.post(f"{google.url}/gmail/v1/users/me/messages/send", json=body, timeout=10)
    assert reason(bare) == (401, "required")


def test_a_sent_draft_can_keep_its_message_by_switch(sandbox: Sandbox, google: GoogleClient) -> None:
    tokens = google.connect(scope=f"{SIGN_IN} {COMPOSE} {READ}")
    sandbox.switch(draft_send="same_message")
    draft = google.gmail(
        "POST", "drafts", tokens, json={"message": {"raw": raw(mail(X_Truesend_Delivery="d"))}}
    )
    start = google.gmail("GET", "profile", tokens).json()["historyId"]
    sent = google.gmail("POST", "drafts/send", tokens, json={"id": draft.json()["id"]}).json()
    assert sent["id"] == draft.json()["message"]["id"]
    assert sent["labelIds"] == ["SENT"]
    history = google.gmail("GET", f"history?startHistoryId={start}", tokens).json()["history"]
    assert history[-1]["labelsAdded"][0]["labelIds"] == ["SENT"]
    assert sandbox.messages(delivery="d")[0]["count"] == 1
    whole = google.gmail("GET", f"messages/{sent['id']}?format=raw", tokens).json()["raw"]
    assert b"@mail.gmail.com>" in base64.urlsafe_b64decode(whole)


def test_sent_is_a_page_for_people(sandbox: Sandbox, google: GoogleClient) -> None:
    def page(**query: str) -> requests.Response:
        return requests.get(f"{sandbox.url}/mail/", params=query, timeout=10)

    assert page(authuser="nobody@northwind.example").status_code == 404
    assert page().status_code == 404
    sandbox.account("ada@gmail.com", name="Ada")
    assert "Nothing was sent from this account." in page(authuser="ada@gmail.com").text
    tokens = google.connect(scope=BOTH)
    assert google.send(tokens, mail(subject="<i>Offer</i>")).status_code == 200
    shown = page(authuser="ada@gmail.com").text
    assert "&lt;i&gt;Offer&lt;/i&gt;" in shown
    assert "bob@example.com" in shown
