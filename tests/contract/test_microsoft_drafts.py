"""A send by way of a draft: what is left behind is cleared away, and what was sent is never sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contract.mailboxes import MicrosoftMailbox, new_mark
from tests.sandbox_process import Sandbox

from truesend.providers.contract import Message, ProviderError
from truesend.providers.errors import Outcome, SendResult
from truesend.providers.microsoft import drafts, graph, sent


@pytest.fixture
def outlook(sandbox: Sandbox) -> MicrosoftMailbox:
    return MicrosoftMailbox(sandbox)


def prepare(outlook: MicrosoftMailbox, mark: str, earlier: str | None = None) -> str:
    return outlook.adapter.prepare(outlook.message(mark), outlook.access(), earlier=earlier)


def send(outlook: MicrosoftMailbox, mark: str, reference: str) -> SendResult:
    return outlook.adapter.send(
        outlook.message(mark), outlook.access(), reference=reference, fence=lambda: None
    )


def made(outlook: MicrosoftMailbox, since: int) -> list[str]:
    calls = outlook.sandbox.calls(provider="microsoft")[since:]
    return [str(call["operation"]) for call in calls]


def test_a_draft_keeps_its_ids_when_it_is_sent(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    reference = prepare(outlook, mark)
    assert outlook.sandbox.messages() == []
    (draft,) = outlook.folder("drafts")
    result = send(outlook, mark, reference)
    assert (result.message_id, result.thread_id) == (draft["id"], draft["conversationId"])
    assert outlook.folder("drafts") == []
    (kept,) = outlook.folder("sentitems")
    assert (kept["id"], kept["internetMessageId"]) == (draft["id"], draft["internetMessageId"])
    assert outlook.copy(result.message_id).internet_message_id == draft["internetMessageId"]
    (arrived,) = outlook.sandbox.messages(delivery=mark)
    assert arrived["count"] == 1


@pytest.mark.parametrize("shown", [True, False], ids=["headers shown", "headers not shown"])
def test_drafts_whose_answer_was_lost_are_found_and_deleted(outlook: MicrosoftMailbox, shown: bool) -> None:
    outlook.sandbox.switch("microsoft", headers_of_sent=shown)
    mark, other = new_mark(), new_mark()
    prepare(outlook, other)
    outlook.sandbox.fault("drafts.create", "lost_answer", "microsoft", times=2)
    for earlier in (None, ""):
        with pytest.raises(ProviderError) as caught:
            prepare(outlook, mark, earlier)
        assert caught.value.cause == "provider_cut_off"
    assert len(outlook.folder("drafts")) == 2  # the second try has cleared the first one's away
    reference = prepare(outlook, mark, "")
    assert len(outlook.folder("drafts")) == 2  # this one, and the one of another delivery
    assert send(outlook, mark, reference).outcome is Outcome.ACCEPTED
    (arrived,) = outlook.sandbox.messages()
    assert (arrived["delivery"], arrived["count"]) == (mark, 1)


def test_a_mailbox_full_of_drafts_is_not_read_to_its_end(
    outlook: MicrosoftMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_READ", 3)
    for _ in range(5):
        prepare(outlook, new_mark())
    before = len(outlook.sandbox.calls(provider="microsoft"))
    prepare(outlook, new_mark(), "")
    assert made(outlook, before) == ["messages.list", *["messages.value"] * 3, "drafts.create"]


def test_a_draft_of_an_earlier_try_is_replaced(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    first = prepare(outlook, mark)
    before = len(outlook.sandbox.calls(provider="microsoft"))
    second = prepare(outlook, mark, first)
    assert made(outlook, before) == ["drafts.get", "drafts.delete", "drafts.create"]
    (left,) = outlook.folder("drafts")
    found = drafts.read(second)
    assert found is not None
    assert found.id == left["id"]


def test_a_draft_that_is_gone_is_made_again(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    first = drafts.read(prepare(outlook, mark))
    assert first is not None
    outlook.delete(first.id)
    assert send(outlook, mark, prepare(outlook, mark, first.write())).outcome is Outcome.ACCEPTED
    assert [one["count"] for one in outlook.sandbox.messages(delivery=mark)] == [1]


def test_a_draft_that_was_sent_after_all_is_not_sent_again(outlook: MicrosoftMailbox) -> None:
    """By its person in Outlook, or by a call that took effect when nobody believed in it any more."""
    mark = new_mark()
    first = prepare(outlook, mark)
    draft = drafts.read(first)
    assert draft is not None
    path = f"me/messages/{draft.id}/send"
    headers = {"Prefer": 'IdType="ImmutableId"'}
    assert outlook.client.graph("POST", path, outlook.everything, headers=headers).status_code == 202
    before = len(outlook.sandbox.calls(provider="microsoft"))
    again = prepare(outlook, mark, first)
    result = send(outlook, mark, again)
    assert (result.outcome, result.message_id) == (Outcome.ACCEPTED, draft.id)
    assert made(outlook, before) == ["messages.get"]  # nothing made, nothing deleted, nothing sent
    assert [one["count"] for one in outlook.sandbox.messages(delivery=mark)] == [1]
    assert len(outlook.folder("sentitems")) == 1
    outlook.references[mark] = again
    assert outlook.look(mark).found[mark].message_id == draft.id


@pytest.mark.parametrize("second", ["not_found", "bad_request"])
def test_a_second_send_of_one_draft_is_the_first(outlook: MicrosoftMailbox, second: str) -> None:
    outlook.sandbox.switch("microsoft", second_send=second)
    mark = new_mark()
    reference = prepare(outlook, mark)
    first, again = send(outlook, mark, reference), send(outlook, mark, reference)
    assert again.outcome is Outcome.ACCEPTED
    assert again.message_id == first.message_id
    assert [one["count"] for one in outlook.sandbox.messages(delivery=mark)] == [1]


@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        ("ErrorItemNotFound", 404, "provider_error"),
        ("ErrorInvalidRequest", 400, "message_refused"),
        ("ErrorSomethingNew", 400, "provider_refused"),
    ],
)
def test_a_refusal_of_a_draft_that_is_still_one_sent_nothing(
    outlook: MicrosoftMailbox, code: str, status: int, cause: str
) -> None:
    mark = new_mark()
    reference = prepare(outlook, mark)
    body = {"error": {"code": code, "message": "Words."}}
    outlook.sandbox.fault("drafts.send", "status", "microsoft", status=status, body=body)
    result = send(outlook, mark, reference)
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, cause)


def test_a_draft_that_vanished_before_its_send_leaves_it_open(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    reference = prepare(outlook, mark)
    draft = drafts.read(reference)
    assert draft is not None
    outlook.delete(draft.id)
    assert send(outlook, mark, reference).outcome is Outcome.UNKNOWN
    outlook.references[mark] = reference
    look = outlook.look(mark)
    assert (dict(look.found), look.complete, look.absent) == ({}, False, frozenset())
    assert "deleted" in look.words


def test_a_send_in_transit_is_neither_found_nor_absent(outlook: MicrosoftMailbox) -> None:
    outlook.sandbox.switch("microsoft", transit_seconds=60.0)
    mark = new_mark()
    reference = outlook.references[mark] = prepare(outlook, mark)
    assert send(outlook, mark, reference).outcome is Outcome.ACCEPTED
    look = outlook.look(mark)
    assert (dict(look.found), look.complete, look.absent) == ({}, False, frozenset())
    outlook.sandbox.advance(61)
    assert set(outlook.look(mark).found) == {mark}


def test_a_moved_draft_is_found_by_its_message_id(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    draft = drafts.read(prepare(outlook, mark))
    assert draft is not None
    lost = drafts.Draft("AAkALgAA-another", "", draft.message)
    outlook.references[mark] = lost.write()
    assert outlook.look(mark).absent == {mark}
    assert send(outlook, mark, draft.write()).outcome is Outcome.ACCEPTED
    assert outlook.look(mark).found[mark].message_id == draft.id


@pytest.mark.parametrize("shown", [True, False], ids=["headers shown", "headers not shown"])
def test_what_went_without_a_draft_is_found_by_its_mark(outlook: MicrosoftMailbox, shown: bool) -> None:
    outlook.sandbox.switch("microsoft", headers_of_sent=shown)
    marks = [new_mark() for _ in range(3)]
    for mark in marks:
        outlook.send_unprepared(mark)
    before = len(outlook.sandbox.calls(operation="read"))
    look = outlook.look(marks[0], new_mark())
    assert set(look.found) == {marks[0]}
    assert not look.complete
    read = [call["operation"] for call in outlook.sandbox.calls(operation="read")[before:]]
    assert read == ["messages.list", *([] if shown else ["messages.value"] * 3)]


def test_every_page_of_sent_items_is_read_up_to_a_bound(
    outlook: MicrosoftMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "PAGE", 2)
    outlook.sandbox.switch("microsoft", headers_of_sent=True)
    marks = [new_mark() for _ in range(7)]
    for mark in marks:
        outlook.send_unprepared(mark)
    assert set(outlook.look(*marks).found) == set(marks)
    with monkeypatch.context() as few:
        few.setattr(sent, "MOST_PAGES", 2)
        look = outlook.look(*marks)
        assert set(look.found) == set(marks[3:])  # the newest
        assert "than one look can read" in look.words
    outlook.sandbox.switch("microsoft", headers_of_sent=False)
    with monkeypatch.context() as few:
        few.setattr(sent, "MOST_READ", 3)
        look = outlook.look(*marks)
        assert set(look.found) == set(marks[4:])
        assert "than one look can read" in look.words


def test_what_was_sent_before_is_not_asked_for(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    outlook.send_unprepared(mark)
    outlook.sandbox.advance(600)
    assert dict(outlook.look(mark, since=outlook.now() - timedelta(seconds=300)).found) == {}


def test_a_mail_above_what_a_request_carries_is_refused_before_it_is_made(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    letter = outlook.letter(mark) + b"\r\n" + (b"x" * 76 + b"\r\n") * 42_000
    with pytest.raises(ProviderError) as caught:
        outlook.adapter.prepare(Message(mark, letter), outlook.access(), earlier=None)
    assert caught.value.cause == "message_too_large"
    result = outlook.adapter.send(Message(mark, letter), outlook.access(), fence=lambda: None)
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "message_too_large")
    assert outlook.folder("drafts") == []
    whole = outlook.adapter.limits.message_bytes
    fits = letter[:whole]
    assert outlook.adapter.prepare(Message(mark, fits), outlook.access(), earlier=None)
