"""Looking for a delivery in a mailbox's own Sent: what is there is found; absence is said only when it is proved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.contract.mailboxes import Mailbox, new_mark

from truesend.providers.contract import Capability
from truesend.providers.errors import ProviderError

LATE = 90.0


def test_what_was_sent_is_found_with_its_real_ids(mailbox: Mailbox) -> None:
    before, mark, other = mailbox.position(), new_mark(), new_mark()
    mailbox.send(other)
    result = mailbox.send(mark)
    for position in (before, ""):
        look = mailbox.look(mark, position=position)
        assert dict(look.found) == {mark: mailbox.copy(mailbox.id_of(mark, result))}
        assert look.found[mark].message_id
        assert look.found[mark].thread_id == result.thread_id
        assert bool(look.found[mark].internet_message_id) is mailbox.keeps_message_ids
        assert (look.complete, look.words) == (True, "")


def test_what_was_not_sent_is_absent_beyond_doubt(mailbox: Mailbox) -> None:
    before, sent, absent = mailbox.position(), new_mark(), new_mark()
    mailbox.send(sent)
    mailbox.leave_unsent(absent)
    for position in (before, ""):
        look = mailbox.look(sent, absent, position=position)
        assert set(look.found) == {sent}
        assert look.complete is mailbox.adapter.proves_absence
        assert look.complete is (look.words == "")
        assert mailbox.reads_all or look.absent == ({absent} if look.complete else set())
    empty = mailbox.look(absent, position=mailbox.position())
    assert (dict(empty.found), empty.complete) == ({}, mailbox.adapter.proves_absence)


def test_nothing_asked_is_nothing_read(mailbox: Mailbox) -> None:
    calls = len(mailbox.sandbox.calls(operation="read"))
    look = mailbox.look()
    assert (dict(look.found), look.complete) == ({}, True)
    assert len(mailbox.sandbox.calls(operation="read")) == calls


def test_a_history_that_is_told_no_more_leaves_the_listing(mailbox: Mailbox) -> None:
    before, sent, absent = mailbox.position(), new_mark(), new_mark()
    mailbox.send(sent)
    mailbox.forget_history(by_then=True)
    mailbox.sandbox.advance(5)
    look = mailbox.look(sent, absent, position=before)
    assert set(look.found) == {sent}
    # Without a word of its own Sent proves absence only where all of it can be read.
    assert (look.complete, absent in look.absent) == (mailbox.reads_all, False)
    assert look.complete or look.words


def test_a_position_that_nobody_gave_out_leaves_the_listing(mailbox: Mailbox) -> None:
    mark = new_mark()
    mailbox.send(mark)
    for position in ("17", "9" * 18, "none"):
        assert set(mailbox.look(mark, position=position).found) == {mark}


def test_while_sent_shows_late_absence_is_not_said_or_ends_with_it(mailbox: Mailbox) -> None:
    before, mark = mailbox.position(), new_mark()
    mailbox.show_late(LATE)
    mailbox.send(mark)
    early = mailbox.look(mark, position=before)
    assert dict(early.found) == {}
    assert not early.complete
    assert early.words
    assert dict(mailbox.look(mark).found) == {}  # the listing alone cannot know: the quiet time is for this
    mailbox.sandbox.advance(LATE + 1)
    for position in (before, ""):
        assert set(mailbox.look(mark, position=position).found) == {mark}


def test_a_message_deleted_for_good_may_have_been_ours(mailbox: Mailbox) -> None:
    before, mark = mailbox.position(), new_mark()
    mailbox.delete(mailbox.id_of(mark, mailbox.send(mark)))
    look = mailbox.look(mark, position=before)
    assert dict(look.found) == {}
    assert not look.complete
    assert mailbox.gone in look.words


def test_an_old_message_deleted_meanwhile_says_nothing(mailbox: Mailbox) -> None:
    mark = new_mark()
    old = mailbox.id_of(mark, mailbox.send(mark))
    mailbox.sandbox.advance(1800)
    before, since, absent = mailbox.position(), mailbox.now(), new_mark()
    mailbox.delete(old)
    mailbox.leave_unsent(absent)
    look = mailbox.look(absent, position=before, since=since)
    assert look.complete is mailbox.adapter.proves_absence
    assert look.complete is (look.words == "")


def test_what_was_thrown_away_is_still_found(mailbox: Mailbox) -> None:
    if not mailbox.has_bin:
        pytest.skip(f"{mailbox.adapter.name} has no bin")
    before, mark = mailbox.position(), new_mark()
    mailbox.throw_away(mailbox.send(mark).message_id)
    for position in (before, ""):
        assert set(mailbox.look(mark, position=position).found) == {mark}


def test_what_was_sent_long_before_is_not_read(mailbox: Mailbox) -> None:
    for _ in range(4):
        mailbox.send(new_mark())
    mailbox.sandbox.advance(1800)
    since = mailbox.now()
    mark = new_mark()
    mailbox.send(mark)
    read = len(mailbox.sandbox.calls(operation="read"))
    mailbox.references.clear()
    look = mailbox.look(mark, new_mark(), since=since)
    assert set(look.found) == {mark}
    assert look.complete is mailbox.reads_all
    # The listing, the new message, and the first old one where the listing cannot be asked to end before it.
    assert len(mailbox.sandbox.calls(operation="read")) - read <= 3


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"kind": "outage"}, "provider_error"),
        ({"kind": "garbage"}, "provider_garbage"),
        ({"kind": "garbage", "body": "{}", "content_type": "application/json"}, "provider_garbage"),
        ({"kind": "garbage", "status": 502}, "provider_error"),
        ({"kind": "status", "status": 404, "body": "<h1>No such page</h1>"}, "provider_garbage"),
        ({"kind": "drop_before"}, "provider_cut_off"),
        ({"kind": "lost_answer"}, "provider_cut_off"),
        ({"kind": "never"}, "provider_timeout"),
        ({"kind": "throttle"}, "throttled"),
        ({"kind": "expire_access"}, "access_refused"),
    ],
    ids=lambda value: "-".join(str(one) for one in value.values()) if isinstance(value, dict) else value,
)
@pytest.mark.parametrize("skipped", [0, 1, 2])
def test_a_reading_that_fails_says_why_wherever_it_happens(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object], cause: str, skipped: int
) -> None:
    monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "1")
    before, marks = mailbox.position(), [new_mark(), new_mark()]
    mailbox.send(marks[0])
    mailbox.send_unprepared(marks[1])
    operations = [call["operation"] for call in _calls_of_a_look(mailbox, marks, before)]
    mailbox.sandbox.fault(operations[skipped], provider=mailbox.key, **fault)  # type: ignore[arg-type]
    with pytest.raises(ProviderError) as caught:
        mailbox.look(*marks, position=before)
    assert caught.value.cause == cause
    assert caught.value.words


def _calls_of_a_look(mailbox: Mailbox, marks: list[str], position: str) -> list[dict[str, object]]:
    seen = len(mailbox.sandbox.calls(operation="read"))
    assert set(mailbox.look(*marks, position=position).found) == set(marks)
    return mailbox.sandbox.calls(operation="read")[seen:]


def test_without_the_permission_to_read(mailbox: Mailbox) -> None:
    if not mailbox.grants_singly:
        pytest.skip(f"{mailbox.adapter.name} gives everything or nothing")
    access = mailbox.access(Capability.SEND)
    calls: list[Callable[[], object]] = [
        lambda: mailbox.adapter.traces(access, [new_mark()], since=mailbox.began, position=""),
        lambda: mailbox.adapter.traces(access, [new_mark()], since=mailbox.began, position="1000001"),
    ]
    if mailbox.keeps_positions:
        calls.append(lambda: mailbox.adapter.position(access))
    for call in calls:
        with pytest.raises(ProviderError) as caught:
            call()
        assert caught.value.cause == "scope_missing"


def test_a_throttled_look_says_until_when(mailbox: Mailbox) -> None:
    mailbox.tell_when()
    mailbox.sandbox.fault("read", "throttle", provider=mailbox.key, retry_after=300)
    with pytest.raises(ProviderError) as caught:
        mailbox.look(new_mark())
    assert caught.value.retry_at is not None
    assert timedelta(seconds=290) < caught.value.retry_at - mailbox.now() < timedelta(seconds=310)
