"""Rewriting: only link targets and one pixel change, and each target is what a browser would have opened."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from truesend.tracking import tokens
from truesend.tracking.html_scan import decode
from truesend.tracking.reasons import (
    ANCHOR,
    EMPTY,
    OFF,
    OWN,
    RELATIVE,
    TEMPLATE,
    TOO_LONG,
    TOO_MANY,
    UNREADABLE,
    UNSUBSCRIBE,
)
from truesend.tracking.rewrite import CLIPPED, CLIPS_AT, Rewritten, pixel, rewrite

NEWSLETTERS = Path(__file__).resolve().parents[4] / "shared" / "data" / "newsletters"
BASE = "https://track.example"
PIXEL = f"{BASE}/t/o/x.gif"


def run(html: str, *, pixel_url: str | None = None) -> Rewritten:
    return rewrite(
        html, click_url=lambda index, _: f"{BASE}/t/c/{index}", pixel_url=pixel_url, tracking_url=BASE
    )


def undone(result: Rewritten) -> str:
    """The rewritten HTML with every edit taken back, found by walking it alone."""
    out, position, shift = [], 0, 0
    for edit in sorted(result.edits, key=lambda one: one.at):
        at = edit.at + shift
        assert result.html[at : at + len(edit.new)] == edit.new
        out += [result.html[position:at], edit.old]
        position, shift = at + len(edit.new), shift + len(edit.new) - len(edit.old)
    return "".join([*out, result.html[position:]])


class Hrefs(HTMLParser):
    """A second opinion: what the standard library's parser takes for links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"a", "area"}:
            self.found += [value or "" for name, value in attrs if name == "href"][:1]


@pytest.mark.parametrize(
    ("html", "expected", "target"),
    [
        ('<a href="http://a.example/?x=1&amp;y=2">t</a>', '<a href="@0">t</a>', "http://a.example/?x=1&y=2"),
        ("<A HREF='https://a.example'>t</A>", "<A HREF='@0'>t</A>", "https://a.example"),
        ("<a href=https://a.example/b>t</a>", "<a href=@0>t</a>", "https://a.example/b"),
        ("<a\n\thref = \n'https://a.example'\n>t</a>", "<a\n\thref = \n'@0'\n>t</a>", "https://a.example"),
        ('<a x="1>2" href="https://a.example">t</a>', '<a x="1>2" href="@0">t</a>', "https://a.example"),
        (
            '<a href="https://a.example" href="https://b.example">',
            '<a href="@0" href="https://b.example">',
            None,
        ),
        ('<area href="https://a.example" alt="map">', '<area href="@0" alt="map">', "https://a.example"),
        ('<a href=" https://a.ex\nample/x ">t</a>', '<a href="@0">t</a>', "https://a.example/x"),
        ('<a href="https://a.example/&copy=1&copyright&notit;">', '<a href="@0">', None),
        ('<a/href="https://a.example"/>', '<a/href="@0"/>', "https://a.example"),
        ('<p<a href="https://a.example">', '<p<a href="https://a.example">', None),
        ("<div><a href='https://a.example'><b>t</div></a>", "<div><a href='@0'><b>t</div></a>", None),
    ],
)
def test_only_the_target_changes(html: str, expected: str, target: str | None) -> None:
    result = run(html)
    assert result.html == expected.replace("@", f"{BASE}/t/c/")
    if target:
        assert result.tracked[0].target == target


@pytest.mark.parametrize(
    "html",
    [
        '<!-- <a href="https://a.example">t</a> -->',
        '<!--[if mso]><v:rect href="https://a.example"><a href="https://a.example">t</a></v:rect><![endif]-->',
        '<v:roundrect href="https://a.example"></v:roundrect><link href="https://a.example"><base href="https://a.example/">',
        '<style>a:after{content:"<a href=https://a.example>"}</style>',
        '<script>"<!--<script><a href=https://a.example></script>"</script>',
        "<title><a href=https://a.example></title>",
        "<textarea><a href=https://a.example></textarea>",
        '<p title="<a href=https://a.example>">',
        '<a href="https://a.example',
        "<a href=https://a.example",
        '<style><a href="https://a.example">t</a>',
        '<!-- <a href="https://a.example">t</a>',
        '<? <a href="x>',
        "<plaintext><a href=https://a.example>",
        '<a data-href="https://a.example">t</a>',
        "",
        "<",
        "</",
        "<!",
        "a < b </ c",
    ],
)
def test_what_is_no_link_is_left_alone(html: str) -> None:
    assert run(html).html == html


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ('<a href="mailto:a@b.example">', "mailto: links stay as they are"),
        ('<a href="tel:+123">', "tel: links stay as they are"),
        ('<a href="&#106;avascript:x">', "javascript: links stay as they are"),
        ('<a href="data:text/html,x">', "data: links stay as they are"),
        ('<a href="cid:1">', "cid: links stay as they are"),
        ('<a href="#top">', ANCHOR),
        ('<a href="">', EMPTY),
        ('<a href="page.html">', RELATIVE),
        ('<a href="//a.example/x">', RELATIVE),
        ('<a href="../page.html?x=https://a.example">', RELATIVE),
        ('<a href="{{link}}">', TEMPLATE),
        ('<a href="%%link%%">', TEMPLATE),
        ('<a href="*|LINK|*">', TEMPLATE),
        ('<a href="[link]">', TEMPLATE),
        ('<a href="<%= link %>">', TEMPLATE),
        ('<a href="https://{{host}}/x">', TEMPLATE),
        ('<a href="https://%%host%%/x">', TEMPLATE),
        ('<a href="https:a.example">', UNREADABLE),
        (r'<a href="https:\\a.example">', UNREADABLE),
        ('<a href="ftp://a.example">', "ftp: links stay as they are"),
        ('<a href="MAILTO:a@b.example?subject=https://a.example">', "mailto: links stay as they are"),
        ('<a href="  \t#top">', ANCHOR),
        ('<a href="https://">', UNREADABLE),
        (f'<a href="https://a.example/{"a" * 60_000}">', TOO_LONG),
        ('<a href="https:///x">', UNREADABLE),
        ('<a href="https://a.example/&#1;x">', UNREADABLE),
        ('<a href="https://a.example" data-truesend-track=off>', OFF),
        ('<a href="https://a.example" DATA-TRUESEND-TRACK=" Off ">', OFF),
        ('<a clicktracking=off href="https://a.example">', OFF),
        ('<a ses:no-track href="https://a.example">', OFF),
        ('<a href="https://a.example/u" rel="nofollow unsubscribe">', UNSUBSCRIBE),
        ('<a href="https://a.example/u" class="Unsubscribe--link">', UNSUBSCRIBE),
        ('<a href="https://a.example/u" data-unsubscribe>', UNSUBSCRIBE),
        ('<a href="https://a.example/u" data-role="list-unsubscribe">', UNSUBSCRIBE),
        ('<a href="https://a.example/Unsubscribe?u=1">', UNSUBSCRIBE),
        (f'<a href="{BASE}/t/c/abc">', OWN),
    ],
)
def test_untouched_links_say_why(tag: str, reason: str) -> None:
    result = run(tag + "t</a>")
    assert result.html == tag + "t</a>"
    (link,) = result.links
    assert link.reason == reason
    assert link.url == link.target


def test_links_beyond_those_a_token_can_number_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_LINK", 1)
    html = "<a href=https://a.example>x</a>" * 3
    result = rewrite(
        html,
        click_url=lambda number, to: (
            f"{BASE}/t/c/{tokens.sign_click([('k', b'k')], UUID(int=1), number, to)}"
        ),
        pixel_url=None,
    )
    assert [link.reason for link in result.links] == [None, None, TOO_MANY]
    assert result.html.endswith("<a href=https://a.example>x</a>")


def test_downlevel_revealed_comments_hide_nothing() -> None:
    html = '<![if !mso]><a href="https://a.example">t</a><![endif]>'
    assert run(html).html == html.replace("https://a.example", f"{BASE}/t/c/0")


def test_svg_has_its_own_rules_for_raw_text() -> None:
    html = '<svg><style/><a href="https://a.example">t</a></svg><style><a href="https://b.example"></style>'
    assert [link.target for link in run(html).links] == ["https://a.example"]


def test_the_new_address_is_escaped_for_its_quoting() -> None:
    html = "<a href=https://a.example><a href='https://a.example'><a href=\"https://a.example\">"
    url = "https://t.example/?a=1&b='\" >"
    result = rewrite(html, click_url=lambda *_: url, pixel_url=None)
    assert Hrefs(result.html).found == [url] * 3


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            '<a href="https://a.example">the <b>new</b>\n price&nbsp;list &amp; more</a> rest',
            "the new price list & more",
        ),
        ('<a href="https://a.example"><img src="x" alt="Shop now"></a>', "Shop now"),
        ('<a href="https://a.example/x"><img src="x"></a>', "a.example"),
        ('<a href="https://a.example"><style>x</style>t</a>', "t"),
        ('<a href="https://a.example">one<a href="https://b.example">two</a>', "one"),
        ('<area href="https://a.example" alt="North">', "North"),
    ],
)
def test_a_link_is_known_by_what_it_shows(html: str, text: str) -> None:
    assert run(html).links[0].text == text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<body>a</body></html>", "<body>a@</body></html>"),
        ("<body>a</body><!-- </body> -->", "<body>a@</body><!-- </body> -->"),
        ("a</BODY>b</body >c", "a</BODY>b@</body >c"),
        ("<p>a", "<p>a@"),
        ("<p>a<!-- open", "<p>a@<!-- open"),
        ("<p>a<style>p{}", "<p>a@<style>p{}"),
        ("<p>a</", "<p>a@</"),
        ("<p>a<!", "<p>a@<!"),
        ("<p>a<", "<p>a<@"),
        ("", "@"),
    ],
)
def test_the_pixel_stands_where_it_is_loaded(html: str, expected: str) -> None:
    assert run(html, pixel_url=PIXEL).html == expected.replace("@", pixel(PIXEL))


def test_a_mail_that_gmail_clips_gets_its_pixel_first_and_a_warning() -> None:
    result = run("<body class=x>" + "a" * CLIPS_AT + "</body>", pixel_url=PIXEL)
    assert result.html == "<body class=x>" + pixel(PIXEL) + "a" * CLIPS_AT + "</body>"
    assert result.warnings == [CLIPPED]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "<p>"),
        ("<!DOCTYPE html>", "\n<p>"),
        ("\ufeff<!-- x -->\n<!doctype html SYSTEM 'y'>", "<p>"),
        ("<!doctype html><html lang=en>", "<p>"),
        ("<html><head><title></head></title></head>", "<p>"),
        ("<html><HEAD></HEAD><Body bgcolor=red>", "<p><blockquote><html><head></head><body>"),
    ],
)
def test_before_it_is_clipped_a_body_has_begun_even_where_none_is_marked(before: str, after: str) -> None:
    rest = after + "ä" * (CLIPS_AT // 2) + "<blockquote><html><body>quoted</body></html></blockquote>"
    result = run(before + rest, pixel_url=PIXEL)
    assert result.html == before + pixel(PIXEL) + rest
    assert result.warnings == [CLIPPED]


def test_what_counts_is_the_size_with_the_longer_links() -> None:
    links = '<a href="https://a.example">x</a>' * 10
    fits = "<body>" + links + "a" * (CLIPS_AT - 6 - len(links))
    assert len(fits) == CLIPS_AT
    assert run(fits.replace("<a href", "<b href"), pixel_url=PIXEL).warnings == []
    assert run(fits, pixel_url=PIXEL).warnings == [CLIPPED]
    assert run(fits + "a").warnings == [], "without a pixel there is nothing to miss"


def test_attribute_values_are_decoded_as_in_a_browser() -> None:
    assert decode("&amp;&#38;&#x26;&lt&copy=1&copyx&copy;&#128;&#0;&#xD800;&nope;&") == (
        "&&&<&copy=1&copyx©€\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}&nope;&"
    )


_ADDRESSES = ["https://a.example/?a=1&amp;b=2", "http://b.example", "mailto:a@b", "#x", "https://é.example/ü"]
_PIECES = st.one_of(
    st.sampled_from(
        [
            "<",
            ">",
            "<a ",
            "</a>",
            "href=",
            '"',
            "'",
            "<!--",
            "-->",
            "<style>",
            "</style>",
            "</body>",
            "<script>",
        ]
        + [
            "</script>",
            "<title>",
            "</title>",
            "<![CDATA[",
            "]]>",
            "<svg>",
            "</svg>",
            "&amp;",
            "=",
            "/",
            " ",
            "\r\n",
        ]
        + [f'<a href="{address}">' for address in _ADDRESSES]
        + [f"<a class=b href={address}>" for address in _ADDRESSES]
    ),
    st.text(max_size=5),
)


@given(st.lists(_PIECES, max_size=40).map("".join))
@example('<a href="https://a.example"')
def test_taking_the_edits_back_gives_the_original(html: str) -> None:
    result = run(html, pixel_url=PIXEL)
    assert undone(result) == html
    assert all(edit.old or edit.new == pixel(PIXEL) for edit in result.edits)
    assert len(result.edits) == len(result.tracked) + 1


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_rewriting_twice_finds_only_our_own_links(html: str) -> None:
    once = run(html)
    again = run(once.html)
    assert again.html == once.html
    assert [link.reason for link in again.links] == [link.reason or OWN for link in once.links]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([f'<a href="{a}">' for a in _ADDRESSES]),
            st.just("</a>"),
            st.text(st.characters(exclude_characters="<&")),
        ),
        max_size=20,
    ).map("".join)
)
def test_the_standard_parser_finds_the_same_links(html: str) -> None:
    result = run(html)
    assert Hrefs(html).found == [link.target for link in result.links]
    assert Hrefs(result.html).found == [link.url for link in result.links]


@pytest.mark.parametrize("name", sorted(path.name for path in NEWSLETTERS.glob("*.html")) or [None])
def test_newsletters(name: str | None) -> None:
    if name is None:
        pytest.skip(f"no newsletters at {NEWSLETTERS}")
    html = (NEWSLETTERS / name).read_bytes().decode()
    result = run(html, pixel_url=PIXEL)
    assert undone(result) == html
    assert Hrefs(result.html).found == [link.url for link in result.links]
    assert [found.strip() for found in Hrefs(html).found] == [link.target for link in result.links]
    assert all(link.reason for link in result.links if not link.url.startswith(BASE))
