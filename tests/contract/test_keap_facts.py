"""What only Keap has, whichever way the facts fall that nobody has confirmed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.contract.mailboxes import KeapMailbox, new_mark
from tests.sandbox_process import Sandbox

from truesend.providers import clients, registry
from truesend.providers.clients import Client
from truesend.providers.contract import Message, Party, ProviderError
from truesend.providers.errors import Outcome, SendResult

KEAP = registry.provider("keap")
TO = "bob@example.com"
BACK = "http://localhost:8000/oauth/keap/callback"
STATUSES = {
    "UNENGAGED_MARKETABLE": "",
    "SINGLE_OPT_IN": "",
    "DOUBLE_OPT_IN": "",
    "CONFIRMED": "",
    "UNENGAGED_NON_MARKETABLE": "",
    "NON_MARKETABLE": "",
    "BOUNCE": "",
    "LIST_UNSUBSCRIBE": "recipient_opted_out",
    "MANUAL": "recipient_opted_out",
    "ADMIN": "recipient_opted_out",
    "HARD_BOUNCE": "recipient_blocked",
    "LOCKDOWN": "recipient_blocked",
    "SYSTEM": "recipient_blocked",
    "FEEDBACK": "recipient_blocked",
    "SPAM": "recipient_blocked",
    "INVALID": "recipient_blocked",
    "DEACTIVATED": "recipient_blocked",
}


@pytest.fixture
def box(sandbox: Sandbox) -> KeapMailbox:
    return KeapMailbox(sandbox)


def switch(box: KeapMailbox, **values: Any) -> None:
    box.sandbox.switch("keap", **values)


def refused(box: KeapMailbox, cause: str) -> ProviderError:
    """Why a send is not even prepared."""
    with pytest.raises(ProviderError) as caught:
        box.hand_over(box.message(new_mark()))
    assert caught.value.cause == cause, caught.value
    return caught.value


def contacts(box: KeapMailbox) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = box.client.api("GET", "v2/contacts", box.tokens).json()["contacts"]
    return listed


def code(box: KeapMailbox) -> str:
    return box.client.code(box.address)


def exchange(given: str) -> Any:
    return KEAP.exchange(code=given, redirect_uri=BACK, verifier="v" * 64, nonce="n")


# -- consent and keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [True, False])
def test_a_code_becomes_a_grant_and_the_grant_a_new_one(box: KeapMailbox, strict: bool) -> None:
    switch(box, strict_client_auth=strict)
    grant = exchange(code(box))
    assert grant.identity is not None
    tenant, _, person = grant.identity.subject.partition(":")
    assert grant.scopes == {f"full|{tenant}.infusionsoft.com"}
    assert person.isdecimal()
    assert (grant.identity.address, grant.identity.name) == (box.address, "Ada Byron")
    assert KEAP.place_of(grant.identity.subject) == tenant
    assert KEAP.granted(grant.scopes) == set(KEAP.capabilities)
    assert grant.expires_in == 86_399
    renewed = KEAP.refresh(grant.refresh_token)
    assert renewed.refresh_token not in {None, grant.refresh_token}
    assert KEAP.granted(renewed.scopes) == set(KEAP.capabilities)
    assert all(one.ok for one in KEAP.probe(renewed.access_token, KEAP.capabilities))


@pytest.mark.parametrize("body", ["invalid_grant", "invalid_request"])
def test_a_refresh_token_works_once(box: KeapMailbox, body: str) -> None:
    switch(box, dead_refresh_body=body)
    grant = exchange(code(box))
    KEAP.refresh(grant.refresh_token)
    for dead in (grant.refresh_token, "never-issued"):
        with pytest.raises(ProviderError) as caught:
            KEAP.refresh(dead)
        assert (caught.value.cause, caught.value.grant_is_dead) == ("grant_rejected", True)


def test_a_refresh_token_that_nobody_used_for_45_days_is_dead(box: KeapMailbox) -> None:
    grant = exchange(code(box))
    box.sandbox.advance(KEAP.idle_days * 86_400 + 60)
    with pytest.raises(ProviderError) as caught:
        KEAP.refresh(grant.refresh_token)
    assert caught.value.grant_is_dead


@pytest.mark.parametrize("body", ["unable", "invalid"])
def test_a_code_that_is_used_or_late(box: KeapMailbox, body: str) -> None:
    switch(box, bad_code_body=body)
    used, late = code(box), code(box)
    exchange(used)
    box.sandbox.advance(601)
    for dead in (used, late, "none"):
        with pytest.raises(ProviderError) as caught:
            exchange(dead)
        assert caught.value.cause in {"grant_rejected", "code_refused"}
    assert KEAP.check_client(BACK).ok


@pytest.mark.parametrize("body", ["oauth", "apigee"])
def test_a_wrong_secret_ends_no_grant(box: KeapMailbox, body: str) -> None:
    switch(box, wrong_secret_body=body)
    grant = exchange(code(box))
    right = clients.require("keap")
    with clients.trying("keap", Client(right.id, "wrong", "tried")), pytest.raises(ProviderError) as caught:
        KEAP.refresh(grant.refresh_token)
    assert caught.value.cause in {"client_secret_wrong", "client_unknown"}
    assert not caught.value.grant_is_dead
    assert KEAP.refresh(grant.refresh_token).access_token


@pytest.mark.parametrize("fault", ["expired", "invalid"])
def test_an_access_token_that_ran_out(box: KeapMailbox, fault: str) -> None:
    switch(box, expired_token_fault=fault)
    grant = exchange(code(box))
    box.sandbox.advance(86_400)
    assert {one.cause for one in KEAP.probe(grant.access_token, KEAP.capabilities)} == {"access_refused"}


@pytest.mark.parametrize("fault", ["invalid", "not_approved"])
def test_an_access_token_that_ended_with_its_renewal(box: KeapMailbox, fault: str) -> None:
    switch(box, refresh_ends_access_token=True, revoked_token_fault=fault)
    grant = exchange(code(box))
    renewed = KEAP.refresh(grant.refresh_token)
    assert {one.cause for one in KEAP.probe(grant.access_token, KEAP.capabilities)} == {"access_refused"}
    assert all(one.ok for one in KEAP.probe(renewed.access_token, KEAP.capabilities))


def test_whose_it_is_must_be_said_without_contradiction(box: KeapMailbox) -> None:
    for body in (
        '{"id": "5", "email": "a@b.example", "tenant_id": "other1"}',
        '{"email": "a@b.example"}',
        '{"id": "", "email": "a@b.example"}',
    ):
        given = code(box)
        box.sandbox.fault(
            "userinfo",
            "status",
            provider="keap",
            status=200,
            body=body,
            content_type="application/json",
            times=1,
        )
        with pytest.raises(ProviderError) as caught:
            exchange(given)
        assert caught.value.cause == "identity_unverified"


def test_an_admin_who_shuts_the_app_out(box: KeapMailbox) -> None:
    access = box.access()
    box.sandbox.account(box.address, "keap", admin_block=True)
    assert {one.cause for one in KEAP.probe(access, KEAP.capabilities)} == {"admin_policy"}
    refused(box, "admin_policy")


# -- whom to, in whose name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
def test_the_state_of_an_address_decides_before_a_contact_is_made(box: KeapMailbox, status: str) -> None:
    box.sandbox.control("POST", "keap/addresses", {"account": box.address, "email": TO, "status": status})
    if cause := STATUSES[status]:
        error = refused(box, cause)
        assert status in error.words
        assert contacts(box) == []
    else:
        box.send(new_mark())
        # It is as it was: nobody is opted in, and nobody out.
        told = box.client.api("GET", f"v2/emailAddresses/{TO}/status", box.tokens).json()
        assert told["status"] == status


@pytest.mark.parametrize("unknown", ["not_found", "non_marketable"])
def test_an_address_that_keap_has_not_seen(box: KeapMailbox, unknown: str) -> None:
    switch(box, unknown_address=unknown)
    box.send(new_mark())
    (made,) = contacts(box)
    assert (made["given_name"], made["family_name"]) == ("Bob", "Fox")


def test_a_contact_keeps_its_name_and_its_other_addresses(box: KeapMailbox) -> None:
    emails = [{"email": "robert@example.com", "field": "EMAIL1"}, {"email": TO, "field": "EMAIL2"}]
    box.client.api(
        "POST", "v2/contacts", box.tokens, json={"given_name": "Robert", "email_addresses": emails}
    )
    box.send(new_mark())
    (known,) = contacts(box)
    assert known["given_name"] == "Robert"
    assert [one["email"] for one in known["email_addresses"]] == ["robert@example.com", TO]
    (arrived,) = box.sandbox.messages()
    assert arrived["to"] == [TO]


def test_of_several_contacts_the_one_whose_first_address_it_is_the_oldest_of_them(box: KeapMailbox) -> None:
    second = [{"email": "x@example.com", "field": "EMAIL1"}, {"email": TO, "field": "EMAIL2"}]
    first = [{"email": TO, "field": "EMAIL1"}]
    for name, emails in (("Second", second), ("Oldest", first), ("Youngest", first)):
        box.client.api(
            "POST", "v2/contacts", box.tokens, json={"given_name": name, "email_addresses": emails}
        )
    box.send(new_mark())
    (arrived,) = box.sandbox.messages()
    assert "Oldest" in arrived["raw"]
    assert len(contacts(box)) == 3


def test_a_name_that_cannot_be_written_holds_nothing_up(box: KeapMailbox) -> None:
    box.sandbox.fault("contacts.update", "outage", provider="keap")
    box.send(new_mark())
    assert len(box.sandbox.messages()) == 1


def test_an_address_that_keap_cannot_store(box: KeapMailbox) -> None:
    long = f"{'a' * 60}@{'b' * 30}.example"
    message = Message(new_mark(), recipients=(Party(long),), subject="Hello", html="<p>Hi</p>")
    with pytest.raises(ProviderError) as caught:
        box.hand_over(message)
    assert caught.value.cause == "recipient_refused"
    assert "75 characters" in caught.value.words
    assert contacts(box) == []


@pytest.mark.parametrize("recipients", [(), (Party("a@example.com"), Party("b@example.com"))])
def test_one_person_to_a_send(box: KeapMailbox, recipients: tuple[Party, ...]) -> None:
    with pytest.raises(ProviderError) as caught:
        box.hand_over(Message(new_mark(), recipients=recipients, subject="Hello", html="<p>Hi</p>"))
    assert caught.value.cause == "message_refused"
    assert box.sandbox.messages() == []


@pytest.mark.parametrize("last", ["absent", "empty"])
def test_the_sender_is_found_among_many_users(box: KeapMailbox, last: str) -> None:
    switch(box, last_page_token=last)
    box.sandbox.account(box.address, "keap", tenants=["big1"])
    for number in range(101):
        box.sandbox.account(f"user{number}@example.org", "keap", tenants=["big1"])
    late = f"late-{last}@example.org"
    box.sandbox.account(late, "keap", name="Late Comer", tenants=["big1"])
    access = box.client.connect(late).access
    result = box.hand_over(box.message(new_mark()), access)
    assert result.outcome is Outcome.ACCEPTED
    (arrived,) = box.sandbox.messages()
    assert arrived["from"] == late


def test_the_sender_is_looked_for_once_an_hour(box: KeapMailbox) -> None:
    for _ in range(3):
        box.send(new_mark())
    assert len(box.sandbox.calls(provider="keap", operation="users.list")) == 1


# -- limits --------------------------------------------------------------------------------------------------------


def limited(box: KeapMailbox, access: str = "") -> ProviderError | SendResult:
    """The first refusal of some sends in a row."""
    for _ in range(30):
        try:
            result = box.hand_over(box.message(new_mark()), access)
        except ProviderError as error:
            return error
        if result.outcome is not Outcome.ACCEPTED:
            return result
    raise AssertionError("no limit was met")


@pytest.mark.parametrize("body", ["observed", "apigee"])
@pytest.mark.parametrize("windows", ["one", "two"])
@pytest.mark.parametrize(
    ("limit", "cause", "wide"),
    [
        ("client_per_minute", "throttled", True),
        ("client_per_second", "throttled", True),
        ("client_per_day", "project_limit", True),
        ("tenant_per_minute", "throttled", False),
    ],
)
def test_whose_limit_it_is(
    box: KeapMailbox, body: str, windows: str, limit: str, cause: str, wide: bool
) -> None:
    box.access()
    switch(box, throttle_body=body, tenant_windows=windows, enforce_limits=True, **{limit: 9})
    error = limited(box)
    assert (error.cause, error.client_wide) == (cause, wide), error
    if cause == "project_limit":
        assert error.retry_at is not None
        assert timedelta() < error.retry_at - box.now() <= timedelta(days=1)


def test_an_apps_day(box: KeapMailbox) -> None:
    box.access()
    switch(box, enforce_limits=True, tenant_per_day=9)
    error = limited(box)
    assert (error.cause, error.client_wide) == ("daily_limit", False)


@pytest.mark.parametrize(
    ("limit", "cause"), [("key_per_minute", "throttled"), ("key_per_day", "daily_limit")]
)
def test_a_keys_limits_concern_nobody_else(box: KeapMailbox, limit: str, cause: str) -> None:
    key = box.sandbox.control("POST", "keap/keys", {"account": box.address})["key"]
    switch(box, enforce_limits=True, **{limit: 9})
    error = limited(box, key)
    assert (error.cause, error.client_wide) == (cause, False)
    box.send(new_mark())


# -- a key ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sak", "pat"])
def test_a_key_is_a_grant_that_lasts(box: KeapMailbox, kind: str) -> None:
    key = box.sandbox.control("POST", "keap/keys", {"account": box.address, "kind": kind})["key"]
    grant = KEAP.key_grant(f" {key}\n")
    assert (grant.access_token, grant.refresh_token, grant.lasting) == (key, None, True)
    assert grant.identity is not None
    assert grant.identity.subject == exchange(code(box)).identity.subject
    assert key not in repr(grant)
    assert box.hand_over(box.message(new_mark()), grant.access_token).outcome is Outcome.ACCEPTED
    box.sandbox.fault("any", "revoke_grant", provider="keap", account=box.address)
    found = [*KEAP.probe(key, KEAP.capabilities), KEAP.check_send(key, KEAP.capabilities)]
    assert {one.cause for one in found} == {"key_refused"}
    with pytest.raises(ProviderError) as caught:
        KEAP.key_grant(key)
    assert caught.value.cause == "key_refused"


# -- its history ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lost", [{"html_comments": "strip"}, {"send_history": "record"}, {"send_history": "nothing"}]
)
def test_a_history_without_our_mark_says_nothing(box: KeapMailbox, lost: dict[str, str]) -> None:
    switch(box, **lost)
    mark = new_mark()
    box.send(mark)
    look = box.look(mark)
    assert (dict(look.found), look.complete, look.absent) == ({}, False, frozenset())
    assert "proves nothing absent" in look.words


def test_of_two_mails_with_one_mark_the_first_was_sent(box: KeapMailbox) -> None:
    """Somebody forwards ours from Keap's own pages, comment and all."""
    mark = new_mark()
    box.send(mark)
    first = box.look(mark).found[mark].message_id
    box.send(mark)
    assert box.look(mark).found[mark].message_id == first


def test_a_send_to_users_or_contacts_that_are_gone(box: KeapMailbox) -> None:
    box.send(new_mark())
    mark = new_mark()
    message, access = box.message(mark), box.access()
    reference = KEAP.prepare(message, access, earlier=None)
    (known,) = contacts(box)
    switch(box, unknown_contacts="refuse")
    box.client.api("DELETE", f"v2/contacts/{known['id']}", box.tokens)
    result = KEAP.send(message, access, reference=reference, fence=lambda: None)
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "recipient_refused")
    # Prepared anew, it goes to a new contact.
    assert box.hand_over(message).outcome is Outcome.ACCEPTED
