"""`/settings/organization`: who may change what holds for everybody, and that each setting does what it says."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
from tests import arrived
from tests.accounts import sql, words
from tests.inviting import fresh, join, link_for
from tests.stack import Person, Stack, until

PAGE = "/settings/organization"
HOST = f"{PAGE}/tracking-host"
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def ana(stack: Stack) -> Person:
    """The owner of an organization that nobody else has the name of."""
    return stack.person(organization=f"Settled {uuid4()}")


def row(stack: Stack, person: Person) -> tuple[Any, ...]:
    """Name, zone, tracking address, and whether that failed."""
    statement = """SELECT o.name, o.zone, o.tracking_url, o.tracking_failed_at IS NOT NULL
        FROM organizations_organization o JOIN organizations_member m ON m.organization_id = o.id
        JOIN organizations_user u ON u.id = m.user_id WHERE u.email = %s"""
    return sql(stack, statement, person.email)[0]


def alias(stack: Stack) -> str:
    """Another address of the tracker."""
    parts = urlsplit(stack.up.tracking_url)
    return f"http://{'127.0.0.1' if parts.hostname == 'localhost' else 'localhost'}:{parts.port}"


def links_of(person: Person, **draft: Any) -> list[str]:
    """The tracked addresses in a mail as it arrived: its link and its picture."""
    found = person.api("GET", "connections").json()["items"] or [person.connect()]
    made = person.send(found[0]["id"], html='<a href="https://shop.example/">x</a>', **draft)
    email = person.email_when(made["id"], "sent")
    (message,) = person.stack.sandbox.messages(delivery=email["deliveries"][0]["id"])
    whole = person.stack.sandbox.control("GET", f"messages/{message['id']}")
    return re.findall(r"https?://[^\"/]+/t/[co]/[^\"]+", arrived.parts(whole)[1])


# -- name and zone ----------------------------------------------------------------------------------------------


def test_name_and_zone_are_changed_by_who_may_and_read_by_everybody(stack: Stack, ana: Person) -> None:
    manager, ben = stack.member_of(ana, "manager"), stack.member_of(ana)
    eve = stack.person("eve", f"Elsewhere {uuid4()}")
    before = ana.organization
    new = f"Söhne & Co {uuid4()}"
    assert ana.post(PAGE, {"name": f"  {new}\x00 ", "zone": "Europe/Berlin"}).url == stack.url + PAGE
    assert row(stack, ana)[:2] == (new, "Europe/Berlin")
    # What is not sent stays.
    manager.post(PAGE, {"zone": "America/New_York"})
    assert row(stack, ana)[:2] == (new, "America/New_York")
    shown = words(ben.get(PAGE))
    assert new in shown
    assert "America/New_York" in shown
    assert f"An owner or manager can change that: {ana.email}" in shown
    assert 'name="zone"' not in ben.get(PAGE).text
    for path, sent in ((PAGE, {"name": "Mine"}), (HOST, {"url": ""})):
        refused = ben.post(path, sent)
        assert refused.status_code == 403
        assert ana.email in words(refused)
        assert new not in words(eve.post(path, sent))
    assert row(stack, ana)[:2] == (new, "America/New_York")
    assert row(stack, eve)[0] == "Mine"

    about = ("organization.name", "organization.zone")
    told = [one for one in csv.DictReader(io.StringIO(exported(ana))) if one["action"] in about]
    assert {(one["action"], one["words"]) for one in told} == {
        ("organization.name", f"{before} → {new}"),
        ("organization.zone", "none → Europe/Berlin"),
        ("organization.zone", "Europe/Berlin → America/New_York"),
    }
    # The organization's times are by its clock.
    assert {one["at"][-6:] for one in told} <= {"-05:00", "-04:00"}


def exported(person: Person) -> str:
    answer = person.post("/settings/audit/export", {})
    assert answer.status_code == 200
    return answer.content.decode("utf-8-sig")


@pytest.mark.parametrize(
    "sent", [{"name": " \u202e "}, {"name": "x" * 121}, {"zone": "Europe/Atlantis"}, {"zone": "../etc/passwd"},
             {"name": "Fine", "zone": "x\x00"}]
)  # fmt: skip
def test_what_cannot_be_changes_nothing(stack: Stack, ana: Person, sent: dict[str, str]) -> None:
    assert "Nothing was saved." in words(ana.post(PAGE, sent))
    assert row(stack, ana)[:2] == (ana.organization, "")


def test_what_was_typed_stands_there_to_be_corrected(stack: Stack, ana: Person) -> None:
    page = ana.post(PAGE, {"name": "x" * 121, "zone": "Europe/Berlin"})
    assert page.status_code == 400
    assert f'value="{"x" * 121}" maxlength="120"' in page.text
    assert "<option selected>Europe/Berlin</option>" in page.text
    page = ana.post(HOST, {"url": "https://t.northwind.example/t/o"})
    assert 'value="https://t.northwind.example/t/o" aria-invalid="true" autofocus' in page.text
    assert f'value="{ana.organization}"' in page.text


def test_new_members_begin_with_the_zone(stack: Stack, ana: Person) -> None:
    ana.post(PAGE, {"zone": "Europe/Berlin"})
    ben = stack.member_of(ana)
    assert "<option selected>Europe/Berlin" in ben.get("/account").text
    assert "<option selected>" not in ana.get("/account").text, "who is there keeps what they have"
    ben.post("/account", {"name": "Ben", "zone": ""})
    ana.post(PAGE, {"zone": "Asia/Tokyo"})
    assert "<option selected>" not in ben.get("/account").text


def test_whoever_is_invited_begins_with_the_zone(stack: Stack) -> None:
    ana = stack.verified("ana", f"Settled {uuid4()}")
    ana.post(PAGE, {"zone": "Europe/Berlin"})
    ben, joined = join(stack, link_for(ana), fresh(stack))
    assert joined.status_code == 200
    assert "<option selected>Europe/Berlin" in ben.get("/account").text


# -- where tracked links lead -----------------------------------------------------------------------------------


def test_links_lead_to_a_host_of_ones_own(stack: Stack, ana: Person) -> None:
    usual, own = stack.up.tracking_url, alias(stack)
    assert all(one.startswith(f"{usual}/t/") for one in links_of(ana))
    assert "Saved." in words(ana.post(HOST, {"url": f" {own.upper().replace('HTTP', 'http')}/ "}))
    assert row(stack, ana)[2:] == (own, False)
    found = links_of(ana)
    assert len(found) == 2
    assert all(one.startswith(f"{own}/t/") for one in found)
    (link,) = (one for one in found if "/t/c/" in one)
    clicked = requests.get(link, allow_redirects=False, timeout=30)
    assert (clicked.status_code, clicked.headers["Location"]) == (302, "https://shop.example/")
    # A reply that quotes it tracks its target anew, at the usual host again.
    assert "Saved." in words(ana.post(HOST, {"url": ""}))
    assert row(stack, ana)[2:] == ("", False)
    again = links_of(ana, subject="Quoted")
    assert all(one.startswith(f"{usual}/t/") for one in again)
    told = [
        one for one in csv.DictReader(io.StringIO(exported(ana))) if one["action"].endswith("tracking_host")
    ]
    assert [one["words"] for one in told] == [f"{own} → {usual}", f"{usual} → {own}"]
    ana.post(HOST, {"url": usual})
    assert row(stack, ana)[2] == "", "the usual address is no choice of one's own"


def test_what_does_not_lead_here_is_not_taken(stack: Stack, ana: Person) -> None:
    for url, why in (
        (NOWHERE, f"Nobody answers at {NOWHERE}: nothing listens at port 1."),
        (stack.url, f"Somebody else answers at {stack.url}, not this Truesend."),
        (stack.up.sandbox_url, f"Somebody else answers at {stack.up.sandbox_url}, not this Truesend."),
        ("https://t.northwind.invalid", "the name t.northwind.invalid leads nowhere (DNS)"),
        ("https://t.northwind.example/t/o", "Type the host alone"),
        ("https://ana:secret@t.northwind.example", "Type the host alone"),
        ("ftp://t.northwind.example", "Links lead by https alone"),
        ("https://", "That is no name of a host"),
        ("https://[", "That is no address"),
        ("https://t.example:99999", "That is no address"),
        ("t_t.example", "That is no name of a host"),
        ("x" * 400, "That is no name of a host"),
        ("\x00", "That is no"),
    ):
        page = words(ana.post(HOST, {"url": url}))
        assert "Nothing was saved." in page, url
        assert why in page, url
        assert row(stack, ana)[2:] == ("", False)


def test_a_host_that_leads_here_no_more_carries_no_new_link(stack: Stack, ana: Person) -> None:
    own = alias(stack)
    ana.post(HOST, {"url": own})
    change = "UPDATE organizations_organization SET tracking_url = %s WHERE name = %s RETURNING 1"
    # What a DNS name that is taken away does, without one.
    sql(stack, change, NOWHERE, ana.organization)

    stack.sandbox.advance(16 * 60)
    until(lambda: row(stack, ana), lambda found: bool(found[3]), 60)
    assert "Does not lead here" in words(ana.get(PAGE))
    assert all(one.startswith(f"{stack.up.tracking_url}/t/") for one in links_of(ana))
    sql(stack, change, own, ana.organization)
    stack.sandbox.advance(16 * 60)
    until(lambda: row(stack, ana), lambda found: not found[3], 60)
    assert "Leads here" in words(ana.get(PAGE))
    assert all(one.startswith(f"{own}/t/") for one in links_of(ana))
    told = [
        one for one in csv.DictReader(io.StringIO(exported(ana))) if one["action"].endswith("tracking_host")
    ]
    assert [one["who"] for one in told[:2]] == ["Truesend", "Truesend"]
    assert f"New links lead to {stack.up.tracking_url} meanwhile." in told[1]["words"]
