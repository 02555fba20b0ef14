"""Compose across tabs, sign-ins and sessions that ended: nothing typed is lost and no save wins silently."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.e2e.pages import compose, draft_id, window
from tests.stack import PASSWORD, Person, Stack

pytestmark = pytest.mark.browser

CHANGED = "This draft was changed in another tab. Reload to see it; what you typed here is kept."


def _fresh(context: BrowserContext, stack: Stack, path: str = "/emails/new") -> Page:
    page = context.new_page()
    compose(page, stack, path)
    return page


def _status(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator("#saved")).to_have_text(text, timeout=8000)


def _sign_in(page: Page, person: Person) -> None:
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _subjects(page: Page, stack: Stack) -> list[str]:
    page.goto(f"{stack.url}/emails?filter=drafts")
    return sorted(page.locator(".email-row a .soft").all_inner_texts())


def _end_session(context: BrowserContext) -> None:
    context.clear_cookies(name="truesend_session")


def _two_tabs(context: BrowserContext, stack: Stack) -> tuple[Page, Page]:
    one = _fresh(context, stack)
    one.get_by_label("To", exact=True).fill("ines@globex.example")
    one.get_by_label("Subject").fill("First")
    one.get_by_role("textbox", name="Message").fill("Hello")
    _status(one, "Saved")
    other = _fresh(context, stack, f"/emails/new?draft={draft_id(one)}")
    return one, other


def _overtaken(context: BrowserContext, stack: Stack) -> Page:
    """A tab in which somebody goes on with a draft that another one has changed meanwhile."""
    one, other = _two_tabs(context, stack)
    with one.expect_response("**/emails/drafts/*"):
        one.get_by_label("Subject").fill("From one")
    _status(one, "Saved")
    other.get_by_label("Subject").fill("From the other")
    return other


def test_signing_in_again_in_another_tab_lets_the_page_save_and_send(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = _fresh(context, stack)
        page.get_by_label("To", exact=True).fill("ines@globex.example")
        page.get_by_role("textbox", name="Message").fill("Hello")
        _status(page, "Saved")
        _end_session(context)
        page.get_by_label("Subject").fill("Proposal")
        _status(page, re.compile("[Ss]ign in again in another tab; the text is kept here, retrying"))
        other = context.new_page()
        other.goto(f"{stack.url}/login")
        _sign_in(other, ana)
        other.wait_for_url(f"{stack.url}/emails")
        _status(page, "Saved")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))


def test_send_with_an_ended_session_comes_back_to_the_words(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = _fresh(context, stack)
        draft = draft_id(page)
        _end_session(context)
        page.get_by_label("To", exact=True).fill("ines@globex.example")
        page.get_by_label("Subject").fill("Proposal")
        page.get_by_role("textbox", name="Message").fill("Never stored yet")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(re.compile("/login"))
        _sign_in(page, ana)
        page.wait_for_url(f"{stack.url}/emails/new?draft={draft}")
        expect(page.get_by_label("Subject")).to_have_value("Proposal")
        expect(page.get_by_role("textbox", name="Message")).to_have_text("Never stored yet")
        _status(page, "Saved")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url(f"{stack.url}/emails/{draft}")


def test_words_the_server_never_saw_are_offered_by_a_new_page(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        page = _fresh(context, stack)
        expect(page.locator("#go-on")).to_be_hidden()
        context.set_offline(True)
        page.get_by_label("Subject").fill("Only here")
        page.close()
        context.set_offline(False)
        page = _fresh(context, stack)
        expect(page.get_by_label("Subject")).to_have_value("")
        expect(page.locator("#go-on")).to_contain_text("Go on with “Only here”, kept in this browser")
        page.get_by_role("link", name="“Only here”").click()
        expect(page.get_by_label("Subject")).to_have_value("Only here")
        _status(page, "Saved")


def test_the_last_of_two_tabs_does_not_win_silently(chromium: Browser, stack: Stack) -> None:
    with window(chromium, stack.person()) as context:
        other = _overtaken(context, stack)
        _status(other, f"Not saved: {CHANGED}")
        other.get_by_label("Subject").fill("From the other, more")
        other.reload()
        expect(other.get_by_label("Subject")).to_have_value("From one")
        expect(other.get_by_text("A draft that had not been saved is in My Emails again.")).to_be_visible()
        assert _subjects(other, stack) == ["From one", "From the other, more"]


def test_send_from_a_tab_that_was_overtaken_sends_nothing(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        other = _overtaken(context, stack)
        other.get_by_role("button", name="Send", exact=True).click()
        expect(other.get_by_text("Not sent. This draft was changed in another tab")).to_be_visible()
        expect(other.get_by_label("Subject")).to_have_value("From the other")
        assert _subjects(other, stack) == ["From one", "From the other"]


def test_words_after_another_tab_sent_become_a_new_draft(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        one, other = _two_tabs(context, stack)
        draft = draft_id(one)
        one.get_by_role("button", name="Send", exact=True).click()
        one.wait_for_url(f"{stack.url}/emails/{draft}")
        other.get_by_label("Subject").fill("Too late")
        # Nothing has left yet, and nobody is told so.
        way = "his email is on its way already, and for a few seconds Undo on its page brings it back"
        _status(other, f"Not saved: t{way}; what you typed here is kept")
        other.get_by_role("button", name="Send", exact=True).click()
        other.wait_for_url(f"{stack.url}/emails/{draft}")
        kept = "Your last changes are not in it; they are kept as a new draft."
        expect(other.get_by_text(f"T{way}. {kept}")).to_be_visible()
        expect(other.get_by_role("button", name="Undo")).to_be_visible()
        assert _subjects(other, stack) == ["Too late"]
        assert other.evaluate("Object.keys(localStorage)") == []


def test_words_after_it_was_sent_or_cancelled_hear_of_that(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        one, other = _two_tabs(context, stack)
        draft = draft_id(one)
        one.get_by_role("button", name="Send", exact=True).click()
        one.wait_for_url(f"{stack.url}/emails/{draft}")
        ana.email_when(draft, "sent", 30)
        other.get_by_label("Subject").fill("Too late")
        _status(other, "Not saved: this email was sent already; what you typed here is kept")
        one, other = _two_tabs(context, stack)
        draft = draft_id(one)
        one.get_by_role("button", name="Send", exact=True).click()
        one.wait_for_url(f"{stack.url}/emails/{draft}")
        one.get_by_role("button", name="Cancel", exact=True).click()
        ana.email_when(draft, "cancelled")
        other.get_by_label("Subject").fill("Too late")
        _status(other, "Not saved: this email was cancelled meanwhile; what you typed here is kept")


def test_send_right_after_typing_goes_through(chromium: Browser, stack: Stack) -> None:
    """A save under way when Send is pressed is no other tab."""
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = _fresh(context, stack)
        page.get_by_label("To", exact=True).fill("ines@globex.example")
        page.get_by_role("textbox", name="Message").fill("Hello")
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/emails/drafts/*", hold)
        page.get_by_label("Subject").fill("Quick")
        _status(page, "Saving …")
        page.get_by_label("Subject").fill("Quicker")
        page.get_by_role("button", name="Send", exact=True).click()
        assert "/emails/new" in page.url
        (first,) = held
        first.continue_()
        page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Quicker")


def test_a_button_pressed_without_a_session_leads_back_to_its_page(stack: Stack) -> None:
    ana, one = stack.person(), uuid4()
    ana.jar.cookies.clear("localhost.local", "/", "truesend_session")
    pages = {
        f"/connections/{one}/verify": "/integration",
        f"/connections/{one}/test-email": "/integration",
        f"/emails/{one}/release": f"/emails/{one}",
        f"/emails/drafts/{one}/send": f"/emails/new%3Fdraft%3D{one}",
        "/account/tokens": "/account",
    }
    for path, page in pages.items():
        answer = ana.post(path, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={page}"), path


def test_the_address_of_a_button_is_no_blank_page(stack: Stack) -> None:
    ana, one = stack.person(), uuid4()
    answer = ana.get(f"/connections/{one}/verify")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "This address is a button" in answer.text
    assert 'action="/integration"' in answer.text


def test_a_save_without_a_revision_still_saves(stack: Stack) -> None:
    ana, draft = stack.person(), uuid4()

    def save(**more: object) -> tuple[int, dict[str, object]]:
        answer = ana.jar.post(
            f"{stack.url}/emails/drafts/{draft}",
            json={"to": "a@globex.example", **more},
            headers={"X-CSRFToken": ana.jar.cookies["csrftoken"], "Accept": "application/json"},
            timeout=20,
        )
        return answer.status_code, answer.json()

    assert save(subject="1", revision=0) == (200, {"saved": True, "revision": 1})
    assert save(subject="2") == (200, {"saved": True, "revision": 2})
    status, told = save(subject="3", revision=1)
    assert (status, told["sentence"], told["revision"], told["same"]) == (409, CHANGED, 2, False)
    assert save(subject="2", revision=1)[1]["same"] is True
    assert save(subject="3", revision=2) == (200, {"saved": True, "revision": 3})
    assert save(subject="4", revision="x")[0] == 400


def test_the_gates_promise_nothing_that_is_not_proved(stack: Stack) -> None:
    ana = stack.person()
    without = ana.get("/emails/new").text
    assert "The provider can carry it." not in without
    connection = ana.connect()["id"]
    page = ana.get("/emails/new").text
    assert "Nothing speaks against sending from it." in page
    assert "The provider can carry it." in page
    ana.email_when(ana.send(connection)["id"], "sent")
    assert "It can send." in ana.get("/emails/new").text


def test_a_very_long_subject_takes_three_lines(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    subject = "Offer " * 160
    sent = ana.send(ana.connect()["id"], subject=subject)["id"]
    with window(chromium, ana, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{sent}")
        heading = page.get_by_role("heading", level=1)
        assert (
            heading.evaluate("one => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight)") < 3.1
        )
        assert (heading.get_attribute("title") or "").strip() == subject.strip()
        page.goto(f"{stack.url}/emails")
        assert (page.locator(".email-row a .soft").get_attribute("title") or "").strip() == subject.strip()


def test_a_forged_or_outdated_form_says_what_to_do(stack: Stack) -> None:
    ana = stack.person()
    answer = ana.jar.post(f"{stack.url}/emails/drafts/{uuid4()}/send", data={"subject": "x"}, timeout=20)
    assert answer.status_code == 403
    assert "Go back, reload, and try again; a draft is kept." in answer.text
    assert 'href="/emails?filter=drafts"' in answer.text
