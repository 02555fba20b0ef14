"""Every fault kind of the sandbox on every operation where it makes sense: what email, connection and gates then say.

One table. All cases run at the same time, each on a mailbox of its own; then each is asserted: the cause, the whole
sentence, the button and the person. Times read `<time>`, the mailbox's address `<mailbox>`.
"""

# ruff: noqa: E501  # one case, one line
from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from tests import stack as stacks
from tests import up
from tests.stack import Person, Stack, until

# All cases are met in the set-up of the first.
pytestmark = pytest.mark.timeout(400)
TIMEOUT = 2
ADMIN = "the Google administrator of northwind.example"


@dataclass(frozen=True)
class Said:
    """A cause in words: by whom it is said is up to the test."""

    cause: str | None
    sentence: str = ""
    fix: str = ""
    who: str = ""


@dataclass(frozen=True)
class Case:
    """A fault met by an operation, and what is said then; ``email`` is (status, what is in its way)."""

    operation: str
    kind: str
    more: dict[str, Any] = field(default_factory=dict)
    email: tuple[str, Said] | None = None
    connection: tuple[str, Said] | None = None
    gate: Said | None = None
    name: str = ""

    def __str__(self) -> str:
        return f"{self.operation}-{self.name or self.kind}"


SENT = ("sent", Said(None))
READY = None
WORKING = ("working", Said(None, "Verified by an accepted send; renews by itself."))
UNTRIED = (
    "unproven",
    Said("not_tried", "Permission given, not tried yet.", "Send me a test email", "holder"),
)
CLEARS = "It was a send; the next one that is accepted clears this."
LATER = "Nothing was sent yet. {} It goes by itself {}."
RECONNECT = "It waits here; after reconnecting you can let it go."


def unknown(cause: str, why: str) -> tuple[str, Said]:
    """The email of a send that nobody answered for, where its Sent cannot be read."""
    text = (
        f"We do not know whether it was sent: {why}. Look into the Sent folder of <mailbox>: it can still arrive there "
        "until <time>. It is not sent again by guess."
    )
    return "unknown", Said(cause, text, "Say whether it was sent", "holder")


def after_a_send(cause: str, text: str, who: str = "") -> tuple[str, Said]:
    """The connection after such a send."""
    return "attention", Said(cause, f"{text} {CLEARS}", "Send me a test email", who)


def held(
    cause: str, text: str, then: str = RECONNECT, fix: str = "Reconnect", who: str = "holder"
) -> tuple[str, Said]:
    """The email that waits for somebody."""
    return "held", Said(cause, f"Nothing was sent. {text} {then}", fix, who)


def broken(cause: str, text: str, fix: str = "Reconnect", who: str = "holder") -> tuple[str, Said]:
    """The connection that needs somebody."""
    return "broken", Said(cause, text, fix, who)


def refused(cause: str, text: str) -> tuple[str, Said]:
    """The email that was refused."""
    return "failed", Said(cause, f"Nothing was sent. {text}", "Edit the email", "holder")


def waiting(cause: str, text: str, when: str = "at <time>") -> tuple[str, Said]:
    """The email that goes by itself."""
    return "queued", Said(cause, LATER.format(text, when))


def error(status: int, message: str, reason: str) -> dict[str, Any]:
    """An answer in the words of Gmail's API."""
    listed = [{"message": message, "domain": "global", "reason": reason}]
    return {"status": status, "body": {"error": {"code": status, "message": message, "errors": listed}}}


FAULT = "Google has a fault at the moment."
TIMED_OUT = "Google did not answer in time."
CUT_OFF = "The connection to Google broke before an answer came."
GARBAGE = "Google's answer was not one we can read."
AGAIN = "We ask again by ourselves."
REVOKED = "Google says that the permission was withdrawn or has expired; a changed password ends it too."
MINUTE = "Nothing is lost; reconnecting takes a minute."
GONE = "Google says that this account was deleted or disabled."
RESTORED = "Once it is restored there, reconnect it."
POLICY = "An administrator at Google does not allow Truesend for this account."
ALLOWED = "Once it is allowed there, reconnect it."
SESSION = (
    "Your organization at Google asks people to sign in again from time to time, and that time has come."
)
SLOWER = "Google asks us to slow down."
DAY = "This mailbox has reached Google's daily limit."
PROJECT = "This installation has used up its daily calls at Google."
SECRET = "Google refuses this installation's client secret."
LET_GO = "Then you can let this email go."
DEAD = {
    "email": held("grant_revoked", REVOKED),
    "connection": broken("grant_revoked", f"{REVOKED} {MINUTE}"),
    "gate": Said("grant_revoked", f"{REVOKED} {MINUTE}", "Reconnect", "holder"),
}
BLOCKED = {
    "email": held("admin_policy", POLICY, f"{ALLOWED} {LET_GO}", who=ADMIN),
    "connection": broken("admin_policy", f"{POLICY} {ALLOWED}", who=ADMIN),
    "gate": Said("admin_policy", f"{POLICY} {ALLOWED}", "Reconnect", ADMIN),
}
DELETED = {
    "email": held("account_gone", GONE, f"{RESTORED} {LET_GO}", who=ADMIN),
    "connection": broken("account_gone", f"{GONE} {RESTORED}", who=ADMIN),
    "gate": Said("account_gone", f"{GONE} {RESTORED}", "Reconnect", ADMIN),
}
EXPIRED = {
    "email": held("session_policy", SESSION),
    "connection": broken("session_policy", f"{SESSION} {MINUTE}"),
    "gate": Said("session_policy", f"{SESSION} {MINUTE}", "Reconnect", "holder"),
}
CLIENT = {
    "email": held("client_secret_wrong", SECRET, "It waits here; once that is over you can let it go.", "Contact support", "operator"),
    "connection": broken("client_secret_wrong", SECRET, "Contact support", "operator"),
    "gate": Said("client_secret_wrong", SECRET, "Contact support", "operator"),
}  # fmt: skip
TRIED_TWICE = "Google refused our key for this account."


def odd(cause: str, text: str) -> dict[str, Any]:
    """A renewal that failed for the moment: nothing is in the way of a later one."""
    return {
        "email": waiting(cause, text, "<soon>"),
        "connection": ("attention", Said(cause, f"{text} {AGAIN}", "Verify now")),
    }


def doubted(cause: str, text: str, why: str) -> dict[str, Any]:
    """A send without a clear answer."""
    return {"email": unknown(cause, why), "connection": after_a_send(cause, text)}


_TIMED = ("provider_timeout", TIMED_OUT, "Google did not answer in time")
_CUT = ("provider_cut_off", CUT_OFF, "the connection to Google broke before an answer came")
_FAULTY = ("provider_error", FAULT, "Google had a fault while it took the email")
_ODD = ("provider_garbage", GARBAGE, "Google’s answer was not one we can read")
_SLOW_DOWN = {"email": waiting("throttled", SLOWER), "connection": ("attention", Said("throttled", f"{SLOWER} Sending goes on by itself at <time>."))}  # fmt: skip

CASES = [
    # -- a send without a clear answer --
    Case("send", "status", {"status": 500, "body": ""}, **doubted(*_FAULTY), name="500"),
    Case("send", "status", {"status": 408, "body": ""}, **doubted(*_FAULTY), name="408"),
    Case("send", "garbage", **doubted(*_ODD)),
    Case("send", "never", **doubted(*_TIMED)),
    Case("send", "never", {"when": "after"}, **doubted(*_TIMED), name="never-after"),
    Case("send", "slow", {"ms": 300}, SENT, WORKING),
    Case("send", "slow", {"ms": 6000, "when": "after"}, **doubted(*_TIMED), name="slow-after"),
    Case("send", "outage", **doubted(*_FAULTY)),
    Case("send", "drop_before", **doubted(*_CUT)),
    Case("send", "lost_answer", **doubted(*_CUT)),
    # -- a send that was refused --
    Case("send", "status", error(400, "Invalid To header", "invalidArgument"), refused("recipient_refused", "Google refused a recipient: “400 Invalid To header”."), UNTRIED, name="recipient"),
    Case("send", "status", error(400, "Strange", "invalidArgument"), refused("message_refused", "Google refused the message: “400 Strange”."), UNTRIED, name="message"),
    Case("send", "status", error(413, "Request entity too large", "uploadTooLarge"), refused("message_refused", "Google refused the message: “413 Request entity too large”."), UNTRIED, name="too-large"),
    Case("send", "status", error(404, "Requested entity was not found.", "notFound"), refused("not_found", "Google does not find what this belongs to, such as its conversation."), UNTRIED, name="thread"),
    Case(
        "send", "garbage", {"status": 403, "body": "<html>Blocked by proxy</html>"},
        refused("provider_refused", "Google refused the request in words we do not know: “403 <html>Blocked by proxy</html>”."),
        after_a_send("provider_refused", "Google refused the request in words we do not know: “403 <html>Blocked by proxy</html>”.", "holder"),
        name="proxy",
    ),
    # -- limits, each by its reason --
    Case("send", "throttle", {"retry_after": 300}, **_SLOW_DOWN),
    Case(
        "send", "daily_limit", {"retry_after": 7200},
        ("held", Said("daily_limit", LATER.format(DAY, "at <time>"))),
        ("attention", Said("daily_limit", f"{DAY} Sending goes on by itself at <time>.")),
        Said("daily_limit", f"{DAY} Sending goes on by itself at <time>."),
    ),
    Case(
        "send", "status", error(403, "Daily Limit Exceeded", "dailyLimitExceeded"),
        ("held", Said("project_limit", LATER.format(PROJECT, "at <time>"), "Contact support", "operator")),
        ("attention", Said("project_limit", f"{PROJECT} Sending goes on by itself.", "Contact support", "operator")),
        Said("project_limit", f"{PROJECT} Sending goes on by itself.", "Contact support", "operator"),
        name="project-limit",
    ),
    # -- a key or a grant that ended --
    Case("send", "expire_access", {}, SENT, WORKING),
    Case("send", "revoke_grant", **DEAD),
    Case("send", "password_changed", **DEAD),
    Case("send", "admin_block", **BLOCKED),
    *[Case("send", "expire_grant", {"cause": cause}, **DEAD, name=f"grant-{cause}") for cause in ("revoked", "password")],
    *[Case("send", "expire_grant", {"cause": cause}, **DELETED, name=f"grant-{cause}") for cause in ("deleted", "disabled")],
    Case("send", "expire_grant", {"cause": "admin_policy"}, **BLOCKED, name="grant-admin_policy"),
    # Here the access token lives on for its hour: the mail goes, and the next renewal finds out (below).
    *[Case("send", "expire_grant", {"cause": cause}, SENT, WORKING, name=f"grant-{cause}") for cause in ("testing", "unused", "limit", "rapt")],
    Case(
        "send", "status", error(403, "Gmail API has not been used in project 1 before", "accessNotConfigured"),
        held("api_disabled", "The mail interface is switched off in this installation's project at Google.", "It waits here; once that is over you can let it go.", "Contact support", "operator"),
        broken("api_disabled", "The mail interface is switched off in this installation's project at Google.", "Contact support", "operator"),
        Said("api_disabled", "The mail interface is switched off in this installation's project at Google.", "Contact support", "operator"),
        name="api",
    ),
    # -- the renewal before a send --
    Case("token", "status", {"status": 500, "body": ""}, **odd("provider_error", FAULT)),
    Case("token", "outage", **odd("provider_error", FAULT)),
    Case("token", "garbage", **odd("provider_garbage", GARBAGE)),
    Case("token", "never", **odd("provider_timeout", TIMED_OUT)),
    Case("token", "drop_before", **odd("provider_cut_off", CUT_OFF)),
    Case("token", "lost_answer", **odd("provider_cut_off", CUT_OFF)),
    Case("token", "throttle", {"retry_after": 300}, waiting("throttled", SLOWER), ("attention", Said("throttled", f"{SLOWER} Sending goes on by itself."))),
    Case("token", "revoke_grant", **DEAD),
    Case("token", "password_changed", **DEAD),
    Case("token", "admin_block", **BLOCKED),
    Case("token", "client_secret_expired", **CLIENT),
    *[Case("token", "expire_grant", {"cause": cause}, **DEAD, name=f"grant-{cause}") for cause in ("revoked", "testing", "unused", "password", "limit")],
    *[Case("token", "expire_grant", {"cause": cause}, **DELETED, name=f"grant-{cause}") for cause in ("deleted", "disabled")],
    Case("token", "expire_grant", {"cause": "admin_policy"}, **BLOCKED, name="grant-admin_policy"),
    Case("token", "expire_grant", {"cause": "rapt"}, **EXPIRED, name="grant-rapt"),
    # -- “Verify now”: reading the mailbox, and asking who we are where it may only send --
    *[
        case
        for operation in ("read", "identity")
        for case in (
            Case(operation, "status", {"status": 500, "body": ""}, connection=("attention", Said("provider_error", f"{FAULT} {AGAIN}", "Verify now"))),
            Case(operation, "outage", connection=("attention", Said("provider_error", f"{FAULT} {AGAIN}", "Verify now"))),
            Case(operation, "garbage", connection=("attention", Said("provider_garbage", f"{GARBAGE} {AGAIN}", "Verify now"))),
            Case(operation, "never", connection=("attention", Said("provider_timeout", f"{TIMED_OUT} {AGAIN}", "Verify now"))),
            Case(operation, "slow", {"ms": 300}, connection=UNTRIED),
            Case(operation, "drop_before", connection=("attention", Said("provider_cut_off", f"{CUT_OFF} {AGAIN}", "Verify now"))),
            Case(operation, "lost_answer", connection=("attention", Said("provider_cut_off", f"{CUT_OFF} {AGAIN}", "Verify now"))),
            Case(operation, "throttle", connection=("attention", Said("throttled", f"{SLOWER} Sending goes on by itself."))),
            Case(operation, "expire_access", connection=UNTRIED),
            Case(operation, "revoke_grant", connection=DEAD["connection"], gate=DEAD["gate"]),
            Case(operation, "password_changed", connection=DEAD["connection"], gate=DEAD["gate"]),
        )
    ],
    Case("read", "admin_block", connection=BLOCKED["connection"]),  # it may not read, and was not refused a send
]  # fmt: skip


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
            list(pool.map(meet, CASES))
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
    more = {**case.more, "account": mailbox}
    if case.operation == "token":
        # The key of the connection ends, and its renewal meets the fault.
        stack.sandbox.fault("send", "expire_access", account=mailbox, times=1)
        stack.sandbox.fault("token", case.kind, **more)
    else:
        stack.sandbox.fault(case.operation, case.kind, **more, times=1)
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
    closed = [gate for gate in seen.gates if not gate["ok"]]
    assert [_told(run, gate, mailbox) for gate in closed] == ([case.gate] if case.gate else [])
    _assert_pages(case, seen, _timeless(_card(run.cards, seen.connection["id"]), mailbox), mailbox)


def _assert_pages(case: Case, seen: Seen, card: str, mailbox: str) -> None:
    """Pages say the same; times stand there in the reader's own zone."""
    assert case.connection is not None
    said = case.connection[1]
    if said.cause is not None:
        # The first sentence: what follows may hold a time.
        assert _first(said.sentence) in card
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
    from truesend_sandbox.faults import GRANT_CAUSES, KINDS

    assert {case.kind for case in CASES} == set(KINDS)
    for operation in ("send", "token"):
        met = {
            case.more["cause"]
            for case in CASES
            if case.operation == operation and case.kind == "expire_grant"
        }
        assert met == set(GRANT_CAUSES)
