"""A member strikes a signal and takes that back: API, page, list and open pages follow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import uuid4

import pytest
from tests.stack import Person, Stack, until
from tests.streams import open_streams


@dataclass
class Sent:
    """An email that was opened and clicked, and the signals of both."""

    ana: Person
    email: str
    opened: str
    clicked: str

    def signals(self) -> dict[str, bool]:
        items = self.ana.api("GET", f"emails/{self.email}/signals").json()["items"]
        return {one["id"]: one["struck"] for one in items}

    def headline(self) -> str | None:
        found: str | None = self.ana.api("GET", f"emails/{self.email}").json()["signal"]
        return found

    def counted(self) -> tuple[int, int, int]:
        """How many copies were opened, clicked and answered."""
        email = self.ana.api("GET", f"emails/{self.email}").json()
        return email["opened"], email["clicked"], email["answered"]

    def listed(self) -> str:
        """What the list says of it."""
        rows = self.ana.get("/emails/rows").text.partition('id="filters"')[0]
        return " ".join(re.sub(r"<[^>]+>", " ", rows).split())


@pytest.fixture
def sent(stack: Stack) -> Sent:
    ana = stack.person(organization=f"Striking {uuid4()}")
    email = ana.send(ana.connect()["id"])["id"]
    delivery = ana.email_when(email, "sent")["deliveries"][0]["id"]
    (message,) = stack.sandbox.messages(delivery=delivery)
    stack.sandbox.advance(30)
    stack.sandbox.act(message["id"], "open", as_="browser")
    stack.sandbox.act(message["id"], "click", as_="browser")
    found = {one["kind"]: one["id"] for one in ana.signals(email, 2)}
    return Sent(ana, email, found["open"], found["click"])


def test_counts_and_headline_follow_and_open_pages_are_told(stack: Stack, sent: Sent) -> None:
    ana = sent.ana
    assert "Clicked" in sent.listed()
    clicked = sent.headline()
    assert clicked is not None
    assert sent.counted() == (1, 1, 0)
    with open_streams(stack.url, ana.bearer, 1) as streams:
        until(streams.opened, lambda open_now: open_now == 1, 5)
        answer = ana.api("POST", f"signals/{sent.clicked}/strike")
        assert answer.status_code == 200
        assert (answer.json()["id"], answer.json()["struck"]) == (sent.clicked, True)
        told = f'"id":"{sent.clicked}"'.encode()
        until(lambda: streams.received[0].replace(b" ", b""), lambda heard: told in heard, 2)
    assert sent.signals() == {sent.opened: False, sent.clicked: True}
    assert sent.headline() not in {clicked, None}
    assert "Opened" in sent.listed()
    assert "Clicked" not in sent.listed()
    assert sent.counted() == (1, 0, 0)
    ana.api("POST", f"signals/{sent.opened}/strike")
    assert (sent.headline(), sent.counted()) == (None, (0, 0, 0))
    assert "Opened" not in sent.listed()
    for _ in range(2):  # pressed twice
        assert ana.api("POST", f"signals/{sent.clicked}/unstrike").json()["struck"] is False
    assert sent.headline() == clicked
    assert "Clicked" in sent.listed()


@pytest.mark.parametrize("wanted", ["0", "-1", "x", "9223372036854775807", "9" * 19, "9" * 400, "1.0", "١"])
def test_what_is_no_signal_is_not_found(sent: Sent, wanted: str) -> None:
    for verb in ("strike", "unstrike"):
        answer = sent.ana.api("POST", f"signals/{wanted}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert set(sent.signals().values()) == {False}


def test_a_colleague_strikes_nothing_of_anothers_email(stack: Stack, sent: Sent) -> None:
    colleague = stack.member_of(sent.ana, "manager")
    assert colleague.api("POST", f"signals/{sent.clicked}/strike").status_code == 404
    assert colleague.post(f"/signals/{sent.clicked}/strike").status_code == 404
    assert set(sent.signals().values()) == {False}


def test_the_page_has_a_button_for_what_counts(sent: Sent) -> None:
    ana, path = sent.ana, f"/signals/{sent.clicked}"
    page = ana.get(f"/emails/{sent.email}").text
    assert page.count(">Strike</button>") == 2
    answer = ana.post(f"{path}/strike", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (
        302, f"/emails/{sent.email}#signal-{sent.clicked}",
    )  # fmt: skip
    page = ana.get(f"/emails/{sent.email}").text
    assert (page.count(">Strike</button>"), page.count(">Unstrike</button>")) == (1, 1)
    assert "You struck it: not counted." in page
    part = ana.post(f"{path}/unstrike", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section class="card" id="timeline"')
    assert part.text.count(">Strike</button>") == 2
    assert ana.get(f"{path}/strike").status_code == 405
