"""The limit of the installation's client at a provider: shared by all mailboxes, waited for by no worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests import stack as stacks
from tests.stack import Stack, until

RATE = 4
TOO_MANY = {
    "error": {
        "code": 403,
        "message": "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
        "'gmail.googleapis.com' for consumer 'project_number:1'.",
        "errors": [{"reason": "rateLimitExceeded", "domain": "usageLimits", "message": "Quota exceeded"}],
        "status": "RESOURCE_EXHAUSTED",
    }
}

USED_UP = {
    "error": {
        "code": 403,
        "message": "Daily Limit Exceeded",
        "errors": [
            {"reason": "dailyLimitExceeded", "domain": "usageLimits", "message": "Daily Limit Exceeded"}
        ],
    }
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data: Path = tmp_path_factory.mktemp("client")
    with stacks.running(data, settings={"TRUESEND_GOOGLE_SENDS_PER_SECOND": str(RATE)}) as running:
        yield running


def test_all_mailboxes_together_keep_to_the_rate(stack: Stack) -> None:
    people = [stack.person(f"p{number}") for number in range(4)]
    mailboxes = [(one, one.connect()["id"]) for one in people]
    emails = [(one, one.send(mailbox)["id"]) for one, mailbox in mailboxes for _ in range(6)]
    for one, email in emails:
        one.email_when(email, "sent", 60)
    times = sorted(datetime.fromisoformat(call["at"]) for call in stack.sandbox.calls(operation="send"))
    assert len(times) == len(emails)
    # The bucket may be full at first; after that no second sees more than the rate and one lease.
    for first, later in zip(times, times[3 * RATE :], strict=False):
        assert (later - first).total_seconds() > 0.9, times


def test_the_daily_limit_of_the_installation_names_its_operator_in_every_mailbox(stack: Stack) -> None:
    ana, bob = stack.person("ana"), stack.person("bob")
    hers, his = ana.connect()["id"], bob.connect()["id"]
    stack.sandbox.fault("send", "status", account=ana.email, times=1, status=403, body=USED_UP)
    met = ana.send(hers)["id"]
    ana.email_when(met, "held", 30)
    other = bob.send(his)["id"]
    until(
        lambda: bob.api("GET", f"emails/{other}").json(), lambda one: one["problem"] == "client_throttled", 20
    )
    who = ana.connection(hers)["who"]
    assert len(who) == 1
    gate = ana.api("POST", "readiness", {"connection": hers, "to": ["x@globex.example"], "subject": "x"})
    told = [next(one for one in gate.json()["gates"] if one["cause"])]
    told += [
        person.api("GET", f"emails/{one}").json()["problem_detail"]
        for person, one in ((ana, met), (bob, other))
    ]
    for one in told:
        assert (
            one["sentence"]
            .removeprefix("Nothing was sent yet. ")
            .startswith("This installation has used up its daily calls at Google.")
        )
        assert (one["cause"], one["who"]) == ("project_limit", who)
        assert one["fix"] == {"label": "Contact support", "url": "/account#support"}
    for person, one in ((ana, met), (bob, other)):
        page = person.get(f"/emails/{one}").text
        assert f"Who can help: {who[0]['email']}" in page
        assert "Contact support" in page
    stack.sandbox.advance(61)
    bob.email_when(other, "sent", 30)


def test_a_client_that_is_refused_rests_in_every_mailbox(stack: Stack) -> None:
    ana, bob = stack.person("ana"), stack.person("bob")
    hers, his = ana.connect()["id"], bob.connect()["id"]
    stack.sandbox.fault("send", "status", account=ana.email, times=1, status=403, body=TOO_MANY)
    email = ana.send(hers)["id"]
    until(lambda: ana.api("GET", f"emails/{email}").json(), lambda one: one["problem"] is not None, 20)
    other = bob.send(his)["id"]
    waiting = until(
        lambda: bob.api("GET", f"emails/{other}").json(), lambda one: one["problem"] == "client_throttled", 20
    )
    assert waiting["status"] == "queued"
    assert stack.sandbox.calls(operation="send", account=bob.email) == []
    stack.sandbox.advance(61)
    ana.email_when(email, "sent", 30)
    bob.email_when(other, "sent", 30)
