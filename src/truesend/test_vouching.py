"""A part shows whose it is, and nothing else."""

from __future__ import annotations

import pytest

from truesend import vouching

NONCE = "0123456789abcdef" * 2


def test_only_the_same_key_makes_the_same_answer() -> None:
    made = vouching.vouch(b"key", NONCE)
    assert vouching.is_vouched(b"key", NONCE, made)
    assert not vouching.is_vouched(b"another", NONCE, made)
    assert not vouching.is_vouched(b"key", NONCE[::-1], made)


@pytest.mark.parametrize("nonce", ["", "x" * 32, NONCE + "0", NONCE[:-1], NONCE.upper(), NONCE + "\n"])
def test_what_is_no_nonce_gets_no_answer(nonce: str) -> None:
    assert vouching.vouch(b"key", nonce) is None
    assert not vouching.is_vouched(b"key", nonce, None)


@pytest.mark.parametrize("answer", [None, "", 5, [], {}, "00" * 32])
def test_what_is_no_answer_vouches_for_nobody(answer: object) -> None:
    assert not vouching.is_vouched(b"key", NONCE, answer)
