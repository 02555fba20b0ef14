"""A permission that is withdrawn: the next real call tells every open page and the stream."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page
from tests import figures
from tests.connections import proved
from tests.e2e.pages import window
from tests.stack import Stack, until
from tests.streams import open_streams

pytestmark = [pytest.mark.browser, pytest.mark.alone]

LIMIT = figures.limit(1.0)
# Where the key outlives its grant a send still goes; the renewal is the call that meets it.
CALLS = {"google": "send", "microsoft": "verify", "keap": "send"}
# As exactly as the provider says it.
CAUSES = {"google": "grant_revoked", "microsoft": "password_changed", "keap": "grant_rejected"}
_FLIPPED = "id => document.getElementById(`connection-${id}`)?.textContent.includes('Cannot send')"


@pytest.mark.parametrize("provider", CALLS)
def test_every_open_page_and_the_stream_flip_within_a_second(
    chromium: Browser, stack: Stack, provider: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = stack.person()
    connection = proved(ana, provider=provider)["id"]
    with window(chromium, ana) as context, open_streams(stack.url, ana.bearer, 1) as streams:
        pages: list[Page] = [context.new_page(), context.new_page()]
        for page in pages:
            page.goto(f"{stack.url}/integration")
            page.wait_for_selector("body[data-live-state=open]")
            # Noted by the page itself: asking it costs time of its own.
            page.evaluate(
                f"""id => {{
                    const flipped = {_FLIPPED};
                    window.flip = new Promise(done => {{
                        const look = () => {{ if (flipped(id)) {{ seen.disconnect(); done(Date.now()); }} }};
                        const seen = new MutationObserver(look);
                        seen.observe(document.body, {{subtree: true, childList: true, characterData: true}});
                        look();
                    }});
                }}""",
                connection,
            )
        until(streams.opened, lambda count: count == 1, 10)
        heard = len(streams.received[0])
        # Last of all: whoever asks by itself may be the first to meet it.
        stack.sandbox.control(
            "POST",
            "faults",
            {"provider": provider, "account": ana.email, "operation": "any", "kind": "revoke_grant"},
        )
        if CALLS[provider] == "send":
            draft = {
                "connection": connection,
                "to": ["ines@globex.example"],
                "subject": "x",
                "html": "<p>x</p>",
            }
            assert ana.api("POST", "emails", draft).status_code in {201, 409}
        else:
            ana.api("POST", f"connections/{connection}/verify")
        streamed = until(
            lambda: time.time() if b"event: verdict" in streams.received[0][heard:] else 0.0, bool, 20
        )
        answered = _when_refused(stack, ana.email)
        flips = [page.evaluate("window.flip") / 1000 - answered for page in pages]
    with capsys.disabled():
        print(
            f"\n{provider}: pages {', '.join(f'{one:.2f}' for one in flips)} s after the refusal, "
            f"stream {streamed - answered:.2f} s"
        )
    assert max([*flips, streamed - answered]) < LIMIT
    told = ana.connection(connection)
    assert (told["verdict"], told["cause"]) == ("broken", CAUSES[provider])


def _when_refused(stack: Stack, address: str) -> float:
    """When the call that met it was answered, on real time."""
    refused = [
        one for one in stack.sandbox.calls(operation="token", account=address) if (one["status"] or 0) >= 400
    ]
    moved = float(stack.sandbox.control("GET", "clock")["offset"])
    return _seconds(refused[0]["at"]) - moved


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()
