"""The compose page: what somebody wrote is never lost and never sent by accident."""

from __future__ import annotations

import re
from email import message_from_string, policy

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import complaints, compose, saved, window
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser


def _write(page: Page, to: str, subject: str, text: str) -> None:
    page.get_by_label("To", exact=True).fill(to)
    page.get_by_label("Subject").fill(subject)
    page.get_by_role("textbox", name="Message").click()
    page.keyboard.type(text)


def _arrived(stack: Stack, person: Person, email_id: str) -> str:
    stack.sandbox.advance(11)  # the time to undo is over
    delivery = person.email_when(email_id, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    mail = message_from_string(message["raw"], policy=policy.default)
    html = mail.get_body(("html",))
    assert html is not None
    return str(html.get_content())


def test_an_email_written_with_the_editor_arrives_as_written(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, stack)
        _write(page, "Ines Moreau <ines@globex.example>", "Proposal", "Hello ")
        page.keyboard.press("Control+b")
        page.keyboard.type("Ines")
        page.keyboard.press("Control+b")
        page.keyboard.type(", see ")
        page.get_by_role("button", name="Link").click()
        page.get_by_label("Address of the link").fill("northwind.example/price")
        page.keyboard.press("Enter")
        saved(page)
        expect(page.locator("#gates")).to_contain_text("Ready to send")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
        assert heard == []
        email_id = page.url.rsplit("/", 1)[1]
    assert "<strong>Ines</strong>" in _arrived(stack, ana, email_id)


def test_enter_in_a_line_of_the_head_does_not_send(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack)
        _write(page, "ines@globex.example", "Proposal", "Hello")
        for label in ("To", "Subject"):
            page.get_by_label(label, exact=True).press("Enter")
        saved(page)
        assert "/emails/new" in page.url
    assert ana.api("GET", "emails?status=sent").json()["items"] == []


def test_a_draft_survives_a_closed_tab_and_the_detour_to_connecting(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    stack.sandbox.account(ana.email, name="Ana Ruiz")
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack)
        _write(page, "ines@globex.example", "Proposal", "Hello Ines")
        saved(page)
        page.get_by_role("textbox", name="Message").press_sequentially(", once more")
        page.close(run_before_unload=True)

        page = context.new_page()
        page.goto(f"{stack.url}/emails/new")
        page.get_by_role("link", name="“Proposal”").click()
        expect(page.get_by_role("textbox", name="Message")).to_have_text("Hello Ines, once more")
        stack.sandbox.consent(ana.email)
        page.locator("#gates").get_by_role("button", name="Connect Google").click()
        page.wait_for_url(re.compile(r"/emails/new\?draft="))
        expect(page.get_by_role("textbox", name="Message")).to_have_text("Hello Ines, once more")
        expect(page.get_by_label("From")).to_contain_text(ana.email)
        expect(page.locator("#gates")).to_contain_text("Ready to send")


def test_what_could_not_be_saved_is_kept_here_and_saved_later(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    failed = "Not saved: no connection to the server, retrying"
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack)
        context.set_offline(True)
        _write(page, "ines@globex.example", "Proposal", "Hello Ines")
        expect(page.locator("#saved")).to_have_text(failed)
        context.set_offline(False)
        saved(page)
        assert page.evaluate("Object.keys(localStorage)") == []

        context.set_offline(True)
        page.get_by_role("textbox", name="Message").press_sequentially(", again")
        expect(page.locator("#saved")).to_have_text(failed)
        page.close()
        context.set_offline(False)
        page = context.new_page()
        page.goto(f"{stack.url}/emails/new")
        page.get_by_role("link", name="“Proposal”").click()
        expect(page.get_by_role("textbox", name="Message")).to_have_text("Hello Ines, again")
        saved(page)
        page.reload()
        expect(page.get_by_role("textbox", name="Message")).to_have_text("Hello Ines, again")
        assert page.evaluate("Object.keys(localStorage)") == []


def test_without_scripts_the_lines_are_plain_fields_that_send_too(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/new")
        page.get_by_label("To", exact=True).fill("ines@globex.example, tom@")
        page.get_by_label("Cc", exact=True).fill("lena@globex.example")
        page.get_by_label("Subject").fill("Proposal")
        page.get_by_label("Message").fill("Hello Ines,\n\nsee you.")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("alert").first).to_contain_text("Not sent.")
        assert page.get_by_label("To", exact=True).input_value() == "ines@globex.example, tom@"
        page.get_by_label("To", exact=True).fill("ines@globex.example")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
        email_id = page.url.rsplit("/", 1)[1]
    assert "<p>see you.</p>" in _arrived(stack, ana, email_id)
