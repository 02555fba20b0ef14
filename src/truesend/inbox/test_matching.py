"""To which delivery a mail belongs, and what is said of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from truesend.inbox.matching import Copy, Failed, Home, Letter, Match, Person, Said, keys, match, plain

SENT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
INES = Person("ines@globex.example", "Ines Moreau")
TOM = Person("tom@globex.example", "Tom Okafor")
LEA = Person("lea@initech.example")
HOME = Home(
    frozenset({"ana@northwind.example"}), frozenset({"ana@northwind.example", "ben@northwind.example"})
)


def copy(*people: Person, **more: Any) -> Copy:
    fields: dict[str, Any] = {
        "id": UUID(int=1),
        "address": "ana@northwind.example",
        "message_id": "one@mail.example",
        "thread_id": "t1",
        "sent_at": SENT,
        "subject": "Proposal",
        "recipients": people or (INES,),
    }
    return Copy(**fields | more)


def letter(**more: Any) -> Letter:
    fields: dict[str, Any] = {
        "kind": "other",
        "at": SENT + timedelta(hours=1),
        "sender": INES.address,
        "sender_name": INES.name,
        "subject": "Re: Proposal",
        "message_id": "answer@globex.example",
        "thread_id": "t9",
        "in_reply_to": ("one@mail.example",),
    }
    return Letter(**fields | more)


def said(found: Match | None) -> Said:
    assert found is not None
    assert len(found.said) == 1
    return found.said[0]


def test_a_reply_by_its_headers() -> None:
    told = said(match(letter(), HOME, [copy()]))
    assert (told.kind, told.recipient, told.rule, told.confidence) == ("reply", INES.address, "reply", 1.0)
    assert told.person
    assert told.reason == "A mail from ines@globex.example answers this one."


def test_the_nearest_of_several_is_answered() -> None:
    second = copy(id=UUID(int=2), message_id="two@mail.example", sent_at=SENT + timedelta(minutes=5))
    by_references = letter(in_reply_to=(), references=("one@mail.example", "two@mail.example"))
    for one in (by_references, letter(in_reply_to=("two@mail.example",), references=("one@mail.example",))):
        found = match(one, HOME, [copy(), second])
        assert found is not None
        assert found.copy.id == second.id


def test_missing_references_leave_the_thread() -> None:
    told = said(match(letter(in_reply_to=(), thread_id="t1"), HOME, [copy()]))
    assert (told.rule, told.confidence, told.recipient) == ("reply_thread", 0.9, INES.address)
    assert "names no mail" in told.reason


def test_what_was_there_before_answers_nothing() -> None:
    earlier = letter(in_reply_to=(), thread_id="t1", at=SENT - timedelta(hours=1))
    assert match(earlier, HOME, [copy()]) is None


def test_in_one_thread_the_newest_that_went_to_the_writer() -> None:
    to_ines = copy(id=UUID(int=1))
    to_tom = copy(TOM, id=UUID(int=2), sent_at=SENT + timedelta(minutes=30))
    found = match(letter(in_reply_to=(), thread_id="t1"), HOME, [to_ines, to_tom])
    assert found is not None
    assert found.copy.id == to_ines.id


@pytest.mark.parametrize(
    "own",
    [
        {"own": True},
        {"sender": "ana@northwind.example"},
        {"mark": str(uuid4()), "sender": "someone@else.example"},
    ],
    ids=["label", "address", "mark"],
)
def test_an_own_follow_up_is_no_reply(own: dict[str, Any]) -> None:
    assert match(letter(**own), HOME, [copy()]) is None


def test_a_colleagues_mailbox_in_the_thread_is_no_reply() -> None:
    shared = copy(INES, Person("ben@northwind.example"))
    assert match(letter(sender="ben@northwind.example"), HOME, [shared]) is None
    assert said(match(letter(), HOME, [shared])).recipient == INES.address


def test_written_to_a_colleague_alone_a_colleagues_answer_is_one() -> None:
    told = said(
        match(letter(sender="ben@northwind.example"), HOME, [copy(Person("ben@northwind.example", "Ben"))])
    )
    assert (told.kind, told.recipient) == ("reply", "ben@northwind.example")


def test_another_address_of_the_same_person() -> None:
    told = said(
        match(letter(sender="ines@home.example", sender_name="Moreau, Ines"), HOME, [copy(INES, TOM)])
    )
    assert (told.recipient, told.rule) == (INES.address, "reply_other_address")
    assert told.reason == "An answer from another address of Ines Moreau: ines@home.example."


def test_another_person_of_the_thread() -> None:
    stranger = letter(sender="kim@globex.example", sender_name="Kim Berg")
    assert said(match(stranger, HOME, [copy(INES, TOM)])).recipient is None
    told = said(match(stranger, HOME, [copy()]))
    assert (told.recipient, told.rule, told.confidence) == (INES.address, "reply_other_person", 0.9)
    assert "from another address, kim@globex.example" in told.reason


def test_a_forward_and_another_subject_are_said() -> None:
    assert "forwards the conversation" in said(match(letter(subject="WG: Proposal"), HOME, [copy()])).reason
    assert "subject was changed" in said(match(letter(subject="Lunch?"), HOME, [copy()])).reason
    for same in (
        "Re: Proposal",
        "AW: Re: proposal",
        "SV:  Proposal",
        "Proposal",
        "Antw.: Proposal",
        "Re[2]: Proposal",
    ):
        assert "subject" not in said(match(letter(subject=same), HOME, [copy()])).reason, same


def test_a_shared_thread_names_who_answered_and_a_separate_copy_whose_it_is() -> None:
    shared = copy(INES, TOM, LEA)
    assert said(match(letter(sender=TOM.address, sender_name=""), HOME, [shared])).recipient == TOM.address
    apart = [copy(INES), copy(TOM, id=UUID(int=2), message_id="two@mail.example", thread_id="t2")]
    found = match(letter(sender=TOM.address, in_reply_to=("two@mail.example",)), HOME, apart)
    assert found is not None
    assert (found.copy.id, found.said[0].recipient) == (UUID(int=2), TOM.address)


def test_an_automatic_answer_says_who_is_back_when() -> None:
    told = said(match(letter(kind="auto_reply", returns=date(2026, 12, 7)), HOME, [copy()]))
    assert (told.kind, told.person) == ("auto_reply", False)
    assert told.reason == "An automatic answer from ines@globex.example. Back on 7 December 2026."


def test_a_receipt_answers_nothing() -> None:
    assert match(letter(is_receipt=True), HOME, [copy()]) is None


def report(*failed: Failed, **more: Any) -> Letter:
    fields = {"kind": "bounce", "sender": "mailer-daemon@x.example", "failed": failed, "in_reply_to": ()}
    return letter(**fields | more)


def test_a_bounce_names_one_of_several() -> None:
    one = Failed(TOM.address, hard=True, sentence="No such address.")
    told = said(match(report(one, in_reply_to=("one@mail.example",)), HOME, [copy(INES, TOM, LEA)]))
    assert (told.kind, told.recipient, told.suppress, told.rule) == (
        "bounce",
        TOM.address,
        "hard_bounce",
        "bounce_hard",
    )
    assert told.reason == "No such address."


@pytest.mark.parametrize(
    "by",
    [
        {"returned_marks": (str(UUID(int=1)),)},
        {"returned_ids": ("one@mail.example",)},
        {"references": ("one@mail.example",)},
        {"thread_id": "t1"},
    ],
    ids=["mark", "returned id", "references", "thread"],
)
def test_a_bounce_is_found_by_whatever_it_brings(by: dict[str, Any]) -> None:
    told = said(match(report(Failed("INES@globex.example", hard=True), **by), HOME, [copy()]))
    assert (told.recipient, told.suppress) == (INES.address, "hard_bounce")


def test_a_bounce_of_another_mail_says_nothing() -> None:
    assert match(report(Failed(INES.address, hard=True), returned_ids=("other@x",)), HOME, [copy()]) is None
    # In the thread, but of somebody whom it was not sent to: a later mail of the mailbox's own.
    assert match(report(Failed(LEA.address, hard=True), thread_id="t1"), HOME, [copy()]) is None


def test_what_a_mailbox_passed_on_says_nothing_hard_of_it() -> None:
    one = Failed("ines@old.example", hard=True, sentence="No such address.")
    told = said(match(report(one, returned_ids=("one@mail.example",)), HOME, [copy()]))
    assert (told.recipient, told.suppress) == (INES.address, "")
    assert "passed on to ines@old.example" in told.reason


def test_a_report_that_names_nobody() -> None:
    unnamed = report(returned_ids=("one@mail.example",))
    assert said(match(unnamed, HOME, [copy()])).recipient == INES.address
    told = said(match(unnamed, HOME, [copy(INES, TOM)]))
    assert (told.recipient, told.suppress) == (None, "")


def test_several_failed_at_once() -> None:
    both = report(Failed(INES.address, hard=True), Failed(TOM.address), returned_ids=("one@mail.example",))
    found = match(both, HOME, [copy(INES, TOM, LEA)])
    assert found is not None
    assert [(one.recipient, one.suppress) for one in found.said] == [
        (INES.address, "hard_bounce"),
        (TOM.address, ""),
    ]


def test_a_delay_is_nothing_hard() -> None:
    told = said(match(report(Failed(INES.address, hard=True), kind="delay", thread_id="t1"), HOME, [copy()]))
    assert (told.kind, told.suppress) == ("delay", "")
    assert "still being tried" in told.reason


def test_a_limit_of_the_mailbox_blames_no_recipient() -> None:
    limit = Failed(INES.address, sentence="This account has reached its limit.")
    told = said(match(report(limit, stops="daily_limit", thread_id="t1"), HOME, [copy()]))
    assert (told.kind, told.suppress, told.rule) == ("bounce", "", "bounce_of_the_sender")


def test_keys_are_all_that_may_lead_to_a_delivery() -> None:
    found = keys(
        [letter(references=("a",), returned_ids=("b",), returned_marks=("m",)), letter(thread_id="")]
    )
    assert found == ({"one@mail.example", "a", "b"}, {"t9"}, {"m"})


@pytest.mark.parametrize("text", ["Re: Re: Proposal", "proposal ", "Fwd: Proposal"])
def test_subjects_are_compared_without_their_prefixes(text: str) -> None:
    assert plain(text) == "proposal"
