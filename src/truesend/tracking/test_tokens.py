"""Tokens: what was signed is read back, and nothing else is."""

from __future__ import annotations

import hashlib
import hmac
import string
from uuid import UUID

import pytest
from hypothesis import example, given
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


@given(st.binary(max_size=200), st.binary(max_size=100), st.binary(max_size=300))
@example(b"k" * 64, b"", b"")
@example(b"k" * 65, b"d", b"m")
def test_the_mac_is_hmac_sha256_for_keys_of_any_length(secret: bytes, domain: bytes, message: bytes) -> None:
    begun = tokens._begun(secret, domain)
    expected = hmac.new(secret, domain + message, hashlib.sha256).digest()
    assert tokens._finished(*begun, message) == expected
    assert tokens._finished(*begun, message) == expected, "what was begun is used again"


@pytest.mark.parametrize(
    ("secret", "message", "expected"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            bytes(range(1, 26)),
            b"\xcd" * 50,
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            b"\xaa" * 131,
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ],
)
def test_the_vectors_of_rfc_4231(secret: bytes, message: bytes, expected: str) -> None:
    for cut in (0, 5):
        begun = tokens._begun(secret, message[:cut])
        assert tokens._finished(*begun, message[cut:]).hex() == expected
