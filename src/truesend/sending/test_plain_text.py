"""The text that readers without HTML get, and that no HTML takes long to read."""

from __future__ import annotations

import time

import pytest

from truesend.sending.plain_text import to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello Ines,</p><p>see&nbsp;you &amp; Tom</p>", "Hello Ines,\n\nsee you & Tom\n"),
        ('<a href="HTTPS://a.example/?x=1&amp;y=2">prices</a>', "prices (HTTPS://a.example/?x=1&y=2)\n"),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example\n"),
        ('<a href="mailto:a@b.example">write</a>', "write\n"),
        ('<a href="https://a.example"><img alt="Logo"></a>', "Logo (https://a.example)\n"),
        ("one<br>two<ul><li>a</li><li>b</li></ul>", "one\ntwo\n\n- a\n- b\n"),
        ("<style>p{}</style><script>x</script><title>t</title>seen<!-- not -->", "seen\n"),
        ("<p>Hi</p><![ endif]><p>x</p>", "Hi\n\nx\n"),
        ("", "\n"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b\n"),
    ],
)
def test_what_a_reader_without_html_sees(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<a x='", "<script", "<!--", "<![", "<", "&", "<a href=x>", "</a>", "<p>", "\n", " ", "<svg><"],
)
def test_no_html_takes_long(piece: str) -> None:
    """Not a speed claim: what grew with the square of the length took minutes here."""
    began = time.monotonic()
    to_text(piece * (300_000 // len(piece)) + "</a>" * 80_000)
    assert time.monotonic() - began < 20
