"""What only Gmail has: two ways a draft is sent, pages of history and listing, a quota that bounds a look."""

from __future__ import annotations

import pytest
from tests.contract.mailboxes import GoogleMailbox, new_mark
from tests.sandbox.google_client import raw
from tests.sandbox_process import Sandbox

from truesend.providers.contract import Message
from truesend.providers.google import gmail, sent


@pytest.fixture
def gmailbox(sandbox: Sandbox) -> GoogleMailbox:
    return GoogleMailbox(sandbox)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gmail, "HISTORY_PAGE", 3)
    monkeypatch.setattr(gmail, "LISTING_PAGE", 3)


def operations(gmailbox: GoogleMailbox, before: int) -> list[str]:
    return [call["operation"] for call in gmailbox.sandbox.calls(operation="read")[before:]]


@pytest.mark.parametrize("way", ["new_message", "same_message"])
def test_what_went_by_way_of_a_draft(gmailbox: GoogleMailbox, way: str) -> None:
    gmailbox.sandbox.switch(draft_send=way)
    before, mark = gmailbox.position(), new_mark()
    message_id = gmailbox.send_draft(mark)
    for position in (before, ""):
        look = gmailbox.look(mark, new_mark(), position=position)
        assert look.found[mark].message_id == message_id
        assert (look.complete, look.words) == (True, "")


def test_a_draft_that_was_not_sent_is_no_trace(gmailbox: GoogleMailbox) -> None:
    before, mark = gmailbox.position(), new_mark()
    body = {"message": {"raw": raw(gmailbox.letter(mark))}}
    tokens = gmailbox.tokens("https://www.googleapis.com/auth/gmail.compose")
    made = gmailbox.client.gmail("POST", "drafts", tokens, json=body).json()
    # Written again and again in Gmail, where each version deletes the one before it.
    for _ in range(3):
        assert gmailbox.client.gmail("PUT", f"drafts/{made['id']}", tokens, json=body).ok
    for position in (before, ""):
        look = gmailbox.look(mark, position=position)
        assert (dict(look.found), look.complete, look.words) == ({}, True, "")


def test_a_mail_to_oneself_is_found_once(gmailbox: GoogleMailbox) -> None:
    before, mark = gmailbox.position(), new_mark()
    letter = gmailbox.letter(mark).replace(b"bob@example.com", gmailbox.address.encode())
    result = gmailbox.hand_over(Message(mark, letter))
    assert gmailbox.look(mark, position=before).found[mark].message_id == result.message_id


@pytest.mark.usefixtures("small_pages")
def test_every_page_is_read(gmailbox: GoogleMailbox) -> None:
    before = gmailbox.position()
    marks = [new_mark() for _ in range(8)]
    for mark in marks:
        gmailbox.send(mark)
    for position, first in ((before, marks[-1]), ("", marks[0])):
        look = gmailbox.look(*marks, position=position)
        assert set(look.found) == set(marks)
        seen = len(gmailbox.sandbox.calls(operation="read"))
        look = gmailbox.look(*marks, new_mark(), position=position)
        assert (set(look.found), look.complete) == (set(marks), True)
        made = operations(gmailbox, seen)
        assert made.count("messages.get") == 8  # each once, whatever showed it
        assert made.count("history.list") == (4 if position else 0)  # three pages, and what was deleted
        assert made.count("messages.list") == (1 if position else 3)
        assert gmailbox.look(first, position=position).found


@pytest.mark.usefixtures("small_pages")
def test_a_look_ends_when_all_are_found(gmailbox: GoogleMailbox) -> None:
    before = gmailbox.position()
    marks = [new_mark() for _ in range(8)]
    for mark in marks:
        gmailbox.send(mark)
    seen = len(gmailbox.sandbox.calls(operation="read"))
    assert set(gmailbox.look(marks[0], position=before).found) == {marks[0]}
    assert operations(gmailbox, seen) == ["profile", "history.list", "messages.get"]


@pytest.mark.usefixtures("small_pages")
def test_more_than_one_look_can_read_is_not_complete(
    gmailbox: GoogleMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, mark = gmailbox.position(), new_mark()
    gmailbox.send(mark)
    for _ in range(7):
        gmailbox.send(new_mark())
    with monkeypatch.context() as few_messages:
        few_messages.setattr(sent, "MOST_MESSAGES", 5)
        # The history begins with the oldest, the listing with the newest.
        for position, found in ((before, {mark}), ("", set())):
            look = gmailbox.look(mark, new_mark(), position=position)
            assert set(look.found) == found
            assert not look.complete
            assert "than one look can read" in look.words
    with monkeypatch.context() as few_pages:
        few_pages.setattr(sent, "MOST_PAGES", 2)
        for position in (before, ""):
            look = gmailbox.look(new_mark(), position=position)
            assert not look.complete
            assert "than one look can read" in look.words


@pytest.mark.usefixtures("small_pages")
def test_what_is_known_is_not_read_so_that_one_missing_among_many_is_found_absent(
    gmailbox: GoogleMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent, "MOST_MESSAGES", 5)
    before, mark = gmailbox.position(), new_mark()
    gmailbox.send(mark)
    known = [gmailbox.send(new_mark()).message_id for _ in range(7)]
    for position in (before, ""):
        seen = len(gmailbox.sandbox.calls(operation="read"))
        look = gmailbox.look(mark, new_mark(), position=position, known=known)
        assert (set(look.found), look.complete) == ({mark}, True), look.words
        assert operations(gmailbox, seen).count("messages.get") == 1
        assert not gmailbox.look(new_mark(), position=position, known=known[:2]).complete
    gmailbox.delete(known[0])
    assert gmailbox.look(mark, new_mark(), position=before, known=known).complete
    assert not gmailbox.look(mark, new_mark(), position=before).complete


@pytest.mark.usefixtures("small_pages")
def test_the_listing_is_a_second_witness_where_the_history_is_late(gmailbox: GoogleMailbox) -> None:
    before, mark = gmailbox.position(), new_mark()
    gmailbox.sandbox.switch(history_delay=60.0)
    gmailbox.send(mark)
    assert set(gmailbox.look(mark, position=before).found) == {mark}
    look = gmailbox.look(new_mark(), position=before)
    assert not look.complete
    assert "history" in look.words


def test_a_late_listing_does_not_shake_a_history_that_is_whole(gmailbox: GoogleMailbox) -> None:
    before, mark = gmailbox.position(), new_mark()
    gmailbox.sandbox.switch(sent_listing_delay=60.0)
    gmailbox.send(mark)
    assert set(gmailbox.look(mark, position=before).found) == {mark}
    assert gmailbox.look(new_mark(), position=before).complete


def test_a_message_that_vanishes_between_list_and_reading(gmailbox: GoogleMailbox) -> None:
    mark = new_mark()
    gmailbox.send(mark)
    body = '{"error": {"code": 404, "message": "Requested entity was not found.", "errors": [{"reason": "notFound"}]}}'
    gmailbox.sandbox.fault(
        "messages.get", "status", status=404, body=body, content_type="application/json", times=1
    )
    look = gmailbox.look(mark)
    assert (dict(look.found), look.complete) == ({}, False)
    assert "deleted" in look.words


def test_the_search_index_is_never_asked(gmailbox: GoogleMailbox) -> None:
    gmailbox.sandbox.switch(search_index_delay=1_000_000.0)
    before, mark = gmailbox.position(), new_mark()
    gmailbox.send(mark)
    for position in (before, ""):
        assert set(gmailbox.look(mark, position=position).found) == {mark}
