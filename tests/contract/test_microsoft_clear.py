"""Drafts of tries that sent nothing are taken away, and nothing else of a mailbox ever is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contract.mailboxes import MicrosoftMailbox, new_mark
from tests.sandbox_process import Sandbox

from truesend.providers.contract import ProviderError, Strays
from truesend.providers.errors import Outcome
from truesend.providers.microsoft import drafts

EARLY = timedelta(minutes=5)


@pytest.fixture
def outlook(sandbox: Sandbox) -> MicrosoftMailbox:
    return MicrosoftMailbox(sandbox)


def prepare(outlook: MicrosoftMailbox, mark: str) -> str:
    return outlook.adapter.prepare(outlook.message(mark), outlook.access(), earlier=None)


def clear(outlook: MicrosoftMailbox, *references: str, mark: str = "", sent: str = "") -> None:
    strays = Strays(mark, outlook.began - EARLY, sent) if mark else None
    outlook.adapter.clear(outlook.access(), references, strays)


def ids(outlook: MicrosoftMailbox) -> set[str]:
    return {one["id"] for one in outlook.folder("drafts")}


def id_of(reference: str) -> str:
    found = drafts.read(reference)
    assert found is not None
    return found.id


def test_what_was_prepared_is_taken_away_and_the_rest_stays(outlook: MicrosoftMailbox) -> None:
    mark, other = new_mark(), prepare(outlook, new_mark())
    clear(outlook, prepare(outlook, mark), prepare(outlook, mark))
    assert ids(outlook) == {id_of(other)}


def test_what_is_gone_or_was_sent_is_left_alone(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    gone, sent = prepare(outlook, mark), prepare(outlook, mark)
    outlook.delete(id_of(gone))
    result = outlook.adapter.send(outlook.message(mark), outlook.access(), reference=sent, fence=lambda: None)
    assert result.outcome is Outcome.ACCEPTED
    clear(outlook, gone, sent, "", "{", mark=mark)
    assert [one["id"] for one in outlook.folder("sentitems")] == [id_of(sent)]


@pytest.mark.parametrize("shown", [True, False], ids=["headers shown", "headers not shown"])
def test_what_nobody_knows_of_is_known_by_its_mark(outlook: MicrosoftMailbox, shown: bool) -> None:
    outlook.sandbox.switch("microsoft", headers_of_sent=shown)
    mark, other = new_mark(), prepare(outlook, new_mark())
    in_transit = prepare(outlook, mark)
    prepare(outlook, mark)
    clear(outlook, mark=mark, sent=in_transit)
    assert ids(outlook) == {id_of(other), id_of(in_transit)}


def test_the_first_drafts_since_then_are_looked_at(
    outlook: MicrosoftMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many a person has made before and after."""
    monkeypatch.setattr(drafts, "MOST_READ", 2)
    mark = new_mark()
    before = [prepare(outlook, new_mark()) for _ in range(3)]
    outlook.sandbox.advance(600)
    outlook.began = outlook.now()
    prepare(outlook, mark)
    outlook.sandbox.advance(60)
    after = [prepare(outlook, new_mark()) for _ in range(3)]
    clear(outlook, mark=mark)
    assert ids(outlook) == {id_of(one) for one in before + after}


@pytest.mark.parametrize("operation", ["drafts.get", "drafts.delete", "messages.list", "messages.value"])
@pytest.mark.parametrize(
    ("fault", "cause"), [("outage", "provider_error"), ("throttle", "throttled"), ("lost_answer", "provider_cut_off")]
)  # fmt: skip
def test_a_failure_is_told_and_the_next_one_goes_on(
    outlook: MicrosoftMailbox, operation: str, fault: str, cause: str
) -> None:
    mark = new_mark()
    known, _ = prepare(outlook, mark), prepare(outlook, mark)
    outlook.sandbox.fault(operation, fault, "microsoft", times=1)
    with pytest.raises(ProviderError) as caught:
        clear(outlook, known, mark=mark)
    assert caught.value.cause == cause
    clear(outlook, known, mark=mark)
    assert ids(outlook) == set()
