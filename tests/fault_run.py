"""Meeting every case of a provider's table of faults, and holding what was said against it.

All cases run at the same time, each on a mailbox of its own; then each is asserted: the cause, the whole sentence, the
button and the person, of the email, its connection and the gates, by the API and on the pages.
"""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests import stack as stacks
from tests import up
from tests.fault_texts import Case, Said
from tests.stack import Person, Stack, until
from tests.storms.ground import Rows

TIMEOUT = 2
_DAY = 86_400
# What reads the mailbox, or a try that needs to.
_READING = frozenset({"read", "draft", "drafts.create", "drafts.send"})


@dataclass
class Seen:
    """What was said of one case."""

    email: dict[str, Any] | None
    page: str
    connection: dict[str, Any]
    gates: list[dict[str, Any]]
    panel: str
    card: str


@dataclass
class Run:
    """All cases, met once."""

    provider: str
    people: dict[str, str]
    seen: dict[str, Seen | BaseException]


# What is said of a failed call is looked at before another look into the mailbox says the contrary.
SETTINGS = {"TRUESEND_HTTP_TIMEOUT": str(TIMEOUT), "TRUESEND_INBOX_SECONDS": "86400"}


_PROBED = (
    "SELECT 1 FROM connections_token AS t JOIN connections_connection AS c ON c.id = t.connection_id"
    " WHERE c.id = %s AND t.probe_due_at > c.consented_at + interval '1 minute'"
)
# A mailbox's first look only finds where it stands, and the next one follows at once; after that comes a day.
_LOOKED = "SELECT 1 FROM inbox_mailbox WHERE connection_id = %s AND due_at > read_at + interval '1 hour'"


@contextmanager
def running(data: Path, provider: str, cases: Sequence[Case], *, last: Sequence[str] = ()) -> Iterator[Run]:
    """Every case on a mailbox of its own, in an installation that waits two seconds for a provider.

    ``last`` are names of cases that stop every mailbox; after each comes another day.
    """
    with stacks.running(data, settings=SETTINGS) as stack:
        operator, ana = stack.person("operator"), stack.person("ana", "Elsewhere")
        ana.bearer  # noqa: B018  # made before several threads want it
        met = Run(provider, {operator.email: "operator", ana.email: "holder"}, {})
        meeting = _Meeting(stack, ana, provider)

        def meet(case: Case) -> None:
            try:
                met.seen[str(case)] = meeting.meet(case)
            except BaseException as failure:
                met.seen[str(case)] = failure

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(meet, [case for case in cases if str(case) not in last]))
        for case in cases:
            if str(case) in last:
                meet(case)
                stack.sandbox.advance(_DAY)
        yield met
    up.remove(data)


class _Meeting:
    """One person with a mailbox for each case."""

    def __init__(self, stack: Stack, ana: Person, provider: str) -> None:
        self._stack, self._ana, self._provider = stack, ana, provider
        self._consents = threading.Lock()
        self._rows = Rows(stack)

    def meet(self, case: Case) -> Seen:
        """Connect, let it happen, and read what is said."""
        ana = self._ana
        mailbox = f"{uuid4().hex[:12]}@{'outlook.com' if case.personal else 'northwind.example'}"
        connection = self._connect(mailbox, reads=case.reads or case.operation in _READING)
        self._happen(case, mailbox)
        email, page = None, ""
        if case.email is not None:
            sent = ana.send(connection, to=["ines@globex.example"])
            email = _settled(ana, sent["id"], case.email)
            page = _text(ana.get(f"/emails/{sent['id']}").text)
        else:
            ana.api("POST", f"connections/{connection}/verify")
        draft = {"connection": connection, "to": ["ines@globex.example"], "subject": "x"}
        gates = ana.api("POST", "readiness", draft).json()["gates"]
        card = _text(ana.get(f"/connections/{connection}/part?shape=card").text)
        return Seen(email, page, ana.connection(connection), gates, _panel(ana, draft), card)

    def _connect(self, mailbox: str, *, reads: bool) -> str:
        ana, scopes = self._ana, "send,read" if reads else "send"
        with self._consents:  # a browser gives one consent after the other
            query = f"capabilities={scopes}&kind=personal"
            connection = str(ana.connect(mailbox, query, self._provider)["id"])

        def others() -> list[str]:
            listed = ana.connection(connection)["capabilities"]
            return [one["cause"] for one in listed if one["name"] != "send"]

        # By itself, after the consent: before the fault, which another call than the case's would use up.
        until(others, lambda causes: not {"read_not_tried", "contacts_not_tried"} & set(causes), 30)
        until(lambda: self._rows.ask(_PROBED, [connection]), bool, 30)
        listed = ana.connection(connection)["capabilities"]
        if any(one["name"] == "read" and one["cause"] != "not_asked" for one in listed):
            until(lambda: self._rows.ask(_LOOKED, [connection]), bool, 30)
        return connection

    def _happen(self, case: Case, mailbox: str) -> None:
        sandbox, here = self._stack.sandbox, {"provider": self._provider, "account": mailbox}
        for operation, kind, more in case.also:
            sandbox.fault(operation, kind, **{**more, **here})
        more = {"times": 1, **case.more}
        if case.kind == "account":
            # The probe after the consent would tell of it before the case does.
            until(lambda: {one["operation"] for one in sandbox.calls(account=mailbox)}, _is_asked, 30)
            sandbox.account(mailbox, self._provider, **case.more)
        elif case.operation == "token":
            # The key of the connection ends, and its renewal meets the fault.
            sandbox.fault("send", "expire_access", times=1, **here)
            sandbox.fault("token", case.kind, **{**more, "times": case.more.get("times", 1000), **here})
        else:
            sandbox.fault(case.operation, case.kind, **{**more, **here})


def _is_asked(operations: set[str]) -> bool:
    """Whether the last call of a probe was made."""
    return bool({"send.check", "drafts.send.check"} & operations)


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


def _text(page: str) -> str:
    """What a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _timeless(sentence: str, mailbox: str) -> str:
    """Without what differs from run to run."""
    sentence = re.sub(r"\b(on \d+ \w{3} )?at \d\d:\d\d UTC|in a moment", "at <time>", sentence)
    return re.sub(r"until (on \d+ \w{3} )?\d\d:\d\d UTC", "until <time>", sentence).replace(
        mailbox, "<mailbox>"
    )


def told(run: Run, said: dict[str, Any] | None, mailbox: str) -> Said:
    """What the API says, as the table has it."""
    if said is None or (said["cause"] is None and not said.get("sentence")):
        return Said(None)
    people = [run.people.get(one["email"], one["name"]) for one in said["who"]]
    fix = said["fix"]["label"] if said["fix"] else ""
    return Said(said["cause"], _timeless(said["sentence"], mailbox), fix, ", ".join(people))


def assert_said(run: Run, case: Case) -> None:
    """Everything that was said of a case is what its row says."""
    seen = run.seen[str(case)]
    if isinstance(seen, BaseException):
        raise seen
    mailbox = seen.connection["address"]
    if case.email is not None:
        assert seen.email is not None
        status, said = case.email
        told_of = (seen.email["status"], told(run, seen.email["problem_detail"], mailbox))
        assert told_of == (status, said), told_of
        assert seen.email["problem"] == said.cause
    assert case.connection is not None
    verdict, said = case.connection
    found = (seen.connection["verdict"], told(run, seen.connection, mailbox))
    assert found == (verdict, said), found
    gates = [gate for gate in seen.gates if gate["cause"]]
    assert [told(run, gate, mailbox) for gate in gates] == ([case.gate] if case.gate else [])
    # A limit delays what is sent, and says until when; anything else is in its way.
    assert all(gate["ok"] == (gate["until"] is not None) for gate in gates)
    assert all(gate["ok"] == gate["cause"].endswith("_limit") for gate in gates)
    _assert_pages(case, seen, mailbox)


def _assert_pages(case: Case, seen: Seen, mailbox: str) -> None:
    """Pages say the same; times stand there in the reader's own zone."""
    assert case.connection is not None
    said, card = case.connection[1], _timeless(seen.card, mailbox)
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
            assert "Sent folder" in seen.page or "email history" in seen.page


def _first(text: str) -> str:
    return re.split(r"(?<=[^.])\. ", text)[0].rstrip(".")
