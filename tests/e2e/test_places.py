"""The place of each click on the mail's picture: badges, the list in words, the timeline, and how they stay fresh."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests import figures
from tests.e2e.pages import axe, caught, complaints, overflow, window
from tests.stack import Person, Stack

pytestmark = pytest.mark.browser

TALL = "".join(f"<p>Paragraph {number}</p>" for number in range(80))
MAIL = (
    '<p>Hello Ines, the <a href="https://example.com/prices">new price list</a>.</p>'
    '<p>Or <a href="https://example.com/time">pick a time</a>.</p>'
)
# What a mail may bring along: styles against our badge, scripts, and marks of its own.
HOSTILE = (
    "<style>a::after{display:none!important;content:none!important}*{color:red}</style>"
    "<script>document.body.remove()</script><base href='https://elsewhere.example/'>"
    "<a data-truesend-link=0 data-truesend-clicks=99 id=fake>not clicked</a>"
    '<table><tr><td onclick="alert(1)"><a href="https://example.com/a">in a table</a></td></tr></table>'
    '<p><a href="https://example.com/b"><img alt="picture" width=90 height=40 src="data:image/gif;base64,'
    'R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="></a></p>'
    "<img src=x onerror=document.body.remove()><!-- never closed"
)
_BADGE = "one => getComputedStyle(one, '::after').content"


def sent(stack: Stack, ana: Person, **draft: object) -> tuple[str, str]:
    """An email that arrived half a minute ago: its id, and the message in the recipient's mailbox."""
    email = ana.send(ana.connect()["id"], **draft)["id"]
    delivery = ana.email_when(email, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    return email, message["id"]


def badge(page: Page, link: int) -> str:
    """What the badge at a link of the mail's picture reads; empty where there is none."""
    frame = page.frame_locator("iframe.mail")
    content: str = frame.locator(f"[data-truesend-link='{link}']").evaluate(_BADGE)
    return "" if content == "none" else content.split('"')[1]


def badge_is(page: Page, link: int, text: str, seconds: float = figures.limit(2.0)) -> float:
    """Seconds until the badge reads so."""
    began = time.monotonic()
    while badge(page, link) != text:
        assert time.monotonic() - began < seconds, f"{badge(page, link)!r} instead of {text!r}"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.alone
def test_a_click_shows_at_its_link_within_a_second_and_nobody_loses_their_place(
    chromium: Browser, stack: Stack
) -> None:
    ana = stack.person()
    email, message = sent(stack, ana, html=TALL + MAIL)
    with window(chromium, ana) as context:
        page, other_tab = context.new_page(), context.new_page()
        heard = complaints(page)
        for tab in (page, other_tab):
            tab.goto(f"{stack.url}/emails/{email}")
            tab.wait_for_selector("body[data-live-state=open]")
        body = page.frame_locator("iframe.mail").locator("body")
        expect(page.locator("[data-mail]")).to_have_attribute("data-state", "shown")
        assert badge(page, 0) == ""
        expect(page.locator("#email-links")).to_contain_text("new price list – not yet")
        body.evaluate(
            "body => { body.ownerDocument.documentElement.scrollTop = 700; body.dataset.same = 'yes' }"
        )
        took = []
        for number in (1, 2):
            stack.sandbox.act(message, "click", as_="browser", link=0)
            took.append(badge_is(page, 0, str(number), 1))
        assert badge(page, 1) == ""
        assert body.evaluate("b => [b.dataset.same, b.ownerDocument.documentElement.scrollTop]") == [
            "yes",
            700,
        ]
        expect(page.locator("#email-links")).to_contain_text("new price list – clicked twice by a person")
        expect(page.locator("#email-links")).to_contain_text("pick a time – not yet")

        # What is pointed at on one side is marked on the other.
        entry = page.locator(".timeline li", has_text="Clicked “new price list”").first
        entry.hover()
        link = page.frame_locator("iframe.mail").locator("[data-truesend-link='0']")
        expect(link).to_have_attribute("data-truesend-mark", "")
        page.get_by_role("button", name="pick a time").press("Enter")
        expect(link).not_to_have_attribute("data-truesend-mark", "")
        other = page.frame_locator("iframe.mail").locator("[data-truesend-link='1']")
        expect(other).to_have_attribute("data-truesend-mark", "")
        expect(other).to_be_in_viewport()
        link.hover()
        expect(entry).to_have_class("is-marked")

        # By keyboard: the button of an entry marks its link, too; struck, a click counts nowhere.
        strike = page.get_by_role("button", name="Strike: Clicked “new price list”").first
        strike.focus()
        expect(link).to_have_attribute("data-truesend-mark", "")
        page.keyboard.press("Enter")
        for tab in (page, other_tab):
            badge_is(tab, 0, "1")
        expect(page.locator("#email-links")).to_contain_text("new price list – clicked once by a person")
        assert axe(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert axe(page) == []
        assert overflow(page) == 0
        # The tests' own looks into the frame are refused a script; ours is none.
        assert [one for one in heard if "Blocked script execution" not in one] == []
    print(f"badge after {', '.join(f'{one * 1000:.0f} ms' for one in took)}")


def test_machines_leave_no_badge_and_a_page_loaded_later_shows_the_same(
    chromium: Browser, stack: Stack
) -> None:
    ana = stack.person()
    email, message = sent(stack, ana, html=MAIL)
    stack.sandbox.act(message, "scan", as_="barracuda")
    ana.signals(email, 2)
    stack.sandbox.advance(60)
    stack.sandbox.act(message, "click", as_="browser", link=1)
    ana.signals(email, 3)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/emails/{email}")
        assert (badge(page, 0), badge(page, 1)) == ("", "1")
        expect(page.locator("#email-links")).to_contain_text("new price list – not yet by a person")
        expect(page.locator("#email-links")).to_contain_text("2 links, 1 clicked")


def test_a_hostile_mail_stays_in_its_frame_and_the_badges_true(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, message = sent(stack, ana, html=HOSTILE)
    stack.sandbox.act(message, "click", as_="browser", link=0)
    stack.sandbox.advance(60)
    stack.sandbox.act(message, "click", as_="browser", link=1)
    assert [one["class"] for one in ana.signals(email, 2)] == ["person", "person"]
    with window(chromium, ana) as context:
        page = context.new_page()
        outside: list[str] = []
        # What the policy stops is asked for, and never leaves.
        page.on("requestfinished", lambda one: outside.append(one.url))
        page.goto(f"{stack.url}/emails/{email}")
        frame = page.frame_locator("iframe.mail")
        expect(frame.get_by_text("in a table")).to_be_visible()
        assert frame.locator("#fake").evaluate(_BADGE) == "none"
        assert (badge(page, 0), badge(page, 1)) == ("1", "1")
        box = frame.locator("[data-truesend-link='1'] img").bounding_box()
        assert box is not None
        assert box["width"] == 90
        page.wait_for_timeout(300)
        assert [one for one in outside if not one.startswith((stack.url, "data:"))] == []
        assert page.evaluate("document.querySelector('iframe.mail').sandbox.value") == "allow-same-origin"


def test_a_mail_that_does_not_come_says_so_and_comes_at_a_press(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    email, _ = sent(stack, ana)
    with window(chromium, ana) as context:
        page = context.new_page()
        page.route("**/body", lambda route: route.abort())
        page.goto(f"{stack.url}/emails/{email}")
        expect(page.get_by_text("The email could not be loaded.")).to_be_visible()
        assert axe(page) == []
        page.unroute("**/body")
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/body", hold)
        page.get_by_role("button", name="Try again").press("Enter")
        expect(page.get_by_text("Loading the email …")).to_be_visible()
        caught(page, held).continue_()
        expect(page.frame_locator("iframe.mail").get_by_text("new price list")).to_be_visible()
        expect(page.get_by_text("Loading the email …")).to_be_hidden()
