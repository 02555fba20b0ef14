"""Templates, signatures and answers in a browser."""

from __future__ import annotations

import base64
import re
from email import message_from_string, policy
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, compose, overflow, saved, window
from tests.stack import Person, Stack, until

pytestmark = pytest.mark.browser

READING = "capabilities=send,read&kind=personal"


def sent_by(page: Page, person: Person) -> dict[str, Any]:
    """Press Send on Compose; the email once it was sent."""
    expect(page.locator("#gates")).to_contain_text("Ready to send", timeout=10_000)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url(re.compile(r"/emails/[0-9a-f-]{36}$"))
    email_id = page.url.rsplit("/", 1)[1]
    person.stack.sandbox.advance(11)
    return person.email_when(email_id, "sent")


def mail_of(stack: Stack, email: dict[str, Any]) -> Any:
    (message,) = stack.sandbox.messages(delivery=email["deliveries"][0]["id"])
    return message_from_string(message["raw"], policy=policy.default)


def test_a_template_is_written_and_put_in_by_keyboard(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/templates")
        expect(page.get_by_role("heading", name="No templates yet")).to_be_visible()
        assert axe(page) == []
        page.get_by_role("link", name="New template").click()
        page.get_by_label("Name", exact=True).fill("Price list")
        page.get_by_label("Subject").fill("Our prices")
        page.get_by_role("textbox", name="Text").click()
        page.keyboard.press("Control+b")
        page.keyboard.type("Dear customer")
        assert axe(page) == []
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("link", name="Price list")).to_be_visible()
        assert axe(page) == []
        page.get_by_role("link", name="New snippet").click()
        page.get_by_label("Name", exact=True).fill("Thanks")
        page.get_by_role("textbox", name="Text").click()
        page.keyboard.type("Many thanks")
        page.get_by_role("button", name="Save").click()

        compose(page, stack).fill("ines@globex.example")
        page.get_by_role("textbox", name="Message").click()
        page.keyboard.press("/")
        dialog = page.get_by_role("dialog", name="Templates")
        expect(dialog.get_by_role("option")).to_have_count(2)
        assert axe(page) == []
        page.keyboard.type("price")
        expect(dialog.get_by_role("option")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(page.get_by_label("Subject")).to_have_value("Our prices")
        expect(page.get_by_role("textbox", name="Message").locator("strong")).to_have_text("Dear customer")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Templates").click()
        expect(dialog.get_by_role("option")).to_have_count(2)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Message")).to_contain_text("Many thanks")
        # Who meant the sign gets it.
        page.keyboard.press("Control+End")
        page.keyboard.press("Enter")
        page.keyboard.press("/")
        expect(dialog.get_by_role("option")).to_have_count(2)
        page.keyboard.press("Escape")
        page.keyboard.type("etc")
        expect(page.get_by_role("textbox", name="Message")).to_contain_text("/etc")
        saved(page)
        email = sent_by(page, ana)
        assert heard == []
    html = mail_of(stack, email).get_body(("html",)).get_content()
    assert "<strong>Dear customer</strong>" in html
    assert "Many thanks" in html


def test_a_signature_follows_the_account(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    first, second = ana.connect()["id"], ana.connect(f"two.{ana.email}")["id"]
    ana.post(f"/templates/signatures/{first}", {"html": "<p>Ana, first</p>"})
    ana.post(f"/templates/signatures/{second}", {"html": "<p>Ana, second</p>"})
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, stack).fill("ines@globex.example")
        message, account = page.get_by_role("textbox", name="Message"), page.get_by_label("From")
        message.click()
        page.keyboard.type("Hello")
        account.select_option(first)
        expect(message).to_contain_text("Ana, first")
        account.select_option(second)
        expect(message).to_contain_text("Ana, second")
        expect(message).not_to_contain_text("Ana, first")
        expect(message.locator(".truesend-signature")).to_have_count(1)
        # One that was changed by hand stays.
        message.locator(".truesend-signature").click()
        page.keyboard.press("End")
        page.keyboard.type(" (on holiday)")
        account.select_option(first)
        expect(message).to_contain_text("Ana, second (on holiday)")
        expect(message.locator(".truesend-signature")).to_have_count(1)
        saved(page)
        page.reload()
        expect(message.locator(".truesend-signature")).to_have_count(1)
        assert heard == []


def test_a_signature_with_a_list_goes_whole(chromium: Browser, stack: Stack) -> None:
    ana = stack.person()
    first, second = ana.connect()["id"], ana.connect(f"two.{ana.email}")["id"]
    ana.post(
        f"/templates/signatures/{first}",
        {"html": "<p>Ana</p><ul><li><p>Phone</p></li></ul><ol><li><p>Fax</p></li></ol>"},
    )
    ana.post(f"/templates/signatures/{second}", {"html": "<p>Ana, second</p>"})
    with window(chromium, ana) as context:
        page = context.new_page()
        compose(page, stack)
        message, account = page.get_by_role("textbox", name="Message"), page.get_by_label("From")
        account.select_option(first)
        signature = message.locator(".truesend-signature")
        expect(signature.locator("li")).to_have_text(["Phone", "Fax"])
        account.select_option(second)
        expect(signature).to_have_text("Ana, second")
        expect(message.locator("li")).to_have_count(0)
        account.select_option(first)
        expect(signature.locator("li")).to_have_text(["Phone", "Fax"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_answer_from_the_timeline(chromium: Browser, stack: Stack, theme: str) -> None:
    ana = stack.person()
    connection = ana.connect(query=READING)["id"]
    ana.post(f"/templates/signatures/{connection}", {"html": "<p>Ana Ruiz</p>"})
    first = ana.email_when(ana.send(connection, cc=["tom@initech.example"])["id"], "sent")
    original = mail_of(stack, first)
    with window(chromium, ana, color_scheme=theme, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/emails/{first['id']}")
        # Its number in mailboxes is read a moment after it was sent.
        until(lambda: ana.api("GET", f"emails/{first['id']}").json()["status"], lambda one: one == "sent", 5)
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Reply").click()
        message = page.get_by_role("textbox", name="Message")
        expect(message.locator("blockquote")).to_contain_text("Hello,")
        expect(message.locator(".truesend-signature")).to_have_text("Ana Ruiz")
        expect(page.locator("#conversation")).to_contain_text("In the conversation of Proposal")
        expect(page.get_by_label("Subject")).to_have_value("Re: Proposal")
        assert axe(page) == []
        assert overflow(page) == 0
        message.locator("p").first.click()
        page.keyboard.press("Control+Home")
        page.keyboard.type("One more thing.")
        saved(page)
        email = sent_by(page, ana)
        expect(page.get_by_text("Goes on from:")).to_be_visible()
        assert heard == []
    answer = mail_of(stack, email)
    assert answer["In-Reply-To"] == original["Message-ID"]
    html = answer.get_body(("html",)).get_content()
    assert html.startswith("<p>One more thing.</p>")
    assert html.count("truesend-signature") == 1
    assert (answer["To"], answer["Cc"]) == ("Ines Moreau <ines@globex.example>", "tom@initech.example")


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
_PUT = """([kind, base64, name]) => {
  const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/png" }));
  const place = document.querySelector(".ProseMirror p");
  const box = place.getBoundingClientRect();
  const more = { bubbles: true, cancelable: true, clientX: box.left + 2, clientY: box.top + 2 };
  place.dispatchEvent(
    kind === "paste"
      ? new ClipboardEvent("paste", { ...more, clipboardData: data })
      : new DragEvent("drop", { ...more, dataTransfer: data }),
  );
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_in_the_text(chromium: Browser, stack: Stack, kind: str) -> None:
    ana = stack.person()
    ana.connect()
    with window(chromium, ana) as context:
        page = context.new_page()
        heard = complaints(page)
        compose(page, stack).fill("ines@globex.example")
        page.get_by_label("Subject").fill("Map")
        message = page.get_by_role("textbox", name="Message")
        message.click()
        page.keyboard.type("See the map")
        page.evaluate(_PUT, [kind, PNG, "City map.png"])
        # Named by its file; the editor has an empty one of its own beside it.
        picture = message.get_by_role("img", name="City map")
        expect(picture).to_have_count(1)
        until(lambda: picture.evaluate("one => one.naturalWidth"), lambda one: one == 1, 10)
        expect(page.locator("#files li")).to_have_count(0)
        saved(page)
        page.reload()
        until(lambda: picture.evaluate("one => one.naturalWidth"), lambda one: one == 1, 10)
        assert axe(page) == []
        page.get_by_role("button", name="Preview").click()
        shown = page.get_by_role("dialog", name="Preview").frame_locator("iframe").locator("img")
        until(lambda: shown.evaluate("one => one.naturalWidth"), lambda one: one == 1, 10)
        page.keyboard.press("Escape")
        email = sent_by(page, ana)
        assert heard == []
    parsed = mail_of(stack, email)
    ((number, content),) = [
        (part["Content-ID"], part.get_content()) for part in parsed.walk() if part["Content-ID"]
    ]
    assert content == base64.b64decode(PNG)
    assert f'src="cid:{number.strip("<>")}"' in parsed.get_body(("html",)).get_content()


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_in_a_template_is_refused_in_words(chromium: Browser, stack: Stack, kind: str) -> None:
    with window(chromium, stack.person()) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/templates/new?kind=template")
        text = page.get_by_role("textbox", name="Text")
        text.click()
        page.keyboard.type("See the map")
        page.evaluate(_PUT, [kind, PNG, "City map.png"])
        expect(page.locator("#toasts")).to_contain_text("Put them into the email itself.")
        expect(text.locator("img[src]")).to_have_count(0)
        expect(text).to_have_text("See the map")
