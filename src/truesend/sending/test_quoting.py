"""What an answer quotes: the words, and nothing of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from truesend.sending.quoting import own_words, quoted, subject_of
from truesend.tracking import tokens, unsubscribe_tokens

AT = datetime(2026, 11, 3, 9, 5, tzinfo=UTC)
KEYS = [("k1", b"x" * 32)]


def quote(html: str = "", text: str = "") -> str:
    return quoted(html, text, who="Ana <ana@northwind.example>", at=AT, keys=KEYS)


def test_it_is_introduced_and_stands_in_a_quote() -> None:
    assert quote("<p>Hello</p>") == (
        "<p>On 3 Nov 2026 at 09:05 UTC, Ana &lt;ana@northwind.example&gt; wrote:</p>"
        "<blockquote><p>Hello</p></blockquote>"
    )


def test_of_a_whole_document_the_body_alone() -> None:
    whole = (
        '<!doctype html><html><head><style>p{color:red}</style></head><body class="x"><p>Hi</p></body></html>'
    )
    assert "<blockquote><p>Hi</p></blockquote>" in quote(whole)
    unclosed = "<html><head><title>x</title></head><body><p>Hi</p>"
    assert "<blockquote><p>Hi</p></blockquote>" in quote(unclosed)


def test_our_marks_are_taken_out() -> None:
    base, delivery = "https://t.example", uuid4()
    click = f"{base}/t/c/{tokens.sign_click(KEYS, delivery, 0, 'https://example.com/a?b=1&c=2')}"
    pixel = f"{base}/t/o/{tokens.sign_open(KEYS, delivery)}.gif"
    mark = f"<!-- truesend:delivery={delivery} -->"
    found = quote(f'<p><a href="{click}">prices</a><img src="{pixel}" width="1"></p>{mark}')
    assert '<a href="https://example.com/a?b=1&amp;c=2">prices</a>' in found
    assert "t.example" not in found
    assert "truesend:" not in found


def test_the_signature_of_who_quotes_is_left_out() -> None:
    found = quote('<p>Hello</p><div class="truesend-signature"><p>Ana</p><p>CEO</p></div><p>PS</p>')
    assert "<blockquote><p>Hello</p><p>PS</p></blockquote>" in found


def test_plain_text_keeps_its_lines() -> None:
    assert "<blockquote><p>a &lt; b</p><p><br></p><p>c</p></blockquote>" in quote(text="a < b\n\nc")


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("Proposal", "Re: Proposal"),
        ("Re: Proposal", "Re: Proposal"),
        ("RE:Proposal", "RE:Proposal"),
        ("", "Re:"),
    ],
)
def test_the_subject_says_re_once(subject: str, wanted: str) -> None:
    assert subject_of(subject) == wanted


@pytest.mark.parametrize(
    ("html", "is_empty"),
    [
        ("", True),
        ("<p></p>", True),
        ('<p></p><div class="truesend-signature"><p>Ana</p></div>', True),
        ('<p>Hi</p><div class="truesend-signature"><p>Ana</p></div>', False),
        ("<img src='cid:a'>", False),
    ],
)
def test_a_signature_alone_is_no_text(html: str, is_empty: bool) -> None:
    assert (own_words(html) == "") is is_empty


def test_a_link_that_unsubscribes_somebody_is_not_quoted() -> None:
    token = unsubscribe_tokens.UnsubscribeToken(uuid4(), uuid4(), "ines@globex.example", "Northwind")
    address = f"https://t.example/t/u/{unsubscribe_tokens.sign(KEYS, token)}"
    html = f'<p>Hello</p><div>From Northwind. <a href="{address}">Unsubscribe</a></div>'
    assert "<blockquote><p>Hello</p><div>From Northwind. Unsubscribe</div></blockquote>" in quote(html)
    assert quote(text=f"Hello\nUnsubscribe: {address}").endswith(
        "<blockquote><p>Hello</p><p>Unsubscribe: </p></blockquote>"
    )
