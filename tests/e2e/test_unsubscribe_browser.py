"""Unsubscribing at a browser, as a recipient and as a mail program; and the list of those who did."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import complaints, fine, window
from tests.stack import Person, Stack, until

pytestmark = pytest.mark.browser

INES, TOM = "ines-u@globex.example", "tom-u@globex.example"


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    return stack.person(organization="Northwind & Sons")


@pytest.fixture(scope="module")
def news(ana: Person) -> dict[str, Any]:
    """Mail to more than twenty."""
    others = [f"other{number}@globex.example" for number in range(20)]
    made = ana.send(ana.connect()["id"], to=[f"Ines Moreau <{INES}>", TOM, *others], separate_copies=True)
    return ana.email_when(made["id"], "sent", 60)


def open_mail(page: Page, stack: Stack, address: str) -> None:
    page.goto(f"{stack.sandbox.url}/mailbox/{quote(address)}")
    page.get_by_role("link", name=re.compile("Proposal")).first.click()


def listed(ana: Person, address: str) -> list[dict[str, Any]]:
    return list(ana.api("GET", f"suppressions?q={quote(address)}").json()["items"])


def test_as_a_recipient(chromium: Browser, stack: Stack, ana: Person, news: dict[str, Any]) -> None:
    with window(chromium, java_script_enabled=True) as opened:
        page = opened.new_page()
        open_mail(page, stack, INES)
        link = page.frame_locator("iframe").get_by_role("link", name="Unsubscribe")
        with opened.expect_page() as popped:
            link.click()
        theirs = popped.value
        heard = complaints(theirs)
        expect(theirs.get_by_role("heading")).to_have_text("Stop mail from Northwind & Sons?")
        expect(theirs.get_by_text(INES)).to_be_visible()
        fine(theirs)
        assert listed(ana, INES) == []  # looking is not asking
        theirs.get_by_role("button", name="Unsubscribe").press("Enter")
        expect(theirs.get_by_role("heading")).to_have_text("You are unsubscribed")
        fine(theirs)
        until(lambda: listed(ana, INES), bool, 10)
        theirs.get_by_role("button", name="That was a mistake").click()
        expect(theirs.get_by_role("heading")).to_have_text("You are not unsubscribed")
        until(lambda: listed(ana, INES), lambda rows: not rows, 10)
        theirs.get_by_role("button", name="Unsubscribe").click()
        until(lambda: listed(ana, INES), bool, 10)
        assert opened.cookies() == []
        assert heard == []


def test_without_scripts(chromium: Browser, stack: Stack, ana: Person, news: dict[str, Any]) -> None:
    address = "other3@globex.example"
    with window(chromium, java_script_enabled=False) as opened:
        page = opened.new_page()
        open_mail(page, stack, address)
        with opened.expect_page() as popped:
            page.frame_locator("iframe").get_by_role("link", name="Unsubscribe").click()
        popped.value.get_by_role("button", name="Unsubscribe").click()
        expect(popped.value.get_by_role("heading")).to_have_text("You are unsubscribed")
    until(lambda: listed(ana, address), bool, 10)


def test_as_a_mail_program(chromium: Browser, stack: Stack, ana: Person, news: dict[str, Any]) -> None:
    with window(chromium, ana) as seen, window(chromium) as opened:
        timeline, page = seen.new_page(), opened.new_page()
        timeline.goto(f"{stack.url}/emails/{news['id']}")
        expect(timeline.locator("body[data-live-state=open]")).to_be_attached()
        open_mail(page, stack, TOM)
        page.get_by_role("button", name="Unsubscribe").click()
        expect(page.get_by_role("status")).to_contain_text("You unsubscribed. The sender’s server took it.")
        until(lambda: listed(ana, TOM), bool, 10)
        # The page that stood open says so by itself.
        told = timeline.locator("#timeline").get_by_text(f"{TOM} unsubscribed")
        expect(told).to_be_visible(timeout=10_000)
        expect(timeline.get_by_text("By the mail program’s own button.").first).to_be_visible()


def test_the_list(chromium: Browser, stack: Stack, ana: Person, news: dict[str, Any], tmp_path: Path) -> None:
    with window(chromium, ana) as opened:
        page = opened.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/account")
        page.get_by_role("link", name="Suppression list").click()
        fine(page)
        page.get_by_label("Address", exact=True).fill("nobody")
        page.get_by_role("button", name="Put on the list").click()
        expect(page.get_by_label("Address", exact=True)).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Address", exact=True).fill("Bob@Globex.example")
        page.get_by_label("Why").fill("=1+1, a rival")
        page.get_by_role("button", name="Put on the list").click()
        expect(page.get_by_text("Nothing goes to Bob@globex.example any more.")).to_be_visible()

        file = tmp_path / "left.csv"
        file.write_text(
            "E-Mail;Status;Date\nzoe@x.example;unsubscribed;2026-03-04\nnot an address;;\n"
            "max@x.example;hard bounce;\nBOB@globex.example;manual;\nzoe@x.example;unsubscribed;\n"
        )
        page.get_by_label("A CSV").set_input_files(file)
        page.get_by_role("button", name="Import").click()
        told = page.locator("#imported")
        expect(told).to_contain_text("2 new on the list, 1 on it already.")
        expect(told).to_contain_text("Line 3 ")
        expect(told).to_contain_text("Line 6 has the address of line 2 once more")
        fine(page)

        with page.expect_download() as saved:
            page.get_by_role("link", name="Export as CSV").click()
        text = Path(saved.value.path()).read_text()
        rows = {row["email"]: row for row in csv.DictReader(io.StringIO(text))}
        assert rows["zoe@x.example"]["reason"] == "asked"
        assert rows["zoe@x.example"]["date"].startswith("2026-03-04")
        assert rows["max@x.example"]["reason"] == "hard_bounce"
        assert rows["Bob@globex.example"]["source"] == "'=1+1, a rival"

        page.get_by_label("Search by address or domain").fill("zoe@x.example")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="1 found")).to_be_visible()
        page.get_by_role("link", name="Allow again: zoe@x.example").click()
        fine(page)
        page.get_by_label("zoe@x.example told us to write again.").check()
        page.get_by_role("button", name="Allow again").click()
        expect(page.get_by_text("zoe@x.example can be written to again.")).to_be_visible()
        page.get_by_label("Search by address or domain").fill("zoe@x.example")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"by {ana.email}.")).to_be_visible()
        fine(page)
        assert [one for one in heard if "400" not in one] == []  # the form that was refused


def test_a_user_reads_it(chromium: Browser, stack: Stack, ana: Person) -> None:
    user = stack.member_of(ana)
    with window(chromium, user) as opened:
        page = opened.new_page()
        page.goto(f"{stack.url}/settings/suppression")
        expect(page.get_by_text(f"Owners and managers change this list: {ana.email}.")).to_be_visible()
        expect(page.get_by_role("button", name="Import")).to_have_count(0)
        fine(page)


def test_compose_says_who_is_left_out_and_leads_back(chromium: Browser, stack: Stack, ana: Person) -> None:
    ana.api("POST", "suppressions", {"address": "gone@globex.example", "reason": "hard_bounce"})
    with window(chromium, ana) as opened:
        page = opened.new_page()
        page.goto(f"{stack.url}/emails/new")
        page.get_by_label("To", exact=True).fill("gone@globex.example,")
        page.get_by_label("Subject").fill("Hello")
        shut = page.locator("#gate-recipients")
        expect(shut).to_contain_text("Mail to gone@globex.example came back for good on", timeout=15_000)
        fine(page)
        page.set_viewport_size({"width": 1280, "height": 900})
        shut.get_by_role("button", name="Allow again").click()
        page.get_by_role("button", name="Allow again").click()
        expect(page).to_have_url(re.compile(r"/emails/new\?draft="))
        expect(page.locator("#gate-recipients")).not_to_contain_text("came back")
