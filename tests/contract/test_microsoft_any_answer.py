"""Whatever answers where Microsoft should be: the adapter says what went wrong, and raises nothing else."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.answering import Answering, Said, answering, answers, leaves

from truesend import clock
from truesend.connections.causes import CAUSES
from truesend.providers import registry
from truesend.providers.contract import Capability, Message, ProviderError, Strays
from truesend.providers.errors import Outcome
from truesend.providers.microsoft import identity
from truesend.providers.microsoft.drafts import Draft

MICROSOFT = registry.provider("microsoft")
MARK = str(uuid4())
REFERENCE = Draft("AAkALgAA", "AAQk", "<a@x.prod.outlook.com>").write()


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(server: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CLIENT_ID": "client",
        "CLIENT_SECRET": "secret",
        "TOKEN_URL": f"{server.url}/{{tenant}}/token",
        "JWKS_URL": f"{server.url}/keys",
        "USERINFO_URL": f"{server.url}/userinfo",
        "API_URL": f"{server.url}/v1.0",
    }.items():
        monkeypatch.setenv(f"TRUESEND_MICROSOFT_{name}", value)


_NAMES = (
    *("id", "isDraft", "internetMessageId", "conversationId", "internetMessageHeaders", "name", "value"),
    *(
        "mail",
        "userPrincipalName",
        "displayName",
        "email",
        "keys",
        "@odata.nextLink",
        "error",
        "code",
        "message",
    ),
    *("error_description", "error_codes", "suberror", "access_token", "refresh_token", "id_token", "scope"),
)
_WORDS = (
    "AAkALgAA",
    "X-Truesend-Delivery",
    MARK,
    "ana@northwind.example",
    "ana_northwind.example#EXT#@contoso.onmicrosoft.com",
    "ErrorItemNotFound",
    "ErrorAccessDenied",
    "TooManyRequests",
    "InternalServerError",
    "AADSTS700082: Words.",
    "AADSTS" + "9" * 30,
    "WASCL UserAction verdict is not None. Actual verdict is Suspend.",
    "invalid_grant",
    "eyJhbGciOiJSUzI1NiJ9.e30.AA",
    "http://127.0.0.1/v1.0/me",
)
_LEAVES = leaves(*_WORDS)
_MESSAGE = st.fixed_dictionaries(
    {"id": st.one_of(st.just("AAkALgAA"), _LEAVES), "isDraft": st.one_of(st.booleans(), _LEAVES)},
    optional={
        "internetMessageId": _LEAVES,
        "conversationId": _LEAVES,
        "internetMessageHeaders": st.lists(
            st.fixed_dictionaries({"name": _LEAVES, "value": _LEAVES}), max_size=3
        ),
    },
)
_ALIKE = st.one_of(
    _MESSAGE,
    st.fixed_dictionaries({"value": st.lists(_MESSAGE, max_size=3)}, optional={"@odata.nextLink": _LEAVES}),
    st.fixed_dictionaries({"error": st.fixed_dictionaries({"code": _LEAVES, "message": _LEAVES})}),
    st.fixed_dictionaries(
        {"error": _LEAVES},
        optional={"error_description": _LEAVES, "error_codes": st.lists(_LEAVES), "suberror": _LEAVES},
    ),
    st.fixed_dictionaries(
        {"access_token": st.one_of(st.just("eyJ0"), _LEAVES)},
        optional={
            "expires_in": _LEAVES,
            "refresh_token": _LEAVES,
            "scope": _LEAVES,
            "id_token": _LEAVES,
            "keys": st.lists(st.dictionaries(st.sampled_from(["kty", "kid", "n", "e"]), _LEAVES), max_size=2),
        },
    ),
    st.fixed_dictionaries({"mail": _LEAVES, "userPrincipalName": _LEAVES}),
)
_ANSWERS = answers(_NAMES, _WORDS, ["Retry-After"], _ALIKE)


def message() -> Message:
    return Message(MARK, b"To: ines@globex.example\r\nSubject: Hello\r\n\r\nHi")


CALLS: dict[str, Callable[[], Any]] = {
    "exchange": lambda: MICROSOFT.exchange(
        code="c", redirect_uri="http://localhost/cb", verifier="v", nonce="n"
    ),
    "refresh": lambda: MICROSOFT.refresh("refresh"),
    "identity": lambda: identity.of({"tid": "t", "oid": "o", "email": 5, "name": ["Ana"]}, "token"),
    "prepare": lambda: MICROSOFT.prepare(message(), "token", earlier=None),
    "prepare once more": lambda: MICROSOFT.prepare(message(), "token", earlier=REFERENCE),
    "prepare after a stray": lambda: MICROSOFT.prepare(message(), "token", earlier=""),
    "clear": lambda: MICROSOFT.clear("token", [REFERENCE], Strays(MARK, clock.now(), REFERENCE)),
    "sent_copy": lambda: MICROSOFT.sent_copy("token", "AAkALgAA"),
    "traces": lambda: MICROSOFT.traces(
        "token", [MARK], since=clock.now() - timedelta(minutes=5), position="", references={MARK: REFERENCE}
    ),
    "traces of what was not prepared": lambda: MICROSOFT.traces(
        "token", [MARK], since=clock.now(), position="", references={MARK: "{"}
    ),
}
_MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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
    elif call.startswith("prepare"):
        assert 0 < len(result) <= 2000
        assert set(result) <= set(string.printable)


@given(said=_ANSWERS)
@_MANY
def test_what_never_raises_never_does(server: Answering, said: list[Said]) -> None:
    server.will_say(said)
    for capabilities in ((Capability.SEND,), tuple(MICROSOFT.capabilities)):
        for evidence in [
            *MICROSOFT.probe("token", capabilities),
            MICROSOFT.check_send("token", capabilities),
        ]:
            assert evidence.ok is (evidence.cause == "")
            assert evidence.ok or evidence.cause in CAUSES
    for reference in ("", REFERENCE):
        result = MICROSOFT.send(message(), "token", reference=reference, fence=lambda: None)
        assert (result.outcome is Outcome.ACCEPTED) is (result.cause == "")
        assert result.cause == "" or result.cause in CAUSES
