"""Every cause is produced by the sandbox in some test, and told over real HTTP, or says here why it cannot be."""

from __future__ import annotations

import ast

from tests.fault_texts import Case
from tests.fault_texts.google import CASES as GOOGLE
from tests.fault_texts.keap import CASES as KEAP
from tests.fault_texts.microsoft import CASES as MICROSOFT

from truesend.connections.causes import CAUSES

from .files import ROOT, python

# No provider brings these about. Where they are shown otherwise, and why.
OTHERWISE = {
    "secret_unreadable": (
        "tests/integration/test_renewals.py",
        "an encryption key that this installation no longer has",
    ),
    "client_unreadable": ("tests/integration/test_provider_clients.py", "the same, of a stored client"),
    "message_unbuildable": ("tests/integration/test_dispatch.py", "a fault of our own code"),
    "fence_passed": (
        "tests/integration/test_preparing.py",
        "a worker that was paused between its record and its call",
    ),
    "worker_lost": ("tests/integration/test_dispatch.py", "a worker that is killed in the middle of a call"),
    "not_adopted": ("tests/storms/restore.py", "a database that was copied or restored"),
    "overdue": ("tests/integration/test_scheduling.py", "an outage of hours, seen by its email"),
    "restored": ("tests/integration/test_adopt_rows.py", "an older backup"),
    "read_unproven": (
        "src/truesend/connections/test_verdict.py",
        "an hour without a look, where a worker looks every five minutes",
    ),
    "recipient_suppressed": (
        "tests/integration/test_suppressed_sending.py",
        "a list of the organization's own",
    ),
    "bounced": ("tests/integration/test_inbox.py", "the recipient's side: what comes back into the mailbox"),
    "delayed": ("tests/integration/test_inbox.py", "the same"),
}
# What an organization or a member of it decides here: no provider has a part in it.
DECIDED_HERE = frozenset(
    {"account_inactive", "daily_budget", "member_inactive", "organization_ends", "paused", "tier_lacks"}
)
_HINT = (
    "mark the test that produces it with pytest.mark.produces, or say above why no provider brings it about"
)


def _said(cases: list[Case]) -> set[str]:
    """Causes of a table of faults: ``tests/fault_run.py`` has each produced and asserts pages and API."""
    told = [
        said
        for case in cases
        for said in (case.email and case.email[1], case.connection and case.connection[1], case.gate)
    ]
    return {said.cause for said in told if said and said.cause}


def _marked() -> set[str]:
    """Causes in the marker ``produces``, which ``tests/produced.py`` holds against what was told."""
    found = set()
    for path, text in python("tests"):
        if "produces" not in text:
            continue
        for node in ast.walk(ast.parse(text, path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.produces":
                found |= {ast.literal_eval(one) for one in node.args}
    return found


def test_every_cause_is_produced_or_says_why_not() -> None:
    produced = _said(GOOGLE) | _said(MICROSOFT) | _said(KEAP) | _marked()

    assert produced <= CAUSES.keys()
    assert sorted(CAUSES.keys() - produced - OTHERWISE.keys() - DECIDED_HERE) == [], _HINT
    assert sorted(produced & OTHERWISE.keys()) == []


def test_what_is_shown_otherwise_is_shown_there() -> None:
    for code in OTHERWISE.keys() & CAUSES.keys():
        name, _ = OTHERWISE[code]
        assert code in (ROOT / name).read_text(encoding="utf-8"), (code, name)
