"""What Microsoft refuses, as its sandbox says it in each of the ways seen, and the cause that comes of it."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from tests.contract.mailboxes import MicrosoftMailbox, new_mark
from tests.sandbox import microsoft_client as microsoft
from tests.sandbox_process import Sandbox

from truesend.providers import clients
from truesend.providers.clients import Client
from truesend.providers.contract import Capability, Grant, ProviderError
from truesend.providers.errors import Outcome, SendResult

NONCE, VERIFIER = "nonce-of-this-consent", "v" * 64
PERSONAL = "ada@outlook.com"


@pytest.fixture
def outlook(sandbox: Sandbox) -> MicrosoftMailbox:
    return MicrosoftMailbox(sandbox)


def came_back(outlook: MicrosoftMailbox, account: str = "", **consent: Any) -> dict[str, str]:
    """A consent as the adapter asks for it; what the callback is called with."""
    outlook.sandbox.consent(account or outlook.address, "microsoft", **consent)
    url = outlook.adapter.authorize_url(
        capabilities=[Capability.SEND, Capability.READ],
        redirect_uri=microsoft.CALLBACK,
        state="state",
        nonce=NONCE,
        verifier=VERIFIER,
        account=None,
    )
    return microsoft.came_back(requests.get(url, allow_redirects=False, timeout=10))


def exchanged(outlook: MicrosoftMailbox, code: str) -> Grant:
    return outlook.adapter.exchange(
        code=code, redirect_uri=microsoft.CALLBACK, verifier=VERIFIER, nonce=NONCE
    )


def connected(outlook: MicrosoftMailbox, account: str = "") -> Grant:
    return exchanged(outlook, came_back(outlook, account)["code"])


def failure_of(grant: Grant, outlook: MicrosoftMailbox) -> ProviderError:
    assert grant.refresh_token is not None
    with pytest.raises(ProviderError) as caught:
        outlook.adapter.refresh(grant.refresh_token)
    return caught.value


@pytest.mark.parametrize("form", ["long", "short"])
def test_a_whole_consent(outlook: MicrosoftMailbox, form: str) -> None:
    outlook.sandbox.switch("microsoft", scope_form=form)
    grant = connected(outlook)
    assert outlook.adapter.granted(grant.scopes) == {"send", "read"}
    assert grant.identity is not None
    assert grant.identity.address == outlook.address
    again = connected(outlook)
    assert again.identity is not None
    assert again.identity.subject == grant.identity.subject


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"mail": "Ada.Lovelace@Example.org"}, "ada.lovelace@example.org"),
        ({"mail": None, "upn": "ada_example.net#EXT#@contoso.onmicrosoft.com"}, "ada@example.net"),
        ({"mail": None, "email_claim": False}, "ada@example.org"),
        ({"mail": None, "mailbox_enabled": False}, "ada@example.org"),
    ],
)
def test_the_address_is_what_the_mailbox_is_called(
    outlook: MicrosoftMailbox, fields: dict[str, Any], address: str
) -> None:
    outlook.sandbox.account(outlook.address, "microsoft", **fields)
    identity = connected(outlook).identity
    assert identity is not None
    assert identity.address == address


@pytest.mark.parametrize("number", ["short", "guid"])
def test_a_personal_account(outlook: MicrosoftMailbox, number: str) -> None:
    outlook.sandbox.switch("microsoft", personal_id=number)
    grant = connected(outlook, PERSONAL)
    assert grant.identity is not None
    assert grant.identity.subject.startswith("9188040d-6c67-4c5b-b112-36a304b66dad:")
    assert grant.identity.address == PERSONAL
    assert all(one.ok for one in outlook.adapter.probe(grant.access_token, [Capability.SEND]))


@pytest.mark.parametrize("answer", ["cancel", "access_denied", "consent_required"])
def test_a_person_who_says_no(outlook: MicrosoftMailbox, answer: str) -> None:
    outlook.sandbox.switch("microsoft", decline_answer=answer)
    told = came_back(outlook, decision="deny")
    cause = outlook.adapter.consent_cause(told["error"], told.get("error_description", ""))
    assert cause == "consent_denied"


@pytest.mark.parametrize("answer", ["access_denied", "consent_required"])
def test_what_only_an_administrator_may_permit(outlook: MicrosoftMailbox, answer: str) -> None:
    outlook.sandbox.switch("microsoft", consent_policy="managed", admin_approval_answer=answer)
    told = came_back(outlook)
    cause = outlook.adapter.consent_cause(told["error"], told.get("error_description", ""))
    assert cause == "admin_consent_needed"
    # The page to forward: once somebody has permitted it there, everybody may connect.
    outlook.sandbox.account("root@example.org", "microsoft", admin=True)
    outlook.sandbox.consent("root@example.org", "microsoft")
    page = outlook.adapter.admin_consent_url([Capability.SEND, Capability.READ], microsoft.CALLBACK)
    back = requests.get(page, allow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    assert "admin_consent=True" in back.headers["Location"]
    assert outlook.adapter.granted(connected(outlook).scopes) == {"send", "read"}


def test_a_code_works_once_and_with_its_verifier_alone(outlook: MicrosoftMailbox) -> None:
    code = came_back(outlook)["code"]
    exchanged(outlook, code)
    other = came_back(outlook)["code"]
    outlook.sandbox.switch("microsoft", code_lifetime=60)
    late = came_back(outlook)["code"]
    outlook.sandbox.advance(61)
    for refused, verifier in ((code, VERIFIER), (other, "w" * 64), (late, VERIFIER), ("nobody's", VERIFIER)):
        with pytest.raises(ProviderError) as caught:
            outlook.adapter.exchange(
                code=refused, redirect_uri=microsoft.CALLBACK, verifier=verifier, nonce=NONCE
            )
        assert caught.value.cause == "code_refused", caught.value


def test_a_renewed_key_leaves_the_old_one_working(outlook: MicrosoftMailbox) -> None:
    grant = connected(outlook)
    assert grant.refresh_token is not None
    first = outlook.adapter.refresh(grant.refresh_token)
    second = outlook.adapter.refresh(grant.refresh_token)
    assert len({grant.refresh_token, first.refresh_token, second.refresh_token}) == 3
    assert 3600 <= first.expires_in <= 5400
    for one in (grant, first, second):
        found = outlook.adapter.probe(one.access_token, [Capability.SEND, Capability.READ])
        assert [(evidence.check, evidence.ok) for evidence in found] == [("grant", True), ("read", True)]


@pytest.mark.parametrize(
    ("ended", "cause", "dead"),
    [
        ("revoked", "password_changed", True),
        ("password", "password_changed", True),
        ("unused", "grant_idle", True),
        ("deleted", "account_gone", True),
        ("disabled", "account_gone", False),
        ("admin_policy", "admin_policy", False),
        ("conditional_access", "admin_policy", False),
        ("mfa", "mfa_required", False),
        ("sign_in_frequency", "session_policy", True),
        ("consent_removed", "grant_revoked", True),
    ],
)
@pytest.mark.parametrize("plain", [True, False], ids=["with suberror", "otherwise"])
def test_how_a_grant_ends(outlook: MicrosoftMailbox, ended: str, cause: str, dead: bool, plain: bool) -> None:
    if not plain:
        outlook.sandbox.switch(
            "microsoft",
            suberror=False,
            claims_challenge=False,
            policy_error="interaction_required",
            consent_removed_error="consent_required",
        )
    grant = connected(outlook)
    outlook.sandbox.fault("any", "expire_grant", "microsoft", cause=ended)
    found = failure_of(grant, outlook)
    assert (found.cause, found.grant_is_dead) == (cause, dead), found
    assert found.words.startswith("AADSTS")
    assert "Trace ID" not in found.words


def test_of_a_personal_account_every_dead_grant_is_the_same(outlook: MicrosoftMailbox) -> None:
    grant = connected(outlook, PERSONAL)
    outlook.sandbox.fault("any", "expire_grant", "microsoft", account=PERSONAL, cause="unused")
    found = failure_of(grant, outlook)
    assert (found.cause, found.grant_is_dead) == ("grant_rejected", True)


@pytest.mark.parametrize("answer", ["429", "50196"])
def test_a_throttled_renewal(outlook: MicrosoftMailbox, answer: str) -> None:
    outlook.sandbox.switch("microsoft", identity_throttle=answer)
    grant = connected(outlook)
    outlook.sandbox.fault("token", "throttle", "microsoft", retry_after=300)
    found = failure_of(grant, outlook)
    assert (found.cause, found.grant_is_dead) == ("throttled", False)
    assert (found.retry_at is not None) is (answer == "429")


@pytest.mark.parametrize("error", ["unauthorized_client", "invalid_client"])
def test_this_installations_own_client(outlook: MicrosoftMailbox, error: str) -> None:
    outlook.sandbox.switch("microsoft", unknown_app_error=error)
    grant, right = connected(outlook), clients.require("microsoft")
    for tried, cause in (
        (Client("nobody", right.secret, "tried", right.extra), "client_unknown"),
        (Client(right.id, "wrong", "tried", right.extra), "client_secret_wrong"),
        (Client(right.id, right.secret, "tried", {"TENANT": microsoft.CLIENT_ID}), "tenant_unknown"),
    ):
        with clients.trying("microsoft", tried):
            found = failure_of(grant, outlook)
        assert (found.cause, found.grant_is_dead) == (cause, False)
    outlook.sandbox.fault("token", "client_secret_expired", "microsoft")
    assert failure_of(grant, outlook).cause == "client_secret_expired"


def test_a_return_address_that_is_not_registered_is_told_by_the_first_page(outlook: MicrosoftMailbox) -> None:
    registered = outlook.adapter.check_redirect(microsoft.CALLBACK)
    assert registered is not None
    assert registered.ok
    found = outlook.adapter.check_redirect("http://localhost:8000/oauth/elsewhere")
    assert found is not None
    assert (found.ok, found.cause) == (False, "redirect_mismatch")


def refused(outlook: MicrosoftMailbox, cause: str) -> SendResult:
    result = outlook.hand_over(outlook.message(new_mark()))
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, cause)
    assert not result.client_wide
    assert outlook.sandbox.messages() == []
    return result


@pytest.mark.parametrize("code", ["ApplicationThrottled", "TooManyRequests"])
@pytest.mark.parametrize(("form", "told"), [("integer", True), ("decimal", True), ("absent", False)])
def test_a_throttled_send(outlook: MicrosoftMailbox, code: str, form: str, told: bool) -> None:
    outlook.sandbox.switch("microsoft", throttle_code=code, retry_after=form)
    outlook.access()
    outlook.sandbox.fault("send", "throttle", "microsoft", retry_after=300)
    assert (refused(outlook, "throttled").retry_at is not None) is told


@pytest.mark.parametrize("status", [400, 403, 429])
def test_the_limit_of_a_day(outlook: MicrosoftMailbox, status: int) -> None:
    outlook.sandbox.switch("microsoft", message_limit_status=status)
    outlook.access()
    outlook.sandbox.fault("send", "daily_limit", "microsoft")
    refused(outlook, "daily_limit")


@pytest.mark.parametrize("status", [403, 429, 554])
def test_an_account_that_may_not_send(outlook: MicrosoftMailbox, status: int) -> None:
    outlook.sandbox.switch("microsoft", submission_blocked_status=status)
    outlook.access()
    outlook.sandbox.account(outlook.address, "microsoft", send_block=True)
    refused(outlook, "sending_blocked")


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_without_a_mailbox(outlook: MicrosoftMailbox, status: int) -> None:
    outlook.sandbox.switch("microsoft", mailbox_missing_status=status)
    access = outlook.access()
    outlook.sandbox.account(outlook.address, "microsoft", mailbox_enabled=False)
    with pytest.raises(ProviderError) as caught:
        outlook.adapter.prepare(outlook.message(new_mark()), access, earlier=None)
    assert caught.value.cause == "mailbox_missing"
    for capabilities in ((Capability.SEND,), outlook.adapter.capabilities):
        found = outlook.adapter.check_send(access, capabilities)
        assert (found.ok, found.cause) == (False, "mailbox_missing")
    (read,) = outlook.adapter.probe(access, outlook.adapter.capabilities)
    assert (read.check, read.cause) == ("read", "mailbox_missing")


@pytest.mark.parametrize(
    "text",
    [
        "Lifetime validation failed, the token is expired.",
        "Access token has expired or is not yet valid.",
        "CompactToken validation failed with reason code: 80049228.",
    ],
)
def test_a_key_that_has_run_out(outlook: MicrosoftMailbox, text: str) -> None:
    outlook.sandbox.switch("microsoft", expired_token_text=text)
    access = outlook.access()
    outlook.sandbox.fault("any", "expire_access", "microsoft")
    result = outlook.adapter.send(outlook.message(new_mark()), access, fence=lambda: None)
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "access_refused")
    assert text[:30] in result.words


def test_a_permission_that_is_missing(outlook: MicrosoftMailbox) -> None:
    access = outlook.access(Capability.SEND)
    with pytest.raises(ProviderError) as caught:
        outlook.adapter.prepare(outlook.message(new_mark()), access, earlier=None)
    assert caught.value.cause == "scope_missing"
    assert outlook.adapter.check_send(access, [Capability.SEND]).ok
    assert outlook.adapter.check_send(access, outlook.adapter.capabilities).cause == "scope_missing"


def test_recipients_that_cannot_be(outlook: MicrosoftMailbox) -> None:
    outlook.access()
    letter = outlook.letter(new_mark()).replace(b"bob@example.com", b"bob at example.com")
    message = outlook.message(new_mark())
    for raw in (letter, letter.replace(b"To: bob at example.com", b"X-Nobody: there")):
        result = outlook.hand_over(type(message)(message.mark, raw))
        assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "recipient_refused")
    outlook.sandbox.switch("microsoft", recipients_per_message=1)
    many = outlook.letter(new_mark()).replace(b"bob@example.com", b"bob@example.com, ann@example.com")
    result = outlook.hand_over(type(message)(message.mark, many))
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "recipient_refused")
