"""Keap's contacts and the status of their addresses, in both APIs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests
from tests.sandbox.keap_client import ADA, KeapClient, Tokens
from tests.sandbox_process import Sandbox

from truesend_sandbox.keap.addresses import STATUSES

BOB = "bob@example.org"


@pytest.fixture
def tokens(sandbox: Sandbox, keap: KeapClient) -> Tokens:
    sandbox.account(ADA, "keap", tenants=["xy123"])
    return keap.connect()


def _body(email: str = BOB, field: str = "EMAIL1", **more: Any) -> dict[str, Any]:
    return {"email_addresses": [{"email": email, "field": field}], **more}


def _post(keap: KeapClient, tokens: Tokens, body: object, option: str | None = None) -> requests.Response:
    params = {} if option is None else {"duplicate_option": option}
    return keap.api("POST", "v2/contacts", tokens, json=body, params=params)


def _found(keap: KeapClient, tokens: Tokens, **params: str) -> list[str]:
    listed = keap.api("GET", "v2/contacts", tokens, params=params).json()["contacts"]
    return [contact["id"] for contact in listed]


def _status(keap: KeapClient, tokens: Tokens, email: str = BOB) -> tuple[str, bool]:
    body = keap.api("GET", f"v2/emailAddresses/{quote(email)}/status", tokens).json()
    return body["status"], body["opted_in"]


def test_a_contact_is_found_by_its_address_exactly(keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens, "Bob+Test@Example.org")
    keap.contact(tokens, "bobby@example.org")
    assert _found(keap, tokens, filter="email==bob+test@example.org") == [bob]
    assert _found(keap, tokens, filter="email==bob@example.org") == []
    assert len(_found(keap, tokens, filter="email==bob*")) == 2
    v1 = keap.api("GET", "v1/contacts", tokens, params={"email": "bob+test@example.org"}).json()
    assert ([contact["id"] for contact in v1["contacts"]], v1["count"]) == ([int(bob)], 1)


def test_what_is_no_filter_is_ignored_and_returns_everybody(keap: KeapClient, tokens: Tokens) -> None:
    everybody = [keap.contact(tokens, BOB), keap.contact(tokens, "cy@example.org")]
    assert _found(keap, tokens, email=BOB) == everybody
    for wrong in ("mail==x", "email=x", "email>=x", "start_update_time==soon", "phone_number==1"):
        assert keap.api("GET", "v2/contacts", tokens, params={"filter": wrong}).status_code == 400


def test_filters_go_together(keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens, BOB, given_name="Bob", family_name="Smith")
    cy = keap.contact(tokens, "cy@example.org", given_name="Cy", family_name="Smith")
    assert _found(keap, tokens, filter="family_name==smi*") == [bob, cy]
    assert _found(keap, tokens, filter="family_name==Smith;given_name==Cy") == [cy]
    assert _found(keap, tokens, filter=f"ids=={bob},999") == [bob]
    assert _found(keap, tokens, filter="start_update_time==2000-01-01T00:00:00Z") == [bob, cy]
    assert _found(keap, tokens, filter="end_update_time==2000-01-01T00:00:00Z") == []
    assert _found(keap, tokens, order_by="id desc") == [cy, bob]
    assert _found(keap, tokens, order_by="email asc", page_size="1") == [bob]


def test_the_app_decides_who_is_there(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    bob = keap.contact(tokens)
    other = keap.connect("eve@example.com")
    assert _found(keap, other) == []
    assert keap.api("GET", f"v2/contacts/{bob}", other).status_code == 404
    assert keap.api("PATCH", f"v2/contacts/{bob}", other, json={"given_name": "X"}).status_code == 404
    assert keap.api("DELETE", f"v2/contacts/{bob}", other).status_code == 404
    assert keap.api("GET", f"v1/contacts/{bob}", other).status_code == 404
    assert keap.api("GET", f"v2/emailAddresses/{BOB}/status", other).status_code == 404
    sandbox.account("ben@example.com", "keap", tenants=["xy123"])
    colleague = keap.connect("ben@example.com")
    assert _found(keap, colleague) == [bob]


def test_without_duplicate_option_there_is_always_a_new_one(keap: KeapClient, tokens: Tokens) -> None:
    first, second = _post(keap, tokens, _body()), _post(keap, tokens, _body())
    assert (first.status_code, second.status_code) == (201, 201)
    assert _found(keap, tokens, filter=f"email=={BOB}") == [first.json()["id"], second.json()["id"]]
    again = _post(keap, tokens, _body(given_name="Bob"), "Email")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"]), "the oldest one"


@pytest.mark.parametrize(
    ("option", "change", "status"),
    [
        ("Email", {"given_name": "Robert"}, 200),
        ("EmailAndName", {"given_name": "bob", "family_name": "SMITH"}, 200),
        ("EmailAndName", {"given_name": "Robert"}, 201),
        ("EmailAndNameAndCompany", {"given_name": "Bob", "family_name": "Smith"}, 200),
        (
            "EmailAndNameAndCompany",
            {"given_name": "Bob", "family_name": "Smith", "company": {"id": "7"}},
            201,
        ),
        ("Phone", {}, 400),
    ],
)
def test_what_counts_as_the_same_contact(
    keap: KeapClient, tokens: Tokens, option: str, change: dict[str, Any], status: int
) -> None:
    _post(keap, tokens, _body(given_name="Bob", family_name="Smith"))
    assert _post(keap, tokens, _body(**change), option).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {"given_name": "Nobody"},
        _body("no address"),
        _body(field="EMAIL4"),
        {"email_addresses": [{"email": "a@b.c"}, {"email": "d@b.c"}]},
        _body(f"{'x' * 72}@b.c"),
        _body(given_name="x" * 41),
        _body(given_name=7),
        {"email_addresses": "a@b.c"},
        _body(addresses=[{"field": "BILLING", "region": "Arizona"}]),
        {"email_addresses": [{"email": BOB, "field": ["EMAIL1"]}]},
        _body(phone_numbers=[{"field": "PHONE1", "number": 5}]),
        _body(phone_numbers=[{"field": "PHONE9", "number": "5"}]),
        _body(company="Thryv"),
        _body(given_name="\ud800"),
        ["no object"],
        "{",
    ],
)
def test_what_no_contact_may_hold_is_refused_and_keeps_nothing(
    keap: KeapClient, tokens: Tokens, body: object
) -> None:
    if isinstance(body, str):
        answer = requests.post(f"{keap.url}/rest/v2/contacts", headers=tokens.header, data=body, timeout=10)
    else:
        answer = _post(keap, tokens, body)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert _found(keap, tokens) == []


def test_a_patch_touches_what_its_mask_names_and_lists_are_replaced_whole(
    keap: KeapClient, tokens: Tokens
) -> None:
    two = {
        "email_addresses": [{"email": BOB, "field": "EMAIL1"}, {"email": "b2@example.org", "field": "EMAIL2"}]
    }
    number = _post(keap, tokens, {**two, "given_name": "Bob"}).json()["id"]
    change = {**_body("new@example.org"), "given_name": "Robert", "family_name": "Smith"}

    def patch(**params: Any) -> dict[str, Any]:
        answer = keap.api("PATCH", f"v2/contacts/{number}", tokens, json=change, params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    masked = patch(update_mask=["family_name"])
    assert (masked["given_name"], masked["family_name"]) == ("Bob", "Smith")
    assert [item["email"] for item in masked["email_addresses"]] == [BOB, "b2@example.org"]
    whole = patch()
    assert (whole["given_name"], [item["email"] for item in whole["email_addresses"]]) == (
        "Robert",
        ["new@example.org"],
    )
    assert _found(keap, tokens, filter=f"email=={BOB}") == []
    wrong = keap.api("PATCH", f"v2/contacts/{number}", tokens, json=change, params={"update_mask": "age"})
    assert wrong.status_code == 400


def test_fields_choose_what_is_shown(keap: KeapClient, tokens: Tokens) -> None:
    number = keap.contact(tokens, given_name="Bob", family_name="Smith")
    one = keap.api("GET", f"v2/contacts/{number}", tokens, params={"fields": "given_name,notes"}).json()
    assert one == {"id": number, "given_name": "Bob"}


def test_a_deleted_contact_is_gone(keap: KeapClient, tokens: Tokens) -> None:
    number = keap.contact(tokens)
    assert keap.api("DELETE", f"v2/contacts/{number}", tokens).status_code == 204
    assert keap.api("GET", f"v2/contacts/{number}", tokens).status_code == 404
    assert _found(keap, tokens, filter=f"email=={BOB}") == []
    assert _status(keap, tokens) == ("NON_MARKETABLE", False), "its address keeps its status"


def test_v1_upserts_by_put_and_changes_only_what_is_given(keap: KeapClient, tokens: Tokens) -> None:
    body = {**_body(given_name="Bob", job_title="Boss", owner_id=1), "duplicate_option": "Email"}
    made = keap.api("PUT", "v1/contacts", tokens, json=body)
    number = made.json()["id"]
    assert (made.status_code, made.json()["email_status"]) == (200, "NonMarketable")
    second = {**_body("b2@example.org", "EMAIL2"), "family_name": "Smith", "opt_in_reason": "asked for it"}
    changed = keap.api("PATCH", f"v1/contacts/{number}", tokens, json=second).json()
    assert [item["email"] for item in changed["email_addresses"]] == [BOB, "b2@example.org"]
    assert (changed["given_name"], changed["owner_id"]) == ("Bob", 1)
    again = keap.api("PUT", "v1/contacts", tokens, json=body).json()
    assert again["id"] == number
    assert "job_title" not in again
    full = keap.api("GET", f"v1/contacts/{number}?optional_properties=job_title", tokens).json()
    assert full["job_title"] == "Boss"
    always = keap.api("POST", "v1/contacts", tokens, json=_body())
    assert (always.status_code, always.json()["id"] != number) == (201, True)
    assert keap.api("DELETE", f"v1/contacts/{number}", tokens).status_code == 204


def test_v1_lists_by_limit_and_offset_with_whole_addresses(keap: KeapClient, tokens: Tokens) -> None:
    numbers = [int(keap.contact(tokens, f"p{number}@example.org")) for number in range(5)]
    page = keap.api("GET", "v1/contacts?limit=2&offset=2", tokens).json()
    assert [contact["id"] for contact in page["contacts"]] == numbers[2:4]
    assert page["count"] == 5
    following = requests.get(page["next"], headers=tokens.header, timeout=10).json()
    assert [contact["id"] for contact in following["contacts"]] == numbers[4:]
    before = requests.get(page["previous"], headers=tokens.header, timeout=10).json()
    assert [contact["id"] for contact in before["contacts"]] == numbers[:2]
    down = keap.api("GET", "v1/contacts?order=email&order_direction=DESCENDING", tokens).json()
    assert [contact["id"] for contact in down["contacts"]] == numbers[::-1]
    assert keap.api("GET", "v1/contacts?limit=many", tokens).status_code == 400


def test_a_new_address_is_not_marketable_unless_there_is_a_reason(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens
) -> None:
    keap.contact(tokens)
    assert _status(keap, tokens) == ("NON_MARKETABLE", False)
    asked = {"email_addresses": [{"email": "cy@example.org", "field": "EMAIL1", "opt_in_reason": "asked"}]}
    shown = _post(keap, tokens, asked).json()["email_addresses"][0]
    assert (shown["email_opt_status"], shown["is_opt_in"]) == ("SINGLE_OPT_IN", True)
    sandbox.switch("keap", new_contact_status="UNENGAGED_MARKETABLE")
    keap.contact(tokens, "dee@example.org")
    assert _status(keap, tokens, "dee@example.org") == ("UNENGAGED_MARKETABLE", True)


RAISED = {"UNENGAGED_MARKETABLE", "UNENGAGED_NON_MARKETABLE", "NON_MARKETABLE", "MANUAL"}


@pytest.mark.parametrize("status", STATUSES)
def test_an_opt_in_raises_four_statuses_and_leaves_the_others(
    sandbox: Sandbox, keap: KeapClient, tokens: Tokens, status: str
) -> None:
    keap.contact(tokens)
    sandbox.control("POST", "keap/addresses", {"tenant": "xy123", "email": BOB, "status": status})
    path, wish = f"v2/emailAddresses/{BOB}/status", {"opted_in": True, "reason": "said so"}
    answer = keap.api("PATCH", path, tokens, json=wish)
    assert answer.status_code == 200
    assert answer.json()["status"] == ("SINGLE_OPT_IN" if status in RAISED else status)
    v1 = keap.api("PUT", f"v1/emailAddresses/{BOB}", tokens, json=wish).json()
    assert v1["status"] == STATUSES[answer.json()["status"]][1]
    contact = keap.api("GET", "v1/contacts", tokens).json()["contacts"][0]
    assert contact["email_status"] == STATUSES[answer.json()["status"]][0]
    assert contact["email_opted_in"] == v1["opted_in"] == answer.json()["opted_in"]


def test_an_opt_in_in_vain_may_be_refused(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    keap.contact(tokens)
    sandbox.switch("keap", vain_opt_in="refuse")
    path, wish = f"v2/emailAddresses/{BOB}/status", {"opted_in": True, "reason": "said so"}
    assert keap.api("PATCH", path, tokens, json=wish).status_code == 200
    sandbox.control("POST", "keap/addresses", {"tenant": "xy123", "email": BOB, "status": "LIST_UNSUBSCRIBE"})
    assert keap.api("PATCH", path, tokens, json=wish).status_code == 400
    assert _status(keap, tokens) == ("LIST_UNSUBSCRIBE", False)


def test_an_opt_out_lowers_what_may_be_written_to(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    keap.contact(tokens)
    path = f"v2/emailAddresses/{BOB}/status"
    out = keap.api("PATCH", path, tokens, json={"opted_in": False, "reason": "asked"}).json()
    assert (out["status"], out["opted_in"]) == ("MANUAL", False)
    sandbox.control("POST", "keap/addresses", {"account": ADA, "email": BOB, "status": "HARD_BOUNCE"})
    kept = keap.api("PATCH", path, tokens, json={"opted_in": False, "reason": "asked"}).json()
    assert kept["status"] == "HARD_BOUNCE"
    for wrong in ({"opted_in": "yes", "reason": "x"}, {"opted_in": True}, {"opted_in": True, "reason": " "}):
        assert keap.api("PATCH", path, tokens, json=wrong).status_code == 400


def test_an_address_nobody_has(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    path = "v2/emailAddresses/nobody@example.org/status"
    assert keap.api("GET", path, tokens).status_code == 404
    assert keap.api("GET", "v2/emailAddresses/nonsense/status", tokens).status_code == 400
    sandbox.switch("keap", unknown_address="non_marketable")
    assert keap.api("GET", path, tokens).json()["status"] == "NON_MARKETABLE"


def test_addresses_are_listed_by_status(sandbox: Sandbox, keap: KeapClient, tokens: Tokens) -> None:
    for email in ("a@example.org", "b@example.org", "c@example.org"):
        keap.contact(tokens, email)
    sandbox.control("POST", "keap/addresses", {"tenant": "xy123", "email": "b@example.org", "status": "SPAM"})
    sandbox.control(
        "POST", "keap/addresses", {"tenant": "xy123", "email": "c@example.org", "status": "BOUNCE"}
    )

    def listed(**params: str) -> list[str]:
        body = keap.api("GET", "v2/emailAddresses", tokens, params=params).json()
        return [item["email"][0] for item in body["email_addresses"]]

    assert listed() == ["a", "b", "c"]
    assert listed(filter="statuses==SPAM,NON_MARKETABLE", order_by="status desc") == ["b", "a"]
    assert listed(filter="emails==c@example.org,a@example.org") == ["a", "c"]
    assert listed(filter="opted_in==true") == ["c"]
    sandbox.switch("keap", soft_bounce_is_marketable=False)
    assert listed(filter="opted_in==true") == []
    for wrong in ("statuses==WELL", "opted_in==yes", "email==a"):
        answer = keap.api("GET", "v2/emailAddresses", tokens, params={"filter": wrong})
        assert answer.status_code == 400


def test_the_control_of_addresses_tells_what_is_wrong(sandbox: Sandbox) -> None:
    for wrong in (
        {"tenant": "xy123", "email": BOB, "status": "WELL"},
        {"email": BOB, "status": "SPAM"},
        {"tenant": "xy123", "email": "x", "status": "SPAM"},
        {"tenant": "xy123", "email": BOB, "status": "SPAM", "more": 1},
    ):
        assert sandbox.control("POST", "keap/addresses", wrong, expect=400)["error"]
