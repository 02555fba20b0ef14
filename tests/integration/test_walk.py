"""The main job, by API and sandbox control with a cookie jar."""

from __future__ import annotations

import time

import pytest
from tests import figures
from tests.stack import Stack


@pytest.mark.alone
def test_a_tracked_email_is_sent_opened_and_clicked(stack: Stack) -> None:
    stack.person().connect()  # pages and imports are warm now, as in any installation that runs
    ana = stack.person()
    _ = ana.bearer
    began = time.monotonic()
    connection = ana.connect()
    assert (connection["verdict"], connection["cause"]) == ("unproven", "not_tried")

    sent = ana.send(connection["id"])
    email = ana.email_when(sent["id"], "sent")
    delivery = email["deliveries"][0]
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["ACCEPTED"]
    (message,) = stack.sandbox.messages(delivery=delivery["id"])
    assert message["count"] == 1

    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "open", as_="gmail")
    stack.sandbox.act(message["id"], "click", as_="browser")
    hit = time.monotonic()
    opened, clicked = ana.signals(sent["id"], 2)
    assert time.monotonic() - hit < figures.limit(1.0)
    assert (opened["kind"], opened["class"]) == ("open", "person")
    assert (clicked["kind"], clicked["class"], clicked["link"]) == (
        "click",
        "person",
        "https://example.com/prices",
    )
    assert ana.connection(connection["id"])["verdict"] == "working"
    assert time.monotonic() - began < figures.limit(5.0)
