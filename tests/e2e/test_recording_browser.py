"""Recording with a CRM's contacts, seen: turned on at its card, told on an email's page, waiting with its button."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.pages import axe, complaints, overflow, window
from tests.recording import CRM, contact
from tests.stack import Stack, until

pytestmark = pytest.mark.browser


def shot(page: Page, name: str) -> None:
    folder = Path("data/shots")
    if folder.exists():
        page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
)
def test_it_is_turned_on_and_told(chromium: Browser, stack: Stack, width: int, scheme: str) -> None:
    ana = stack.person(organization=f"Recording {uuid4()}")
    crm = ana.connect(query=CRM, provider="keap")["id"]
    contact(ana, "ines@globex.example", "Ines", "Roth")
    mailbox = ana.connect()["id"]
    with window(chromium, ana, viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = context.new_page()
        heard = complaints(page)
        page.goto(f"{stack.url}/integration")
        card = page.locator(f"#connection-{crm}")
        expect(card).to_contain_text(
            "What members send from other accounts is not recorded with its Keap contacts."
        )
        card.get_by_role("button", name="Record emails sent from other accounts").press("Enter")
        expect(card).to_contain_text(
            f"What everybody in {ana.organization} sends from other accounts is recorded"
        )
        expect(card.get_by_role("button", name="Stop recording")).to_be_visible()
        assert overflow(page) == 0
        assert axe(page) == []
        shot(page, f"records-card-{width}-{scheme}")
        email = ana.send(mailbox, cc=["tom@initech.example"])
        page.goto(f"{stack.url}/emails/{email['id']}")
        timeline = page.locator("#timeline")
        # By itself, while the page is open.
        expect(timeline).to_contain_text("Recorded with the Keap contact Ines Roth", timeout=20_000)
        expect(timeline).to_contain_text("Keap has no contact with the address tom@initech.example.")
        assert overflow(page) == 0
        assert axe(page) == []
        shot(page, f"records-email-{width}-{scheme}")
        stack.sandbox.fault("any", "revoke_grant", provider="keap", account=ana.email)
        ana.api("POST", f"connections/{crm}/verify")
        until(lambda: ana.connection(crm)["verdict"], lambda one: one == "broken", 20)
        waiting = ana.send(mailbox)
        page.goto(f"{stack.url}/emails/{waiting['id']}")
        expect(timeline).to_contain_text("Waiting: Keap is not connected.", timeout=20_000)
        expect(timeline.get_by_role("button", name="Reconnect")).to_be_visible()
        assert overflow(page) == 0
        assert axe(page) == []
        shot(page, f"records-waits-{width}-{scheme}")
        assert heard == []
