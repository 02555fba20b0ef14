"""Mail sent by another account, recorded with the contact of a CRM: what is told of it, and by whose will."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from tests import stack as stacks
from tests import up
from tests.recording import CRM, OWN, PATIENCE, calls, contact, crm, recorded, records, sent, told
from tests.stack import Person, Stack, until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("recording")
    with stacks.running(data, settings=PATIENCE) as running:
        yield running
    up.remove(data)


@pytest.fixture
def ana(stack: Stack) -> Person:
    return stack.person(organization=f"Recording {uuid4()}")


def test_a_mail_is_recorded_with_its_contact_as_it_was_written(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    number = contact(ana, "ines@globex.example", "Ines", "Roth")
    email = sent(ana)
    (one,) = recorded(ana)
    assert (str(one["contact_id"]), one["to_address"]) == (number, "ines@globex.example")
    assert one["original_provider"] == "GOOGLE"
    data = one["data"]
    assert (data["subject"], data["sent_from_address"], data["provider_source_id"]) == (
        "Proposal", ana.email, ana.email,
    )  # fmt: skip
    assert one["html"] == '<p>Hello, <a href="https://example.com/prices">new price list</a></p>'
    assert "/t/" not in one["plain"]
    assert "https://example.com/prices" in one["plain"]
    assert "sent_to_bcc_address_list" not in data
    assert "opened_time" not in data
    page = told(ana, email["id"], "Recorded with the Keap contact Ines Roth")
    assert "ines@globex.example" in page
    # What was sent went out tracked, and once.
    (arrived,) = stack.sandbox.messages(delivery=email["deliveries"][0]["id"])
    assert (arrived["count"], arrived["provider"]) == (1, "google")
    ledger = [one["kind"] for one in ana.api("GET", f"connections/{connection}/ledger").json()["items"]]
    assert "record" in ledger


def test_what_microsoft_sent_is_recorded_as_that(stack: Stack, ana: Person) -> None:
    crm(ana)
    contact(ana, "ines@globex.example")
    mailbox = ana.connect(provider="microsoft")["id"]
    email = ana.email_when(ana.send(mailbox)["id"], "sent")
    (one,) = recorded(ana)
    assert (one["original_provider"], one["data"]["sent_from_address"]) == ("MICROSOFT", ana.email)
    # Without a name there, it is told by the address.
    told(ana, email["id"], "Recorded with the Keap contact")


def test_it_is_off_until_somebody_wants_it(stack: Stack, ana: Person) -> None:
    connection = ana.connect(query=CRM, provider="keap")["id"]
    contact(ana, "ines@globex.example")
    before = [one["id"] for one in stack.sandbox.calls(provider="keap", account=ana.email)]
    email = sent(ana)
    page = html.unescape(ana.get("/integration").text)
    assert "is not recorded with its Keap contacts" in page
    assert "Record emails sent from other accounts" in page
    ana.post(f"/connections/{connection}/record")
    other = sent(ana, subject="After it")
    assert recorded(ana)[0]["data"]["subject"] == "After it"
    told(ana, other["id"], "Recorded with the Keap contact")
    assert "ecorded" not in ana.get(f"/emails/{email['id']}").text.partition('id="timeline"')[2]
    asked = [
        one for one in stack.sandbox.calls(provider="keap", account=ana.email) if one["id"] not in before
    ]
    assert len([one for one in asked if one["operation"] == "emails.create"]) == 1
    ana.post(f"/connections/{connection}/stop-recording")
    asked_before = len(calls(ana, "contacts.list"))
    third = sent(ana, subject="Off again")
    stack.sandbox.advance(60)
    sent(ana, subject="And one more")
    assert [one["data"]["subject"] for one in records(ana)] == ["After it"]
    assert len(calls(ana, "emails.create")) == 1
    assert len(calls(ana, "contacts.list")) == asked_before
    assert "ecorded" not in ana.get(f"/emails/{third['id']}").text.partition('id="timeline"')[2]


def test_nobody_is_made_a_contact(stack: Stack, ana: Person) -> None:
    crm(ana)
    email = sent(ana)
    told(ana, email["id"], "Keap has no contact with the address ines@globex.example.")
    assert records(ana) == []
    assert calls(ana, "contacts.upsert") == [
        one for one in calls(ana, "contacts.upsert") if one["status"] == 400
    ]
    assert calls(ana, "emails.create") == []


def test_hidden_recipients_stand_with_their_own_contact_alone(stack: Stack, ana: Person) -> None:
    crm(ana)
    people = {name: f"{name}@globex.example" for name in ("to", "cc", "bcc")}
    for address in people.values():
        contact(ana, address)
    email = sent(ana, to=[people["to"]], cc=[people["cc"]], bcc=[people["bcc"]])
    found = {one["to_address"]: one for one in recorded(ana, 3)}
    assert set(found) == set(people.values())
    for name, address in people.items():
        text = repr(found[address])
        assert "bcc_address" not in text
        assert (people["bcc"] in text) is (name == "bcc")
    assert found[people["to"]]["data"]["sent_to_cc_address_list"] == [people["cc"]]
    assert "sent_to_cc_address_list" not in found[people["cc"]]["data"]
    assert len({one["original_provider_id"] for one in found.values()}) == 3
    told(ana, email["id"], "bcc@globex.example")


def test_each_copy_says_what_its_person_read_and_no_way_out_of_theirs(stack: Stack, ana: Person) -> None:
    crm(ana)
    to = [f"Kim{n} Lee <kim{n}@globex.example>" for n in range(21)]
    for n in (3, 4):
        contact(ana, f"kim{n}@globex.example")
    email = sent(ana, to=to, separate_copies=True, html="<p>To {{email}}</p>")
    found = {one["to_address"]: one for one in recorded(ana, 2)}
    assert found["kim3@globex.example"]["html"] == "<p>To kim3@globex.example</p>"
    assert "Unsubscribe" not in found["kim4@globex.example"]["plain"]
    (arrived,) = stack.sandbox.messages(to="kim3@globex.example", delivery=email["deliveries"][3]["id"])
    assert "/t/u/" in arrived["raw"]
    page = told(ana, email["id"], "19 not recorded")
    assert "Recorded with the Keap contact" in page


def test_what_a_quote_holds_of_ours_acts_for_nobody(stack: Stack, ana: Person) -> None:
    """An earlier mail to many with the recipient's own link in it, quoted, also through a gateway."""
    crm(ana)
    contact(ana, "ines@globex.example")
    out = "http://localhost:8001/t/u/AbC-secret"
    wrapped = "https://gateway.example/?u=http%3A%2F%2Flocalhost%3A8001%2Ft%2Fu%2FAbC-secret&x=1"
    body = f'<blockquote><a href="{out}">Unsubscribe</a> <a href="{wrapped}">{out}</a></blockquote>'
    picture = {
        "name": "x.png",
        "type": "image/png",
        "content_base64": "iVBORw0KGgo=",
        "content_id": "x@truesend",
    }
    shown = body + '<img src="cid:x@truesend" alt="">'
    sent(ana, html=shown, text=f"> Unsubscribe: {out}", attachments=[picture])
    (one,) = recorded(ana)
    assert "AbC-secret" not in repr(one)
    assert '<a href="#">Unsubscribe</a>' in one["html"]
    assert "cid:" not in one["html"]


def test_two_connections_of_one_app_record_once_and_of_two_apps_each(stack: Stack, ana: Person) -> None:
    stack.sandbox.account(ana.email, "keap", tenants=["aa111", "bb222"])
    crm(ana, tenant="aa111")
    crm(ana, OWN, tenant="aa111")
    crm(ana, OWN, tenant="bb222")
    key = {}
    for tenant in ("aa111", "bb222"):
        made = stack.sandbox.control("POST", "keap/keys", {"account": ana.email, "tenant": tenant})
        key[tenant] = made["key"]
        body = {"email_addresses": [{"email": "ines@globex.example", "field": "EMAIL1"}]}
        url = f"{stack.sandbox.url}/crm/rest/v2/contacts"
        assert requests.post(url, json=body, headers={"X-Keap-API-Key": made["key"]}, timeout=30).ok
    email = sent(ana)
    page = told(ana, email["id"], "(bb222)")
    assert "(aa111)" in told(ana, email["id"], "(aa111)")
    until(lambda: len(_in(stack, "aa111") + _in(stack, "bb222")), lambda n: n == 2, 20)
    assert page.count("Recorded with the Keap contact") <= 2
    stack.sandbox.advance(60)
    assert (len(_in(stack, "aa111")), len(_in(stack, "bb222"))) == (1, 1)


def _in(stack: Stack, tenant: str) -> list[Any]:
    found: list[Any] = stack.sandbox.control("GET", "keap/records", params={"tenant": tenant})["items"]
    return found


def test_a_personal_one_is_told_of_its_members_mail_alone(stack: Stack, ana: Person) -> None:
    crm(ana, OWN)
    contact(ana, "ines@globex.example")
    ben = stack.member_of(ana, "user")
    theirs = sent(ben, subject="Ben's")
    sent(ana, subject="Ana's")
    assert [one["data"]["subject"] for one in recorded(ana)] == ["Ana's"]
    assert "ecorded" not in ben.get(f"/emails/{theirs['id']}").text.partition('id="timeline"')[2]


def test_what_keap_sent_itself_and_test_mails_are_not_recorded(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example")
    contact(ana, ana.email)
    by_keap = ana.email_when(ana.send(connection)["id"], "sent")
    mailbox = ana.connect()["id"]
    ana.api("POST", f"connections/{mailbox}/test-email")
    sent(ana, subject="By Google")
    assert [one["data"]["subject"] for one in recorded(ana)] == ["By Google"]
    assert "ecorded" not in ana.get(f"/emails/{by_keap['id']}").text.partition('id="timeline"')[2]


def test_who_may_turn_it_on(stack: Stack, ana: Person) -> None:
    shared = ana.connect(query=CRM, provider="keap")["id"]
    user, manager = stack.member_of(ana, "user"), stack.member_of(ana, "manager")
    stranger = stack.person("eve", "Elsewhere")
    google = ana.connect()["id"]
    for step in ("record", "stop-recording"):
        assert user.post(f"/connections/{shared}/{step}").status_code == 403
        assert stranger.post(f"/connections/{shared}/{step}").status_code == 404
        assert ana.post(f"/connections/{google}/{step}").status_code == 404
    assert "is not recorded with its" in html.unescape(ana.get("/integration").text)
    assert "recorded with its" not in html.unescape(user.get("/integration").text)
    own = user.connect(query=OWN, provider="keap")["id"]
    assert user.post(f"/connections/{own}/record").status_code == 200
    assert ana.post(f"/connections/{own}/record").status_code == 404
    assert manager.post(f"/connections/{shared}/record").status_code == 200
    page = html.unescape(user.get("/integration").text)
    assert f"What everybody in {ana.organization} sends from other accounts is recorded" in page
    assert f"/connections/{shared}/stop-recording" not in page
