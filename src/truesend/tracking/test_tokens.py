"""Tokens: what was signed is read back, and nothing else is."""

from __future__ import annotations

import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truesend.tracking import tokens

KEYS = [("2026b", b"b" * 32), ("2026a", b"a" * 32)]
OLD = [("2026a", b"a" * 32)]
DELIVERY = UUID("0192f0c1-5d5e-7c3b-9a4e-0123456789ab")
ALPHABET = string.ascii_letters + string.digits + "-_"

targets = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300).map(
    lambda tail: "https://" + tail
)


@given(st.uuids(), st.integers(0, tokens.MAX_LINK), targets)
def test_a_click_token_says_what_was_signed(delivery: UUID, link: int, target: str) -> None:
    token = tokens.sign_click(KEYS, delivery, link, target)
    assert set(token) <= set(ALPHABET)
    assert tokens.read(KEYS, token) == tokens.ClickToken(delivery, link, target)


@given(st.uuids())
def test_an_open_token_says_what_was_signed(delivery: UUID) -> None:
    assert tokens.read(KEYS, tokens.sign_open(KEYS, delivery)) == tokens.OpenToken(delivery)


@given(st.data())
def test_changing_any_character_makes_it_invalid(data: st.DataObject) -> None:
    token = tokens.sign_click(KEYS, DELIVERY, 3, "https://example.com/a?b=c#d")
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([c for c in ALPHABET + "=+/ é\x00" if c != token[position]]))
    with pytest.raises(tokens.TokenError):
        tokens.read(KEYS, token[:position] + other + token[position + 1 :])


@given(st.data())
def test_cutting_or_lengthening_makes_it_invalid(data: st.DataObject) -> None:
    token = tokens.sign_open(KEYS, DELIVERY)
    changed = data.draw(
        st.one_of(
            st.integers(0, len(token) - 1).map(lambda n: token[:n]),
            st.text(ALPHABET + "=", min_size=1, max_size=8).map(lambda tail: token + tail),
        )
    )
    with pytest.raises(tokens.TokenError):
        tokens.read(KEYS, changed)


@given(st.text(max_size=400))
def test_garbage_is_a_token_error(garbage: str) -> None:
    with pytest.raises(tokens.TokenError):
        tokens.read(KEYS, garbage)


def test_an_older_key_still_verifies_and_a_removed_one_is_named_as_such() -> None:
    token = tokens.sign_open(OLD, DELIVERY)
    assert tokens.read(KEYS, token) == tokens.OpenToken(DELIVERY)
    with pytest.raises(tokens.UnknownKeyError):
        tokens.read([("2026c", b"c" * 32)], token)


def test_the_same_key_id_with_another_secret_is_a_forgery() -> None:
    with pytest.raises(tokens.TokenError, match="signature"):
        tokens.read([("2026a", b"x" * 32)], tokens.sign_open(OLD, DELIVERY))


def test_long_targets_work() -> None:
    target = "https://example.com/?" + "x" * 47_000
    token = tokens.sign_click(KEYS, DELIVERY, 0, target)
    read = tokens.read(KEYS, token)
    assert isinstance(read, tokens.ClickToken)
    assert read.target == target


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "", "//example.com", "https://a\r\nX: y", "https://a/\x00", "https://\ud800"],
)
def test_only_clean_web_addresses_are_signed(target: str) -> None:
    with pytest.raises(ValueError, match="http"):
        tokens.sign_click(KEYS, DELIVERY, 0, target)
