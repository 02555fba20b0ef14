"""Large files come to a draft by calls of their own: whole, in order, resumed where an answer is lost, never half."""

from __future__ import annotations

import email
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from email.policy import default as modern
from random import Random
from typing import Any

import pytest
from tests.contract.mailboxes import MicrosoftMailbox, new_mark
from tests.sandbox_process import Sandbox

from truesend.providers.contract import Enclosure, Message, ProviderError
from truesend.providers.errors import Outcome
from truesend.providers.microsoft import uploads

MB = 1024 * 1024


@pytest.fixture
def outlook(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> MicrosoftMailbox:
    monkeypatch.setenv("TRUESEND_HTTP_TIMEOUT", "20")
    return MicrosoftMailbox(sandbox)


class Read:
    """A file that nobody holds: made a stretch at a time, noting from where it was asked for."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size
        self.content = Random(name).randbytes(size)
        self.asked: list[int] = []

    def enclosure(self) -> Enclosure:
        return Enclosure(self.name, "application/pdf", length=self.size, source=self._from)

    def _from(self, start: int) -> Iterator[bytes]:
        self.asked.append(start)
        for at in range(start, self.size, 100_000):
            yield self.content[at : at + 100_000]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def letter(outlook: MicrosoftMailbox, mark: str, *files: Read) -> Message:
    return replace(outlook.message(mark), apart=tuple(one.enclosure() for one in files))


def arrived(outlook: MicrosoftMailbox, mark: str) -> list[tuple[str | None, str]]:
    (message,) = outlook.sandbox.messages(delivery=mark)
    assert message["count"] == 1
    parsed: Any = email.message_from_string(message["raw"], policy=modern)
    return [
        (part.get_filename(), hashlib.sha256(part.get_content()).hexdigest())
        for part in parsed.iter_attachments()
    ]


def operations(outlook: MicrosoftMailbox) -> list[str]:
    return [str(call["operation"]) for call in outlook.sandbox.calls(provider="microsoft")]


def test_files_of_every_size_arrive_whole_and_in_order(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    sizes = (5 * MB + 17, 1, uploads.IN_ONE_CALL, uploads.IN_ONE_CALL + 1, 3 * MB, 2 * uploads.CHUNK_BYTES)
    files = [Read(f"plan {number}.pdf", size) for number, size in enumerate(sizes)]
    result = outlook.hand_over(letter(outlook, mark, *files))
    assert result.outcome is Outcome.ACCEPTED, result
    assert arrived(outlook, mark) == [(one.name, one.digest) for one in files]
    made = operations(outlook)
    assert made.count("attachments.create") == 3  # one of them after a session would not have it
    assert made.count("uploads.start") == 4
    assert {0} == {
        start for one in files for start in one.asked
    }  # nothing was read twice but by its beginning


def test_what_the_session_takes_is_what_it_asks_for(outlook: MicrosoftMailbox) -> None:
    """Parts are multiples of 320 KiB below 4 MB; the sandbox refuses any other."""
    assert uploads.CHUNK_BYTES % (320 * 1024) == 0
    assert uploads.CHUNK_BYTES <= 4 * MB
    mark = new_mark()
    outlook.sandbox.switch("microsoft", session_step=500_000)
    with pytest.raises(ProviderError) as caught:
        outlook.hand_over(letter(outlook, mark, Read("a.pdf", 9 * MB)))
    assert caught.value.cause == "message_refused"
    assert outlook.folder("drafts") == []


@pytest.mark.parametrize("fault", ["lost_answer", "drop_before"])
@pytest.mark.parametrize("tells", [True, False], ids=["told", "not told"])
def test_a_lost_answer_is_resumed(outlook: MicrosoftMailbox, fault: str, tells: bool) -> None:
    mark, file = new_mark(), Read("a.pdf", 10 * MB)
    outlook.sandbox.switch("microsoft", session_tells=tells)
    message = letter(outlook, mark, file)
    outlook.sandbox.fault("uploads.part", fault, "microsoft", times=1)
    assert outlook.hand_over(message).outcome is Outcome.ACCEPTED
    assert arrived(outlook, mark) == [(file.name, file.digest)]
    # Told, it went on; else the session that nothing is known of was left alone and another one begun.
    assert operations(outlook).count("uploads.start") == (1 if tells else 2)


def test_the_last_answer_lost_is_found_at_the_draft(outlook: MicrosoftMailbox) -> None:
    mark, file = new_mark(), Read("a.pdf", uploads.CHUNK_BYTES)
    outlook.sandbox.fault("uploads.part", "lost_answer", "microsoft", times=1)
    assert outlook.hand_over(letter(outlook, mark, file)).outcome is Outcome.ACCEPTED
    assert arrived(outlook, mark) == [(file.name, file.digest)]
    assert operations(outlook).count("uploads.start") == 1


@pytest.mark.parametrize("fault", ["lost_answer", "drop_before"])
def test_a_small_file_is_attached_once(outlook: MicrosoftMailbox, fault: str) -> None:
    mark, files = new_mark(), [Read("a.pdf", 2 * MB), Read("a.pdf", 2 * MB), Read("b.pdf", 100)]
    outlook.sandbox.fault("attachments.create", fault, "microsoft", times=1)
    assert outlook.hand_over(letter(outlook, mark, *files)).outcome is Outcome.ACCEPTED
    assert arrived(outlook, mark) == [(one.name, one.digest) for one in files]


def test_a_session_that_ended_meanwhile_is_begun_anew(outlook: MicrosoftMailbox) -> None:
    mark, file = new_mark(), Read("a.pdf", 8 * MB)

    outlook.sandbox.switch("microsoft", session_seconds=30.0)

    def late(start: int) -> Iterator[bytes]:
        for at, piece in enumerate(file._from(start)):
            if at == 40 and len(file.asked) == 1:
                outlook.sandbox.advance(60)
            yield piece

    slow = Enclosure(file.name, "application/pdf", length=file.size, source=late)
    assert outlook.hand_over(replace(outlook.message(mark), apart=(slow,))).outcome is Outcome.ACCEPTED
    assert arrived(outlook, mark) == [(file.name, file.digest)]
    assert operations(outlook).count("uploads.start") == 2


@pytest.mark.parametrize("operation", ["attachments.create", "uploads.start", "uploads.part"])
def test_what_cannot_be_attached_leaves_no_draft(outlook: MicrosoftMailbox, operation: str) -> None:
    mark, files = new_mark(), (Read("a.pdf", 2 * MB), Read("b.pdf", 5 * MB))
    outlook.sandbox.fault(operation, "throttle", "microsoft", retry_after=30)
    with pytest.raises(ProviderError) as caught:
        outlook.hand_over(letter(outlook, mark, *files))
    assert (caught.value.cause, caught.value.retry_at is not None) == ("throttled", True)
    assert outlook.folder("drafts") == []
    assert outlook.sandbox.messages() == []


@pytest.mark.parametrize("operation", ["uploads.start", "uploads.part"])
def test_an_endless_fault_is_given_up(outlook: MicrosoftMailbox, operation: str) -> None:
    outlook.sandbox.fault(operation, "drop_before", "microsoft")
    with pytest.raises(ProviderError) as caught:
        outlook.hand_over(letter(outlook, new_mark(), Read("a.pdf", 5 * MB)))
    assert caught.value.cause in {"provider_cut_off", "provider_error"}
    assert outlook.folder("drafts") == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"uploadUrl": "http://elsewhere.example/x", "nextExpectedRanges": ["0-"]},
        {"uploadUrl": "ftp://x", "nextExpectedRanges": ["0-"]},
        {"uploadUrl": "https:///x y"},
        {"uploadUrl": 7},
        [],
    ],
    ids=range(6),
)
def test_no_file_goes_to_an_address_that_is_none(outlook: MicrosoftMailbox, answer: object) -> None:
    outlook.sandbox.fault("uploads.start", "status", "microsoft", status=201, body=answer)
    with pytest.raises(ProviderError) as caught:
        outlook.hand_over(letter(outlook, new_mark(), Read("a.pdf", 5 * MB)))
    assert caught.value.cause == "provider_garbage"
    assert "elsewhere" not in str(caught.value)


def test_more_than_the_mailbox_sends_is_refused_before_it_is_sent(outlook: MicrosoftMailbox) -> None:
    mark = new_mark()
    files = [Read(f"{number}.pdf", 9 * MB) for number in range(3)]
    result = outlook.hand_over(letter(outlook, mark, *files))
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "message_too_large")
    assert outlook.sandbox.messages() == []
