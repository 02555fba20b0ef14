"""What would be filled in stays as it was written, and reads the same to everybody else."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truesend.providers import registry
from truesend.sending.fields import kept

PATTERN = registry.provider("keap").limits.fills_in


@pytest.mark.parametrize(
    ("html", "after"),
    [
        ("<p>Dear ~Contact.FirstName~,</p>", "<p>Dear &#126;Contact.FirstName~,</p>"),
        ('<a href="https://x.example/~a~b">c</a>', '<a href="https://x.example/&#126;a~b">c</a>'),
        ("<a href=x~Link-3~ title='~A~'>c</a>", "<a href=x&#126;Link-3~ title='&#126;A~'>c</a>"),
        ("~a~b~", "&#126;a&#126;b~"),
        ("<style>a~b~c{}</style>", "<style>a~ b~c{}</style>"),
        ("<title>~A.B~</title>", "<title>&#126;A.B~</title>"),
        ("<!--[if mso]>~A.B~<![endif]-->x", "<!--[if mso]>~ A.B~<![endif]-->x"),
    ],
)
def test_a_field_is_written_so_that_nobody_fills_it_in(html: str, after: str) -> None:
    assert kept(html, PATTERN) == after
    assert re.search(PATTERN, after) is None


@pytest.mark.parametrize(
    "html",
    ["", "<p>about ~5 km, or ~10</p>", '<a href="https://x.example/~ana/">a</a>', "~~", "~ a~", "&#126;A.B~"],
)
def test_what_is_no_field_stays_byte_for_byte(html: str) -> None:
    assert kept(html, PATTERN) == html


@given(st.text("~<>ab. \"'=/-!&;", max_size=60))
@settings(max_examples=400, deadline=None)
def test_no_field_is_left_in_any_text(html: str) -> None:
    done = kept(html, PATTERN)
    assert re.search(PATTERN, done) is None
    assert unescape(done).replace(" ", "") == unescape(html).replace(" ", "")
