"""Mail that cannot be recorded at once: it waits, is recorded once, and is never in the way of the mail itself."""

from __future__ import annotations

import html
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from tests import stack as stacks
from tests import up
from tests.recording import CRM, PATIENCE, calls, contact, crm, recorded, records, sent, told
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


@pytest.mark.parametrize("kind", ["outage", "throttle", "never"])
def test_what_ends_by_itself_is_waited_for(stack: Stack, ana: Person, kind: str) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    more = {"retry_after": 30} if kind == "throttle" else {}
    fault = stack.sandbox.fault("emails.create", kind, provider="keap", account=ana.email, **more)
    email = sent(ana)  # the mail itself is in no way held up
    told(ana, email["id"], "Waiting to be recorded with its Keap contacts.")
    assert records(ana) == []
    known = ana.connection(connection)
    assert {one["name"]: one["verdict"] for one in known["capabilities"]}["contacts"] == "working"
    stack.sandbox.control("DELETE", f"faults/{fault}")
    for _ in range(20):
        stack.sandbox.advance(60)
        if records(ana):
            break
    told(ana, email["id"], "Recorded with the Keap contact Ines Roth", 40)
    recorded(ana)
    assert ana.api("GET", f"emails/{email['id']}").json()["status"] == "sent"


def test_contacts_that_cannot_be_read_are_a_proof_and_heal(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example")
    fault = stack.sandbox.fault("contacts.list", "outage", provider="keap", account=ana.email)
    email = sent(ana)
    told(ana, email["id"], "Waiting to be recorded with its Keap contacts.")
    verdicts = {one["name"]: one["verdict"] for one in ana.connection(connection)["capabilities"]}
    assert verdicts["contacts"] == "attention"
    assert verdicts["read"] == "working"
    assert "Now it waits:" in html.unescape(ana.get("/integration").text)
    stack.sandbox.control("DELETE", f"faults/{fault}")
    stack.sandbox.advance(120)
    recorded(ana)
    verdicts = {one["name"]: one["verdict"] for one in ana.connection(connection)["capabilities"]}
    assert verdicts["contacts"] == "working"


def test_a_refused_record_breaks_nothing_that_works(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example")
    body = '{"code": 403, "message": "Access denied", "status": "PERMISSION_DENIED"}'
    fault = stack.sandbox.fault(
        "emails.create", "status", provider="keap", account=ana.email, status=403, body=body
    )
    email = sent(ana)
    told(ana, email["id"], "Waiting to be recorded with its Keap contacts.")
    entries = ana.api("GET", f"connections/{connection}/ledger").json()["items"]
    assert any(one["kind"] == "record" and one["result"] == "admin_policy" for one in entries)
    assert {one["verdict"] for one in ana.connection(connection)["capabilities"]} <= {"working", "unproven"}
    stack.sandbox.control("DELETE", f"faults/{fault}")
    stack.sandbox.advance(120)
    recorded(ana)


def test_a_record_whose_answer_was_lost_is_found_and_not_made_again(stack: Stack, ana: Person) -> None:
    crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    stack.sandbox.fault("emails.create", "lost_answer", provider="keap", account=ana.email, times=1)
    email = sent(ana)
    recorded(ana)
    for _ in range(3):
        stack.sandbox.advance(20)
    told(ana, email["id"], "Recorded with the Keap contact Ines Roth")
    assert len(records(ana)) == 1
    assert len(calls(ana, "emails.create")) == 1


def test_a_record_that_never_arrived_is_made_once_it_can_come_no_more(stack: Stack, ana: Person) -> None:
    crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    stack.sandbox.fault("emails.create", "drop_before", provider="keap", account=ana.email, times=1)
    email = sent(ana)
    until(lambda: len(calls(ana, "emails.create")), lambda n: n == 1, 20)
    assert records(ana) == []
    stack.sandbox.advance(120)
    told(ana, email["id"], "Recorded with the Keap contact Ines Roth", 40)
    recorded(ana)


@pytest.mark.parametrize("answer", ["refuse", "conflict"])
def test_what_keap_knows_already_is_not_recorded_twice(stack: Stack, ana: Person, answer: str) -> None:
    """As after a restore: nothing here knows of a record that is there, under the same mark."""
    crm(ana)
    number = contact(ana, "ines@globex.example", "Ines", "Roth")
    stack.sandbox.switch("keap", taken_record=answer)
    outage = stack.sandbox.fault("contacts.list", "outage", provider="keap", account=ana.email)
    email = sent(ana)
    told(ana, email["id"], "Waiting to be recorded")
    key = stack.sandbox.control("POST", "keap/keys", {"account": ana.email})["key"]
    mark = f"truesend-{email['deliveries'][0]['id'].replace('-', '')}-0"
    body = {
        "sent_to_address": "ines@globex.example",
        "contact_id": number,
        "original_provider": "GOOGLE",
        "original_provider_id": mark,
    }
    made = requests.post(
        f"{stack.sandbox.url}/crm/rest/v2/emails", json=body, headers={"X-Keap-API-Key": key}, timeout=30
    )
    assert made.status_code == 201, made.text
    stack.sandbox.control("DELETE", f"faults/{outage}")
    stack.sandbox.advance(120)
    told(ana, email["id"], "Recorded with the Keap contact Ines Roth")
    assert len(records(ana)) == 1
    stack.sandbox.switch("keap", taken_record="refuse")


def test_a_dead_grant_waits_until_it_is_connected_again(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    user = stack.member_of(ana, "user")
    stack.sandbox.fault("any", "revoke_grant", provider="keap", account=ana.email)
    ana.api("POST", f"connections/{connection}/verify")
    until(lambda: ana.connection(connection)["verdict"], lambda one: one == "broken", 20)
    email = sent(ana)
    page = told(ana, email["id"], "Waiting: Keap is not connected.")
    assert "Reconnect" in page.partition('id="timeline"')[2]
    theirs = sent(user)
    page = told(user, theirs["id"], "Waiting: Keap is not connected.")
    assert "Ask an owner" in page.partition('id="timeline"')[2]
    assert ana.email in page.partition('id="timeline"')[2]
    assert records(ana) == []
    stack.sandbox.consent(ana.email, "keap")
    ana.get(f"/oauth/keap/start?connection={connection}")
    recorded(ana, 2)
    told(ana, email["id"], "Recorded with the Keap contact Ines Roth")


def test_after_a_disconnect_nothing_is_asked_and_what_waited_goes_on(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    fault = stack.sandbox.fault("contacts.list", "outage", provider="keap", account=ana.email)
    waiting = sent(ana, subject="Before it")
    told(ana, waiting["id"], "Waiting to be recorded")
    stack.sandbox.control("DELETE", f"faults/{fault}")
    assert "One email waits to be recorded" in ana.get(f"/connections/{connection}/disconnect").text
    ana.post(f"/connections/{connection}/disconnect")
    between = sent(ana, subject="Meanwhile")
    stack.sandbox.advance(120)
    told(ana, waiting["id"], "Waiting: Keap is not connected.")
    assert records(ana) == []
    assert ana.connect(query=CRM, provider="keap")["id"] == connection
    assert [one["data"]["subject"] for one in recorded(ana)] == ["Before it"]
    assert "ecorded" not in ana.get(f"/emails/{between['id']}").text.partition('id="timeline"')[2]


def test_turned_off_what_waits_is_left(stack: Stack, ana: Person) -> None:
    connection = crm(ana)
    contact(ana, "ines@globex.example")
    stack.sandbox.fault("contacts.list", "outage", provider="keap", account=ana.email, times=3)
    email = sent(ana)
    told(ana, email["id"], "Waiting to be recorded")
    ana.post(f"/connections/{connection}/stop-recording")
    told(ana, email["id"], "Recording was turned off before its turn")
    ana.post(f"/connections/{connection}/record")
    stack.sandbox.advance(600)
    later = sent(ana, subject="Later")
    told(ana, later["id"], "Recorded with the Keap contact")
    assert [one["data"]["subject"] for one in records(ana)] == ["Later"]


def test_who_is_forgotten_is_told_to_nobody(stack: Stack, ana: Person) -> None:
    crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    stack.sandbox.fault("contacts.list", "outage", provider="keap", account=ana.email, times=2)
    email = sent(ana)
    told(ana, email["id"], "Waiting to be recorded")
    ana.post("/account/forget", {"address": "ines@globex.example", "action": "forget"})
    stack.sandbox.advance(300)
    again = sent(ana, subject="Another", to=["tom@globex.example"])
    told(ana, again["id"], "Keap has no contact with the address tom@globex.example.")
    assert records(ana) == []


def test_a_worker_that_is_killed_in_between_records_once(stack: Stack, ana: Person) -> None:
    crm(ana)
    contact(ana, "ines@globex.example", "Ines", "Roth")
    stack.sandbox.fault(
        "emails.create", "slow", provider="keap", account=ana.email, times=1, ms=1500, when="after"
    )
    email = sent(ana)
    until(lambda: records(ana), bool, 20)
    # It is there, and its answer is still under way.
    os.kill(stack.up.pid("worker") or 0, signal.SIGKILL)
    for _ in range(2):
        stack.sandbox.advance(20)
    told(ana, email["id"], "Recorded with the Keap contact Ines Roth", 60)
    assert len(records(ana)) == 1
    assert len(calls(ana, "emails.create")) == 1
