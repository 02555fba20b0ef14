"""Records: what was packed is unpacked, and damage costs nothing behind it."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking import records

DELIVERY = UUID("0192f0c1-5d5e-7c3b-9a4e-0123456789ab")


def packed(number: int, fields: list[tuple[int, bytes]] | None = None) -> bytes:
    return records.pack(
        kind=1,
        method=0,
        at=1_800_000_000.5,
        link=number,
        delivery=DELIVERY.bytes,
        fields=b"".join(records.field(*one) for one in fields or []),
    )


def links(data: bytes, *, at_end: bool = True) -> list[int | None]:
    return [records.read(one).link for one in records.unpack_all(data, at_end=at_end)[0]]


def test_a_record_says_what_was_seen() -> None:
    fields = [(records.IP, b"203.0.113.7"), (records.USER_AGENT, b"a\xff\x00b"), (4, b"https://x")]
    for order in (fields, fields[::-1]):
        raw = records.pack(
            kind=0,
            method=1,
            at=1_800_000_000.5,
            link=None,
            delivery=DELIVERY.bytes,
            fields=b"".join(records.field(*one) for one in order),
        )
        ((payload,), used, skipped) = records.unpack_all(raw, at_end=True)
        assert (used, skipped) == (len(raw), 0)
        assert records.split(payload)[0] == b"203.0.113.7"
        record = records.read(payload)
        assert (record.kind, record.method, record.link, record.ip) == ("open", "HEAD", None, "203.0.113.7")
        assert record.at.timestamp() == 1_800_000_000.5
        assert record.user_agent == "a\N{REPLACEMENT CHARACTER}b"
        assert record.headers == {"referer": "https://x"}


@given(st.integers(0, 400))
def test_a_torn_tail_is_left_and_everything_before_it_is_read(cut: int) -> None:
    whole = packed(1) + packed(2)
    torn = (whole + packed(3, [(1, b"x" * 300)]))[: len(whole) + cut]
    (found, used, skipped) = records.unpack_all(torn, at_end=False)
    complete = 3 if cut >= len(packed(3, [(1, b"x" * 300)])) else 2
    assert [records.read(one).link for one in found] == [1, 2, 3][:complete]
    assert skipped == 0
    assert used >= len(whole)


@given(st.data())
def test_damage_in_the_middle_hides_only_what_was_damaged(data: st.DataObject) -> None:
    whole = [packed(number) for number in range(5)]
    raw = bytearray(b"".join(whole))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    damaged = position // len(whole[0])
    assert links(bytes(raw)) == [number for number in range(5) if number != damaged]


@given(st.binary(max_size=200))
def test_garbage_between_records_is_skipped(garbage: bytes) -> None:
    assert links(packed(1) + garbage + packed(2)) == [1, 2]


def test_a_chunk_of_damage_without_any_record_is_passed() -> None:
    (found, used, _) = records.unpack_all(b"\1" * 1024 * 1024, at_end=False)
    assert found == []
    assert used > 900_000


@pytest.mark.parametrize("growing", [False, True])
def test_zeros_ahead_of_records_are_no_damage(growing: bool) -> None:
    raw = packed(1) + packed(2)
    found = records.unpack_all(raw + bytes(100_000), at_end=False, growing=growing)
    assert (len(found[0]), *found[1:]) == (2, len(raw), 0)


def test_a_write_whose_end_is_seen_first_is_waited_for() -> None:
    """Pages become visible one by one: what is still zero will not stay so while the writer lives."""
    first = packed(1)
    raw = first + bytes(len(packed(2))) + packed(3)
    (found, used, skipped) = records.unpack_all(raw, at_end=True, growing=True)
    assert (len(found), used, skipped) == (1, len(first), 0)
    assert links(raw) == [1, 3]
