"""A link that unsubscribes somebody does not travel on in a quote."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import pytest

from truesend.tracking import tokens, unsubscribe_tokens
from truesend.tracking.quoted_ways_out import in_html, in_text
from truesend.tracking.unsubscribe_tokens import UnsubscribeToken

KEYS = [("k1", b"x" * 32), ("k0", b"y" * 32)]


def way_out(keys: tokens.Keys = KEYS, base: str = "https://t.example") -> str:
    token = UnsubscribeToken(uuid4(), uuid4(), "ines@globex.example", "Northwind")
    return f"{base}/t/u/{unsubscribe_tokens.sign(keys, token)}"


@pytest.mark.parametrize(
    "address",
    [
        way_out(),
        way_out(KEYS[1:], base="http://old.example/below"),
        f"https://nam02.safelinks.protection.outlook.com/?url={quote(way_out(), safe='')}&data=05",
        f"https://urldefense.com/v3/__{way_out()}__;!!abc$",
    ],
    ids=["ours", "older", "safelinks", "proofpoint"],
)
def test_the_link_goes_and_its_words_stay(address: str) -> None:
    html = (
        f"<p>Hi</p><div>Sent by us. <a href='{address}' rel=x><b>Unsubscribe</b></a>, <a href=z>z</a></div>"
    )
    assert in_html(html, KEYS) == "<p>Hi</p><div>Sent by us. <b>Unsubscribe</b>, <a href=z>z</a></div>"
    assert in_text(f"> Unsubscribe: {address}\r\n> Bye", KEYS) == "> Unsubscribe: \r\n> Bye"


@pytest.mark.parametrize(
    "address",
    [
        "https://t.example/t/u/AAAA",
        "https://other.example/unsubscribe?t/u/1",
        way_out([("k9", b"z" * 32)]),
    ],
    ids=["forged", "foreign", "unknown key"],
)
def test_whatever_is_not_ours_stays(address: str) -> None:
    html = f'<a href="{address}">Unsubscribe</a>'
    assert in_html(html, KEYS) == html
    assert in_text(address, KEYS) == address


def test_a_link_that_never_ends_takes_nothing_else_along() -> None:
    html = f'<a href="{way_out()}">out <a href="https://b.example">b</a> c</a>'
    assert in_html(html, KEYS) == 'out <a href="https://b.example">b</a> c</a>'
    assert in_html(html, []) == html
