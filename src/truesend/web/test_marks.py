"""Marks on a mail's links: by their number, and nothing else moves."""

from __future__ import annotations

import re

import pytest

from truesend.tracking.rewrite import rewrite
from truesend.web.marks import marked

ODD = [
    '<a href="https://a.example">a</a><A HREF=https://b.example>b</A>',
    "<a name=x>no link</a><a\nhref='https://a.example'>a</a>",
    '<!-- <a href="https://hidden.example"> --><a href="mailto:x@y.example">m</a><a href="https://a.example">a',
    '<map><area href="https://a.example"></map><a href="https://b.example"><img src="x" alt="b"></a>',
    '<a href="https://a.example">a<area href="https://b.example">c</a><a href="https://c.example">c</a>',
    '<style>a{}</style><table><tr><td><a href="https://a.example">a</a></td></tr></table><a href="#x">x</a>',
    '<a/href="https://a.example">slash</a>',
    '<p>unfinished <a href="https://a.example',
]


@pytest.mark.parametrize("html", ODD)
def test_numbers_are_those_of_the_tokens_and_nothing_else_moves(html: str) -> None:
    clicks = {number: number + 1 for number in range(9)}
    shown = marked(html, clicks)
    assert re.sub(r' data-truesend-(link|clicks)="\d+"', "", shown) == html
    links = rewrite(html, click_url=lambda number, _: f"https://t.example/{number}", pixel_url=None).links
    numbers = [int(one) for one in re.findall(r'data-truesend-link="(\d+)"', shown)]
    assert numbers == [one.index for one in links]
    assert [int(one) for one in re.findall(r'clicks="(\d+)"', shown)] == [one + 1 for one in numbers]


def test_a_link_nobody_clicked_has_no_badge() -> None:
    shown = marked('<a href="https://a.example">a</a><a href="https://b.example">b</a>', {1: 2})
    assert shown == (
        '<a data-truesend-link="0" href="https://a.example">a</a>'
        '<a data-truesend-link="1" data-truesend-clicks="2" href="https://b.example">b</a>'
    )


def test_marks_that_came_with_the_mail_are_none() -> None:
    shown = marked(
        '<a data-truesend-link=0 DATA-Truesend-clicks="99">x</a><a href="//y" data-truesend-clicks=5>y</a>',
        {},
    )
    assert shown == (
        '<a data-other-link=0 data-other-clicks="99">x</a>'
        '<a data-truesend-link="0" href="//y" data-other-clicks=5>y</a>'
    )
