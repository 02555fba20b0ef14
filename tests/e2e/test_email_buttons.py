"""The buttons at the head of an email's page follow what happens to it, and a stale one says what happened."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.pages import axe, complaints, window
from tests.stack import Stack

pytestmark = pytest.mark.browser


def test_cancel_goes_when_nothing_waits_any_more(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email = ana.send(ana.connect()["id"], undo_seconds=5)["id"]
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails/{email}")
        cancel = page.get_by_role("button", name="Cancel", exact=True)
        expect(cancel).to_be_visible()
        page.evaluate("window.sameDocument = true")
        expect(page.locator("#timeline .connection-status")).to_contain_text("Sent", timeout=20_000)
        expect(cancel).to_have_count(0)
        expect(page.locator("#email-buttons")).to_have_count(1)
        expect(page.get_by_role("link", name="All emails")).to_be_visible()
        assert page.evaluate("window.sameDocument")
        assert (axe(page), heard) == ([], [])


def test_edit_comes_when_it_was_cancelled_elsewhere(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email = ana.send(ana.connect()["id"], send_at="2090-01-01T00:00:00Z")["id"]
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        page.wait_for_selector("body[data-live-state=open]")
        assert ana.api("POST", f"emails/{email}/cancel").status_code == 200
        expect(page.get_by_role("button", name="Edit the email")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)


def test_back_shows_what_is_true_now(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email = ana.send(ana.connect()["id"], send_at="2090-01-01T00:00:00Z")["id"]
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        page.goto(f"{stack.url}/emails")
        assert ana.api("POST", f"emails/{email}/cancel").status_code == 200
        # No event and no script helps: what the browser paints first is what the server says now.
        page.route("**/emails/*/timeline", lambda route: route.abort())
        page.go_back(wait_until="commit")
        expect(page.locator("#timeline .connection-status")).to_contain_text("Cancelled")


def test_a_stale_cancel_says_what_happened(stack: Stack) -> None:
    ana = stack.person()
    connection = ana.connect()["id"]
    sent = ana.send(connection)["id"]
    ana.email_when(sent, "sent")
    assert "Nothing was cancelled. It was sent already." in ana.post(f"/emails/{sent}/cancel").text
    waiting = ana.send(connection, send_at="2090-01-01T00:00:00Z")["id"]
    ana.post(f"/emails/{waiting}/cancel")
    again = ana.post(f"/emails/{waiting}/cancel").text
    assert "Nothing was cancelled. It was cancelled already, and nothing has left." in again
    stack.sandbox.fault("send", "status", account=ana.email, times=1, status=400, body="<h1>No</h1>")
    refused = ana.send(connection)["id"]
    ana.email_when(refused, "failed")
    assert "It was refused, and nothing has left." in ana.post(f"/emails/{refused}/cancel").text


@pytest.mark.parametrize("button", ["cancel", "release", "again"])
def test_a_button_of_an_email_that_was_taken_back_leads_to_the_draft(stack: Stack, button: str) -> None:
    ana = stack.person()
    email = ana.send(ana.connect()["id"], undo_seconds=30)["id"]
    assert ana.api("POST", f"emails/{email}/undo").status_code == 200
    answer = ana.post(f"/emails/{email}/{button}")
    assert answer.url == f"{stack.url}/emails/new?draft={email}"
    assert "It was taken back meanwhile: nothing has left, and it is a draft again." in answer.text


def test_pages_that_tell_of_emails_and_accounts_are_kept_by_no_browser(stack: Stack) -> None:
    ana = stack.person()
    email = ana.send(ana.connect()["id"])["id"]
    for path in ("/emails", "/emails/rows", f"/emails/{email}", f"/emails/{email}/timeline", "/integration"):
        assert "no-store" in ana.get(path).headers["Cache-Control"], path


def test_the_health_line_names_the_account_that_needs_somebody(stack: Stack) -> None:
    ana = stack.person()
    first, second = ana.connect()["id"], f"second-{ana.email}"
    assert ana.email not in ana.get("/partials/health").text  # there is no other
    ana.connect(second)
    assert f"{ana.email}: " in ana.get("/partials/health").text
    stack.sandbox.fault("any", "revoke_grant", account=second)
    ana.post(f"/connections/{ana.connection(first)['id']}/verify")
    other = next(
        one["id"] for one in ana.api("GET", "connections").json()["items"] if one["address"] == second
    )
    ana.post(f"/connections/{other}/verify")
    page = ana.get("/partials/health").text
    assert "1 of 2 needs you" in page
    assert f"{second}: " in page


def test_the_roles_gate_promises_nothing_else(stack: Stack) -> None:
    page = stack.person().get("/emails/new").text
    assert "Your role may send." in page
    assert "You may send." not in page
