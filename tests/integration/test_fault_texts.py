"""Every fault kind of the sandbox on every operation where it makes sense: what email, connection and gates then say.

One table. All cases run at the same time, each on a mailbox of its own; then each is asserted: the cause, the whole
sentence, the button and the person. Times read `<time>`, the mailbox's address `<mailbox>`.
"""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from tests import stack as stacks
from tests import up
from tests.fault_texts import CASES, Case, Said
from tests.stack import Person, Stack, until

# All cases are met in the set-up of the first.
pytestmark = pytest.mark.timeout(400)
TIMEOUT = 2


@dataclass
class Seen:
    """What was said of one case."""

    email: dict[str, Any] | None
    page: str
    connection: dict[str, Any]
    gates: list[dict[str, Any]]
    panel: str


@dataclass
class Run:
    """All cases, met once."""

    people: dict[str, str]
    cards: str
    seen: dict[str, Seen | BaseException]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Every case on a mailbox of its own, in an installation that waits two seconds for a provider."""
    data = tmp_path_factory.mktemp("faults") / "data"
    with stacks.running(data, settings={"TRUESEND_HTTP_TIMEOUT": str(TIMEOUT)}) as stack:
        operator, ana = stack.person("operator"), stack.person("ana", "Elsewhere")
        ana.bearer  # noqa: B018  # made before several threads want it
        consents = threading.Lock()
        met = Run({operator.email: "operator", ana.email: "holder"}, "", {})

        def meet(case: Case) -> None:
            try:
                met.seen[str(case)] = _meet(stack, ana, consents, case)
            except BaseException as failure:
                met.seen[str(case)] = failure

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(meet, [case for case in CASES if case.name != "project-limit"]))
        # This one stops every mailbox.
        meet(next(case for case in CASES if case.name == "project-limit"))
        met.cards = ana.get("/integration").text
        yield met
    up.remove(data)


def _meet(stack: Stack, ana: Person, consents: threading.Lock, case: Case) -> Seen:
    mailbox = f"{uuid4().hex[:12]}@northwind.example"
    scopes = "send,read" if case.operation == "read" else "send"
    with consents:  # a browser gives one consent after the other
        connection = ana.connect(mailbox, f"capabilities={scopes}&kind=personal")["id"]
    if case.operation == "read":
        tried = {"working", "attention"}  # by itself, after the consent: before the fault
        until(lambda: ana.connection(connection)["capabilities"][1], lambda one: one["verdict"] in tried, 30)
    more = {"times": 1, **case.more, "account": mailbox}
    if case.operation == "token":
        # The key of the connection ends, and its renewal meets the fault.
        stack.sandbox.fault("send", "expire_access", account=mailbox, times=1)
        stack.sandbox.fault("token", case.kind, **{**more, "times": 1000})
    else:
        stack.sandbox.fault(case.operation, case.kind, **more)
    email, page = None, ""
    if case.email is not None:
        sent = ana.send(connection, to=["ines@globex.example"])
        email = _settled(ana, sent["id"], case.email)
        page = _text(ana.get(f"/emails/{sent['id']}").text)
    else:
        ana.api("POST", f"connections/{connection}/verify")
    draft = {"connection": connection, "to": ["ines@globex.example"], "subject": "x"}
    gates = ana.api("POST", "readiness", draft).json()["gates"]
    return Seen(email, page, ana.connection(connection), gates, _panel(ana, draft))


def _settled(ana: Person, email: str, wanted: tuple[str, Said]) -> dict[str, Any]:
    """The email once it says what it should, or what it says at last."""
    status, said = wanted
    end = time.monotonic() + 30
    while True:
        found: dict[str, Any] = ana.api("GET", f"emails/{email}").json()
        detail = found["problem_detail"] or {"cause": None}
        if (found["status"], detail["cause"]) == (status, said.cause) or time.monotonic() > end:
            return found
        time.sleep(0.2)


def _panel(ana: Person, draft: dict[str, Any]) -> str:
    """Compose's gates for the draft."""
    number = uuid4()
    headers = {"X-CSRFToken": ana.jar.cookies["csrftoken"], "Accept": "application/json"}
    body = {**draft, "to": ", ".join(draft["to"]), "html": "<p>x</p>"}
    url = f"{ana.stack.url}/emails/drafts/{number}"
    assert ana.jar.post(url, json=body, headers=headers, timeout=30).status_code == 200
    return _text(ana.get(f"/emails/drafts/{number}/gates").text)


def _card(page: str, connection: str) -> str:
    """The card of one connection, of all on the page."""
    cards = page.split('aria-labelledby="connection-')
    return _text(next(one for one in cards if one.startswith(connection)))


def _text(page: str) -> str:
    """What a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _timeless(sentence: str, mailbox: str) -> str:
    """Without what differs from run to run."""
    sentence = re.sub(r"\b(on \d+ \w{3} )?at \d\d:\d\d UTC|in a moment", "at <time>", sentence)
    return re.sub(r"until (on \d+ \w{3} )?\d\d:\d\d UTC", "until <time>", sentence).replace(
        mailbox, "<mailbox>"
    )


def _told(run: Run, told: dict[str, Any] | None, mailbox: str) -> Said:
    if told is None or (told["cause"] is None and not told.get("sentence")):
        return Said(None)
    people = [run.people.get(one["email"], one["name"]) for one in told["who"]]
    fix = told["fix"]["label"] if told["fix"] else ""
    return Said(told["cause"], _timeless(told["sentence"], mailbox), fix, ", ".join(people))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_said(run: Run, case: Case) -> None:
    seen = run.seen[str(case)]
    if isinstance(seen, BaseException):
        raise seen
    mailbox = seen.connection["address"]
    if case.email is not None:
        assert seen.email is not None
        status, said = case.email
        wanted = Said(said.cause, said.sentence.replace("<soon>", "at <time>"), said.fix, said.who)
        assert (seen.email["status"], _told(run, seen.email["problem_detail"], mailbox)) == (status, wanted)
        assert seen.email["problem"] == said.cause
    assert case.connection is not None
    verdict, said = case.connection
    assert (seen.connection["verdict"], _told(run, seen.connection, mailbox)) == (verdict, said)
    told = [gate for gate in seen.gates if gate["cause"]]
    assert [_told(run, gate, mailbox) for gate in told] == ([case.gate] if case.gate else [])
    # A limit delays what is sent, and says until when; anything else is in its way.
    assert all(gate["ok"] == (gate["until"] is not None) for gate in told)
    assert all(gate["ok"] == gate["cause"].endswith("_limit") for gate in told)
    _assert_pages(case, seen, _timeless(_card(run.cards, seen.connection["id"]), mailbox), mailbox)


def _assert_pages(case: Case, seen: Seen, card: str, mailbox: str) -> None:
    """Pages say the same; times stand there in the reader's own zone."""
    assert case.connection is not None
    said = case.connection[1]
    if said.cause is not None:
        # The first sentence: what follows may hold a time.
        assert all(part in card for part in _first(said.sentence).split("at <time>"))
        assert said.fix in card
    if case.gate is not None:
        assert _first(case.gate.sentence) in _timeless(seen.panel, mailbox)
        assert case.gate.fix in seen.panel
    if case.email is not None and case.email[1].cause is not None:
        about = re.sub(
            r"^(Nothing was sent( yet)?|We do not know whether it was sent)[.:] ", "", case.email[1].sentence
        )
        assert _first(about) in seen.page
        assert case.email[1].fix in seen.page or case.email[0] == "unknown" or case.email[1].who == "operator"
        if case.email[0] == "unknown":
            assert "Sent folder" in seen.page


def _first(text: str) -> str:
    return re.split(r"(?<=[^.])\. ", text)[0].rstrip(".")


def test_every_kind_of_the_sandbox_is_met() -> None:
    from truesend_sandbox.faults import KINDS
    from truesend_sandbox.google.faults import GRANT_CAUSES

    assert {case.kind for case in CASES} == set(KINDS)
    for operation in ("send", "token"):
        met = {
            case.more["cause"]
            for case in CASES
            if case.operation == operation and case.kind == "expire_grant"
        }
        assert met == set(GRANT_CAUSES)
