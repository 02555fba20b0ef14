"""Whatever answers where a mailbox should be read: a page that can be kept, or a known cause, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.answering import Answering, Said, answering, answers, leaves

from truesend import clock
from truesend.connections.causes import CAUSES
from truesend.inbox import letters
from truesend.inbox.matching import keys
from truesend.inbox.reading import read
from truesend.providers import registry
from truesend.providers.coming_in import Forged
from truesend.providers.contract import InboxPage, ProviderError
from truesend.providers.shapes import PushCall, PushHold

GOOGLE, MICROSOFT, KEAP = (registry.provider(one) for one in ("google", "microsoft", "keap"))


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GOOGLE_API_URL": server.url,
        "GOOGLE_PUBSUB_TOPIC": "projects/p/topics/t",
        "MICROSOFT_API_URL": f"{server.url}/v1.0",
        "KEAP_API_URL": f"{server.url}/crm/rest",
    }.items():
        monkeypatch.setenv(f"TRUESEND_{name}", value)


_NAMES = (
    *(
        "id",
        "threadId",
        "labelIds",
        "payload",
        "headers",
        "name",
        "value",
        "internalDate",
        "historyId",
        "history",
    ),
    *("messages", "messagesAdded", "message", "nextPageToken", "raw", "expiration", "@odata.deltaLink"),
    *(
        "@odata.nextLink",
        "internetMessageHeaders",
        "from",
        "receivedDateTime",
        "email_addresses",
        "email",
        "status",
    ),
)
_WORDS = (
    *("18f85d2eb6adb232", "SENT", "INBOX", "References", "From", "<a@b.example>", "1754293", "Verified"),
    *(
        "HARD_BOUNCE",
        "ines@globex.example",
        "2026-05-01T10:00:00Z",
        "http://127.0.0.1/v1.0/me",
        "SyncStateNotFound",
    ),
)
_LEAVES = leaves(*_WORDS)
_HEADERS = st.lists(st.fixed_dictionaries({"name": _LEAVES, "value": _LEAVES}), max_size=3)
_MESSAGE = st.fixed_dictionaries(
    {"id": st.one_of(st.just("18f85d2eb6adb232"), _LEAVES)},
    optional={
        "threadId": _LEAVES,
        "labelIds": st.lists(_LEAVES, max_size=2),
        "payload": st.fixed_dictionaries({"headers": _HEADERS}),
        "internalDate": _LEAVES,
        "conversationId": _LEAVES,
        "receivedDateTime": _LEAVES,
        "internetMessageHeaders": _HEADERS,
        "raw": _LEAVES,
        "isDraft": _LEAVES,
    },
)
_ALIKE = st.one_of(
    _MESSAGE,
    st.fixed_dictionaries(
        {"history": st.lists(st.fixed_dictionaries(
            {"id": _LEAVES, "messagesAdded": st.lists(st.fixed_dictionaries({"message": _MESSAGE}), max_size=2)}
        ), max_size=2), "historyId": _LEAVES},
        optional={"nextPageToken": _LEAVES},
    ),
    st.fixed_dictionaries({"messages": st.lists(_MESSAGE, max_size=2), "historyId": _LEAVES}),
    st.fixed_dictionaries({"value": st.lists(_MESSAGE, max_size=2), "@odata.deltaLink": _LEAVES}),
    st.fixed_dictionaries(
        {"email_addresses": st.lists(st.fixed_dictionaries({"email": _LEAVES, "status": _LEAVES}), max_size=2)}
    ),
    st.fixed_dictionaries({"key": _LEAVES, "status": _LEAVES, "expiration": _LEAVES}),
    st.fixed_dictionaries({"id": _LEAVES, "expirationDateTime": _LEAVES}),
)  # fmt: skip
_ANSWERS = answers(_NAMES, _WORDS, ["Retry-After"], _ALIKE)
_MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _since() -> Any:
    return clock.now() - timedelta(hours=1)


CALLS: dict[str, Callable[[], Any]] = {
    "google begins": lambda: GOOGLE.inbox("token", "", since=_since()),
    "google goes on": lambda: GOOGLE.inbox("token", "1754293", since=_since()),
    "google lists": lambda: GOOGLE.inbox("token", "list 1754293 1796010893 next", since=_since()),
    "google reads": lambda: GOOGLE.inbox_mail("token", "18f85d2eb6adb232"),
    "google watches": lambda: GOOGLE.hold_push("token", url="", secret="", ref=""),
    "microsoft begins": lambda: MICROSOFT.inbox("token", "", since=_since()),
    "microsoft with another's cursor": lambda: MICROSOFT.inbox("token", '{"inbox": 5}', since=_since()),
    "microsoft reads": lambda: MICROSOFT.inbox_mail("token", "AAkALgAA"),
    "microsoft subscribes": lambda: MICROSOFT.hold_push("token", url="http://x", secret="s", ref=""),
    "microsoft renews": lambda: MICROSOFT.hold_push("token", url="", secret="", ref="abc"),
    "keap tells": lambda: KEAP.address_states("token", ["ines@globex.example"]),
    "keap hooks": lambda: KEAP.hold_push("token", url="http://x", secret="", ref=""),
}


@pytest.mark.parametrize("call", CALLS)
@given(said=_ANSWERS)
@_MANY
def test_any_answer_is_a_result_or_a_known_cause(server: Answering, call: str, said: list[Said]) -> None:
    server.will_say(said)
    failure: ProviderError | None = None
    result: Any = None
    try:
        result = CALLS[call]()
    except ProviderError as error:
        failure = error
    if failure is not None:
        assert failure.cause in CAUSES
        assert failure.words.isprintable()
        assert len(failure.words) < 1000
        return
    if isinstance(result, InboxPage):
        assert "\0" not in result.cursor
        for one in result.received:
            assert len(one.message_id) <= 1000
            letter = letters.letter(one, read(letters.head_of(one)), clock.now())
            ids, threads, marks = keys([letter])
            stored = [letter.sender, letter.message_id, letter.subject, letter.words, *ids, *threads, *marks]
            assert all(text.isprintable() for text in stored)
    elif isinstance(result, PushHold):
        assert len(result.ref) <= 1000
    elif isinstance(result, bytes):
        assert read(result).kind


@pytest.mark.parametrize("provider", ["google", "microsoft", "keap"])
@given(
    body=st.one_of(st.binary(max_size=60), st.recursive(
        _LEAVES, lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["value", "subscriptionId", "object_keys", "event_key", "message", "data"]),
                            inner, max_size=3),
        ), max_leaves=8)),
    headers=st.dictionaries(st.sampled_from(["authorization", "x-hook-secret"]), st.text(max_size=40), max_size=2),
    query=st.dictionaries(st.sampled_from(["validationToken"]), st.text(max_size=40), max_size=1),
)  # fmt: skip
@_MANY
def test_any_call_to_a_webhook_is_news_or_forged(
    server: Answering, provider: str, body: Any, headers: dict[str, str], query: dict[str, str]
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        news = registry.provider(provider).read_push(PushCall(headers, query, raw))
    except (Forged, ProviderError):
        return
    assert news.events or news.echo is not None
    assert provider != "google"
