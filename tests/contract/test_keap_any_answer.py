"""Whatever answers where Keap should be: the adapter says what went wrong, and raises nothing else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.answering import Answering, Said, answering

from truesend import clock
from truesend.connections.causes import CAUSES
from truesend.providers import registry
from truesend.providers.contract import Capability, Message, Party, ProviderError
from truesend.providers.errors import Outcome
from truesend.providers.recording import SentElsewhere

KEAP = registry.provider("keap")
MARK = str(uuid4())
_tokens = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.url
    for name, value in {
        "CLIENT_ID": "client",
        "CLIENT_SECRET": "secret",
        "TOKEN_URL": f"{url}/token",
        "API_URL": f"{url}/crm/rest",
    }.items():
        monkeypatch.setenv(f"TRUESEND_KEAP_{name}", value)


_WORDS = """
    id email contacts users emails email_addresses field status opted_in next_page_token html_content plain_content
    headers global_user_id tenant_id given_name family_name message code fault faultstring detail errorcode error
    error_description ErrorCode access_token refresh_token expires_in scope original_provider original_provider_id
"""
_NAMES = st.sampled_from(_WORDS.split())
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "EMAIL1", "ines@globex.example", "ACTIVE", "INACTIVE", "HARD_BOUNCE", "NON_MARKETABLE", "7",
            "full|xy123.infusionsoft.com", "xy123", "bearer", "a\x00\ud800b", "PCEtLSB0cnVlc2VuZA==", "\u212a@\u2028",
        ]
    ),
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES,
    lambda inside: st.one_of(st.lists(inside, max_size=4), st.dictionaries(_NAMES, inside, max_size=8)),
    max_leaves=30,
)
_LIKE = st.fixed_dictionaries(
    {},
    optional={
        "id": _LEAVES,
        "contacts": st.lists(st.dictionaries(_NAMES, _JSON, max_size=4), max_size=3),
        "users": st.lists(st.fixed_dictionaries({"id": _LEAVES, "global_user_id": _LEAVES}), max_size=3),
        "emails": st.lists(st.fixed_dictionaries({"id": _LEAVES}), max_size=3),
        "status": _LEAVES,
        "opted_in": _LEAVES,
        "email": _LEAVES,
        "tenant_id": _LEAVES,
        "scope": _LEAVES,
        "access_token": _LEAVES,
        "expires_in": _LEAVES,
        "message": _LEAVES,
        "fault": _JSON,
    },
)
_BODIES = st.one_of(
    _JSON.map(lambda value: json.dumps(value).encode()),
    _LIKE.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.sampled_from([b"", b"[" * 20_000, b"<h1>Hello</h1>", b"\xef\xbb\xbf{}", b"9" * 5_000]),
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "x-keap-product-quota-available", "x-keap-product-quota-time-unit",
         "x-keap-product-quota-expiry-time", "x-keap-tenant-throttle-available", "x-keap-tenant-throttle-time-unit"]
    ),
    st.sampled_from(["", "0", "0|0", "minute|day", "day", "9" * 40, "-1", "\xe9", "soon", "1e9"]),
    max_size=6,
)  # fmt: skip
_ANSWERS = st.lists(
    st.builds(
        Said, st.sampled_from([200, 201, 202, 301, 400, 401, 403, 404, 409, 429, 500, 503]), _HEADERS, _BODIES
    ),
    min_size=1,
    max_size=6,
)


def token() -> str:
    """A new one each time: what is known of an earlier one must not spare a question."""
    return f"access-{next(_tokens)}"


def message() -> Message:
    return Message(
        MARK, recipients=(Party("ines@globex.example", "Ines Moreau"),), subject="Hello", html="<p>Hi</p>"
    )


def reference() -> str:
    told = {"user": "1", "contact": "7", "field": "Email", "at": clock.now().isoformat()}
    return json.dumps(told)


def note() -> SentElsewhere:
    return SentElsewhere(
        mark=MARK,
        contact="7",
        to="ines@globex.example",
        cc=("tom@initech.example",),
        sender="ana@northwind.example",
        account="ana@northwind.example",
        origin="google",
        sent_at=clock.now(),
        subject="Hello",
        html="<p>Hi</p>",
        text="Hi",
    )


CALLS: dict[str, Callable[[], Any]] = {
    "exchange": lambda: KEAP.exchange(code="c", redirect_uri="http://localhost/cb", verifier="v", nonce="n"),
    "refresh": lambda: KEAP.refresh("refresh"),
    "key_grant": lambda: KEAP.key_grant(f"KeapAK-{token()}"),
    "prepare": lambda: KEAP.prepare(message(), token(), earlier=None),
    "sent_copy": lambda: KEAP.sent_copy(token(), "5"),
    "traces": lambda: KEAP.traces(
        token(), [MARK], since=clock.now() - timedelta(minutes=5), position="", references={MARK: reference()}
    ),
    "find_contact": lambda: KEAP.find_contact(token(), "ines@globex.example"),
    "find_record": lambda: KEAP.find_record(token(), MARK, "7", since=clock.now()),
    "traces of what was not prepared": lambda: KEAP.traces(
        token(), [MARK], since=clock.now(), position="", references={MARK: "{"}
    ),
}


@pytest.mark.parametrize("call", CALLS)
@given(said=_ANSWERS)
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answer_is_a_result_or_a_known_cause(server: Answering, call: str, said: list[Said]) -> None:
    server.will_say(said)
    failure: ProviderError | None = None
    try:
        CALLS[call]()
    except ProviderError as error:
        failure = error
    if failure is not None:
        assert failure.cause in CAUSES
        assert failure.words.isprintable()
        assert len(failure.words) < 1000


@given(said=_ANSWERS)
@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_never_raises_never_does(server: Answering, said: list[Said]) -> None:
    server.will_say(said)
    for secret in (token(), f"KeapAK-{token()}"):
        for evidence in [*KEAP.probe(secret, KEAP.capabilities), KEAP.check_send(secret, KEAP.capabilities)]:
            assert evidence.ok is (evidence.cause == "")
            assert evidence.ok or evidence.cause in CAUSES
        result = KEAP.send(message(), secret, reference=reference(), fence=lambda: None)
        assert (result.outcome is Outcome.ACCEPTED) is (result.cause == "")
        assert result.cause == "" or result.cause in CAUSES
        result = KEAP.record_mail(secret, note(), fence=lambda: None)
        assert (result.outcome is Outcome.ACCEPTED) is (result.cause == "") is bool(result.message_id)
        assert result.cause == "" or result.cause in CAUSES
    assert Capability.SEND in KEAP.capabilities
