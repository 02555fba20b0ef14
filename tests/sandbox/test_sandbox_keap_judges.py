"""Keap's own Python SDK and its OpenAPI documents against the sandbox: judges that nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from jsonschema_rs import validator_for
from keap_core_v2_client.api.contact_api import ContactApi
from keap_core_v2_client.api.email_address_api import EmailAddressApi
from keap_core_v2_client.api.email_api import EmailApi
from keap_core_v2_client.api.users_api import UsersApi
from keap_core_v2_client.api_client import ApiClient
from keap_core_v2_client.configuration import Configuration
from keap_core_v2_client.exceptions import (
    ApiException,
    BadRequestException,
    NotFoundException,
    UnauthorizedException,
)
from keap_core_v2_client.models.create_email_sent_request import CreateEmailSentRequest
from keap_core_v2_client.models.create_update_contact_request import CreateUpdateContactRequest
from keap_core_v2_client.models.email_address_request import EmailAddressRequest
from keap_core_v2_client.models.email_send_request import EmailSendRequest
from keap_core_v2_client.models.email_send_request_attachment import EmailSendRequestAttachment
from keap_core_v2_client.models.error import Error
from keap_core_v2_client.models.update_email_address import UpdateEmailAddress
from pydantic import BaseModel
from tests.sandbox import keap_schema
from tests.sandbox.keap_client import ADA, KeapClient, Tokens, encoded
from tests.sandbox_process import Sandbox

from truesend_sandbox.keap.provider import routes
from truesend_sandbox.world import World

BOB = "bob@example.org"


@pytest.fixture
def tokens(sandbox: Sandbox, keap: KeapClient) -> Tokens:
    sandbox.account(ADA, "keap", name="Ada King", tenants=["xy123"])
    return keap.connect()


@pytest.fixture(params=["", "/crm"], ids=["root", "crm"])
def sdk(request: pytest.FixtureRequest, keap: KeapClient, tokens: Tokens) -> Iterator[ApiClient]:
    """The SDK at the root, as its `host` is given here, and below /crm, which is its own default."""
    host = f"{keap.url}{request.param}"
    with ApiClient(Configuration(host=host, access_token=tokens.access)) as client:
        yield client


def _invented(value: Any, path: str = "") -> list[str]:
    """Fields in an answer that the SDK's models do not know."""
    if isinstance(value, BaseModel):
        found = [f"{path}.{name}" for name in getattr(value, "additional_properties", {})]
        for name in type(value).model_fields:
            if name != "additional_properties":
                found += _invented(getattr(value, name), f"{path}.{name}")
        return found
    if isinstance(value, list):
        return [name for index, item in enumerate(value) for name in _invented(item, f"{path}[{index}]")]
    return []


def _error(raised: ApiException) -> Error:
    """The answer as the SDK's own model of an error."""
    assert isinstance(raised.data, Error)
    return raised.data


def _contact(email: str = BOB, **more: Any) -> CreateUpdateContactRequest:
    address = EmailAddressRequest(email=email, field="EMAIL1", opt_in_reason=more.pop("reason", None))
    return CreateUpdateContactRequest(email_addresses=[address], **more)


def test_the_sdk_knows_who_is_there(sdk: ApiClient) -> None:
    api = UsersApi(sdk)
    me, users = api.get_user_info(), api.list_paginated_users()
    assert (me.email, me.tenant_id, me.is_admin) == (ADA, "xy123", True)
    assert users.users is not None
    (user,) = users.users
    assert user.global_user_id == me.id
    assert api.get_user_by_id(str(user.id)) == user
    assert _invented(me) + _invented(users) == []


def test_the_sdk_upserts_finds_changes_and_deletes_a_contact(sdk: ApiClient) -> None:
    api = ContactApi(sdk)
    made = api.create_contact_with_http_info(_contact(given_name="Bob"), duplicate_option="Email")
    again = api.create_contact_with_http_info(_contact(family_name="Smith"), duplicate_option="Email")
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.data.id == again.data.id
    found = api.list_contacts(filter=f"email=={BOB}")
    assert found.contacts is not None
    (contact,) = found.contacts
    assert (contact.given_name, contact.family_name) == ("Bob", "Smith")
    number = str(contact.id)
    changed = api.update_contact(number, _contact("new@example.org", given_name="Robert"), ["given_name"])
    assert changed.email_addresses is not None
    assert (changed.given_name, changed.email_addresses[0].email) == ("Robert", BOB)
    brief = api.get_contact(number, fields=["given_name", "email_addresses"])
    assert (brief.given_name, brief.family_name) == ("Robert", None)
    assert _invented(found) + _invented(changed) + _invented(brief) == []
    api.delete_contact(number)
    with pytest.raises(NotFoundException) as error:
        api.get_contact(number)
    assert _error(error.value).message == "Contact not found"


def test_the_sdk_opts_an_address_in(sdk: ApiClient) -> None:
    ContactApi(sdk).create_contact(_contact())
    api = EmailAddressApi(sdk)
    assert api.get_email_address_status(BOB).status == "NON_MARKETABLE"
    changed = api.update_email_address_opt_status(BOB, UpdateEmailAddress(opted_in=True, reason="asked"))
    assert (changed.status, changed.opted_in) == ("SINGLE_OPT_IN", True)
    listed = api.list_email_address_statuses(filter="opted_in==true")
    assert listed.email_addresses == [changed]
    assert _invented(listed) == []


def test_the_sdk_sends_and_reads_the_history(sandbox: Sandbox, sdk: ApiClient) -> None:
    contact = str(ContactApi(sdk).create_contact(_contact()).id)
    users = UsersApi(sdk).list_paginated_users().users
    assert users is not None
    api = EmailApi(sdk)
    html = "<p>Grüße</p><!-- truesend:delivery=1 -->"
    mail = EmailSendRequest(
        contacts=[contact],
        subject="Grüße",
        user_id=users[0].id,
        html_content=encoded(html),
        attachments=[EmailSendRequestAttachment(file_name="a.pdf", file_data=encoded("x"))],
    )
    assert api.send_email_with_http_info(mail).status_code == 202
    assert [(item["to"], item["count"]) for item in sandbox.messages(delivery="1")] == [([BOB], 1)]
    listed = api.list_emails(filter=f"contact_id=={contact}", order_by="created_time desc", page_size=10)
    assert listed.emails is not None
    (email,) = listed.emails
    assert (email.subject, email.sent_to_address, email.sent_from_address) == ("Grüße", BOB, ADA)
    full = api.get_email(str(email.id))
    assert full.html_content == encoded(html)
    record = api.create_email(
        CreateEmailSentRequest(
            sent_to_address=BOB,
            subject="elsewhere",
            contact_id=full.contact_id,
            original_provider="GOOGLE",
            original_provider_id="truesend-1",
            provider_source_id="ada@gmail.com",
            sent_to_cc_address_list=["cy@example.org"],
            html_content=encoded(html),
        )
    )
    of_contact = api.list_emails(filter=f"contact_id=={full.contact_id}", order_by="created_time asc")
    assert of_contact.emails is not None
    assert [one.original_provider_id for one in of_contact.emails][1:] == ["truesend-1"]
    assert _invented(listed) + _invented(full) + _invented(record) == []
    api.delete_email(str(record.id))
    pages = [api.list_emails(page_size=1)]
    assert pages[0].next_page_token is None


def test_the_sdk_reads_what_is_refused(sdk: ApiClient) -> None:
    api = EmailApi(sdk)
    with pytest.raises(BadRequestException) as refused:
        api.send_email(EmailSendRequest(contacts=[], subject="x", user_id="1"))
    assert (_error(refused.value).code, _invented(_error(refused.value))) == (400, [])
    file = EmailSendRequestAttachment(file_name="a.exe", file_data="eA==")
    contact = str(ContactApi(sdk).create_contact(_contact()).id)
    with pytest.raises(BadRequestException) as wrong:
        api.send_email(EmailSendRequest(contacts=[contact], subject="x", user_id="1", attachments=[file]))
    assert _error(wrong.value).message == "attachment type is invalid"


def test_the_sdk_sees_the_gateway_refuse_and_takes_a_key(sandbox: Sandbox, keap: KeapClient) -> None:
    with (
        ApiClient(Configuration(host=keap.url, access_token="garbage")) as client,
        pytest.raises(UnauthorizedException) as refused,
    ):
        UsersApi(client).get_user_info()
    body = json.loads(str(refused.value.body))
    assert body["fault"]["detail"]["errorcode"] == "keymanagement.service.invalid_access_token"
    key = sandbox.control("POST", "keap/keys", {"account": ADA, "tenant": "xy123"})["key"]
    with ApiClient(Configuration(host=keap.url, access_token=key)) as client:
        assert UsersApi(client).get_user_info().tenant_id == "xy123"


needs_documents = pytest.mark.skipif(
    not keap_schema.AVAILABLE,
    reason="Keap's OpenAPI documents are not at hand (keap-v1-subset, keap-v2-subset)",
)


@needs_documents
def test_what_every_test_gets_is_judged_by_keaps_documents(keap: KeapClient, tokens: Tokens) -> None:
    """The judging of `KeapClient.api` finds an invented field, a wrong type and a status nobody declared."""
    keap.contact(tokens)
    for version in ("v1", "v2"):
        answer = keap.api("GET", f"{version}/contacts", tokens)
        good = answer.json()
        for wrong in (
            {**good, "invented": 1},
            {"contacts": [{**good["contacts"][0], "id": None}]},
            {"contacts": [{**good["contacts"][0], "email_addresses": [{"field": "EMAIL9"}]}]},
        ):
            answer._content = json.dumps(wrong).encode()
            with pytest.raises(AssertionError, match="contacts"):
                keap_schema.judge(answer)
        answer.status_code = 418
        with pytest.raises(AssertionError, match="declares no 418"):
            keap_schema.judge(answer)


@needs_documents
def test_the_judge_reads_the_schemas_it_was_given() -> None:
    assert not validator_for({"type": "object", "additionalProperties": False}).is_valid({"a": 1})
    for path in keap_schema.FILES.values():
        assert json.loads(path.read_text())["paths"]


@needs_documents
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_what_is_served_is_in_keaps_documents(version: str) -> None:
    """Every address of the API that the sandbox answers has an operation there."""
    declared = json.loads(keap_schema.FILES[version].read_text())["paths"]
    prefix = "/crm" + ("/rest" if version == "v1" else "")
    served = {
        (route.method.lower(), route.path.removeprefix(prefix).replace("{id}", "{}").replace("{email}", "{}"))
        for route in routes(cast(World, None))
        if route.path.startswith(f"/crm/rest/{version}/")
    }
    known = {
        (method, path.replace(path[path.find("{") : path.find("}") + 1], "{}") if "{" in path else path)
        for path, methods in declared.items()
        for method in methods
    }
    # The subset that we have names no hooks; their addresses are those of the provider's facts.
    assert {one for one in served - known if "/hooks" not in one[1]} == set()
