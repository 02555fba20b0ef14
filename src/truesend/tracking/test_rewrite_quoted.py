"""Quoted text loses our own marks and gets its links back; links that show an address."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truesend.tracking import tokens
from truesend.tracking.quoted import OwnMarks
from truesend.tracking.reasons import OFF, OWN, SHOWN_OTHER, UNSUBSCRIBE, UNTRACKED
from truesend.tracking.rewrite import Rewritten, pixel, rewrite
from truesend.tracking.shown import host_shown

KEYS = [("new", b"n" * 32), ("old", b"o" * 32)]
FIRST, SECOND = UUID(int=1), UUID(int=2)
BASE, FORMER = "https://track.example", "https://former.example/mail"
TARGET = "https://shop.example/a?x=1&y=\"'<ü>"


def click(target: str, *, keys: tokens.Keys = KEYS, base: str = BASE, delivery: UUID = FIRST) -> str:
    return f"{base}/t/c/{tokens.sign_click(keys, delivery, 0, target)}"


def opened(*, keys: tokens.Keys = KEYS, base: str = BASE, delivery: UUID = FIRST) -> str:
    return f"{base}/t/o/{tokens.sign_open(keys, delivery)}.gif"


def run(
    html: str, *, track: bool = True, track_shown: bool = False, pixel_url: str | None = None
) -> Rewritten:
    return rewrite(
        html,
        click_url=(lambda number, target: f"{BASE}/t/c/@{number}") if track else None,
        pixel_url=pixel_url,
        tracking_url=BASE,
        keys=KEYS,
        track_shown=track_shown,
    )


def track(html: str, delivery: UUID) -> str:
    return rewrite(
        html,
        click_url=lambda number, to: f"{BASE}/t/c/{tokens.sign_click(KEYS, delivery, number, to)}",
        pixel_url=opened(delivery=delivery),
        keys=KEYS,
    ).html


@pytest.mark.parametrize(("opening", "closing"), [('"', '"'), ("'", "'"), ("", "")])
@pytest.mark.parametrize("base", [BASE, FORMER, "HTTP://LOCALHOST:8001"])
@pytest.mark.parametrize("keys", [KEYS, KEYS[1:]])
def test_a_quoted_link_gets_its_target_back(
    opening: str, closing: str, base: str, keys: list[tuple[str, bytes]]
) -> None:
    html = f"<a class=x href={opening}{click(TARGET, keys=keys, base=base)}{closing} rel=y>t</a>"
    untracked = run(html, track=False)
    (link,) = untracked.links
    assert (link.target, link.url, link.reason) == (TARGET, TARGET, UNTRACKED)
    assert run(untracked.html, track=False).links[0].target == TARGET, "as a browser reads it, byte for byte"
    assert untracked.html.startswith(f"<a class=x href={opening}https://shop.example/a?x")
    tracked = run(html)
    assert tracked.html == f"<a class=x href={opening}{BASE}/t/c/@0{closing} rel=y>t</a>"
    assert (tracked.links[0].target, tracked.taken_out) == (TARGET, 1)


@pytest.mark.parametrize(
    "source",
    [
        opened(),
        opened(base=FORMER),
        opened(keys=KEYS[1:]) + "?cache=1",
        f"\n {opened()} ",
        f"https://pictures.example/proxy/AbC=s0-d-e1-ft#{opened()}",
    ],
)
def test_quoted_pixels_are_taken_out(source: str) -> None:
    html = f"<p>a<IMG width=1 src='{source}' alt=''>b<img src=https://a.example/t/o/x.gif>"
    assert run(html, track=False).html == "<p>ab<img src=https://a.example/t/o/x.gif>"
    assert run(html).taken_out == 1


@pytest.mark.parametrize(
    "html",
    [
        f'<a href="{click(TARGET, keys=[("gone", b"g" * 32)])}">key removed</a>',
        f'<a href="{click(TARGET, keys=[("new", b"x" * 32)])}">forged</a>',
        f'<a href="{click(TARGET)}/more">longer</a>',
        f'<a href="{BASE}/t/c/{tokens.sign_open(KEYS, FIRST)}">of a pixel</a>',
        f'<img src="{BASE}/t/o/{tokens.sign_click(KEYS, FIRST, 0, TARGET)}.gif">',
        f'<img src="{opened(keys=[("new", b"x" * 32)])}">',
        f'<img alt="{opened()}" src="{opened()}x">',
        f"<p>{click('https://a.example')} {opened()}",
        f'<!-- <a href="{click(TARGET)}"><img src="{opened()}"> -->',
    ],
)
def test_what_our_keys_do_not_verify_is_not_ours(html: str) -> None:
    result = run(html)
    assert result.html == html
    assert result.taken_out == 0
    assert all(link.reason == OWN for link in result.links)


def test_a_target_that_may_not_be_tracked_comes_back_plain() -> None:
    html = f'<a data-truesend-track=off href="{click("https://a.example")}">t</a>'
    assert run(html).html == '<a data-truesend-track=off href="https://a.example">t</a>'
    assert run(html).links[0].reason == OFF
    html = f'<a href="{click("https://a.example")}">Unsubscribe</a>'
    assert run(html).html == '<a href="https://a.example">Unsubscribe</a>'
    assert run(html).links[0].reason == UNSUBSCRIBE


def test_links_in_links_of_ours_lead_to_the_end() -> None:
    assert OwnMarks(KEYS).target(click(click(click("https://a.example"), base=FORMER))) == "https://a.example"


@pytest.mark.parametrize(
    "address",
    [
        "https://eur01.safelinks.protection.outlook.com/?url={escaped}&data=05%7C01&reserved=0",
        "https://linkprotect.cudasvc.com/url?a={escaped}&c=E,1,x&typo=1",
        "https://urldefense.com/v3/__{plain}__;!!A1b2!c3$",
    ],
)
def test_a_gateway_around_our_link_goes_with_it(address: str) -> None:
    ours = click("https://a.example/x")
    assert (
        OwnMarks(KEYS).target(address.format(escaped=quote(ours, safe=""), plain=ours))
        == "https://a.example/x"
    )
    foreign = address.format(
        escaped=quote("https://b.example/t/c/abc", safe=""), plain="https://b.example/t/c/abc"
    )
    assert OwnMarks(KEYS).target(foreign) is None


def test_an_address_that_only_names_our_link_stays() -> None:
    address = "https://social.example/share?url=" + quote(click("https://a.example"), safe="")
    assert OwnMarks(KEYS).target(address) is None


def test_plain_text_gets_its_links_back() -> None:
    own = OwnMarks(KEYS)
    forged = click("https://a.example", keys=[("new", b"x" * 32)])
    text = f"> See <{click(TARGET)}> or (\r\n{click('https://b.example')}).\n{forged}"
    assert own.in_text(text) == f"> See <{TARGET}> or (\r\nhttps://b.example).\n{forged}"
    assert OwnMarks().in_text(text) == text


_MAIL = st.lists(
    st.one_of(
        st.sampled_from(
            [
                '<a href="https://a.example/?a=1&amp;b=2">',
                "<A HREF='http://b.example/ü#x'>",
                "<a href=https://c.example>",
                '<a href="mailto:a@b.example">',
                "</a>",
                "<blockquote>",
                "<img src=https://a.example/x.png>",
                "</body>",
                "<!-- x -->",
            ]
        ),
        st.text(st.characters(exclude_characters="<&", exclude_categories=["Cs"]), max_size=8),
    ),
    max_size=20,
).map("".join)


@given(_MAIL)
@settings(deadline=None)
def test_a_mail_that_was_tracked_twice_is_as_if_tracked_once(html: str) -> None:
    once, again = track(html, FIRST), track(track(html, FIRST), SECOND)
    clean = rewrite(html, click_url=None, pixel_url=None).links
    back = rewrite(again, click_url=None, pixel_url=None, keys=KEYS)
    assert [link.target for link in back.links] == [link.target for link in clean]
    assert FIRST.bytes not in b"".join(_bodies(again)), "nothing of the first delivery is left"
    assert _skeleton(again) == _skeleton(once) == _skeleton(track(html, SECOND))


def _bodies(html: str) -> list[bytes]:
    own = []
    for link in rewrite(html, click_url=None, pixel_url=None).links:
        if "/t/c/" in link.target:
            token = tokens.read(KEYS, link.target.rpartition("/")[2])
            own.append(token.delivery.bytes)
    return own


def _skeleton(html: str) -> str:
    """The mail without its link targets and pixel."""
    result = rewrite(html, click_url=lambda *_: "@", pixel_url=None, keys=KEYS, tracking_url="https://-")
    return result.html.replace(pixel(opened(delivery=FIRST)), "").replace(pixel(opened(delivery=SECOND)), "")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://shop.example/a", "shop.example"),
        ("HTTP://WWW.Shop.Example", "shop.example"),
        ("https://user@shop.example:8080?x", "shop.example"),
        ("https://shop.example/very/lo…", "shop.example"),
        ("https://shop.example – our shop", "shop.example"),
        (" <www.shop.example> ", "shop.example"),
        ("www.shop.qqq", "shop.qqq"),
        ("bank.example", "bank.example"),
        ("b\u00adank\u200b.co.uk", "bank.co.uk"),
        ("bücher.de/neu", "xn--bcher-kva.de"),
        ("shop.qqq/path", "shop.qqq"),
        ("new price list", ""),
        ("Node.js", ""),
        ("readme.md", ""),
        ("e.g. this", ""),
        ("see https://shop.example", ""),
        ("ines@shop.example", ""),
        ("v2.1", ""),
        ("", ""),
    ],
)
def test_texts_that_are_addresses(text: str, host: str) -> None:
    assert host_shown(text) == host


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ('<a href="https://shop.example/a?b">https://shop.example/a</a>', None),
        ('<a href="https://www.shop.example"><b>shop</b>.example</a>', None),
        ('<a href="https://evil.example">https://bank.example/login</a>', SHOWN_OTHER),
        ('<a href="https://evil.example"><b>bank</b>.example</a>', SHOWN_OTHER),
        ('<a href="https://shop.example">our shop</a>', None),
        ('<a href="https://shop.example"><img alt="https://shop.example"></a>', None),
        (f'<a href="https://shop.example">{BASE}/about</a>', None),
        ('<a href="https://shop.example">www.TRACK.example</a>', None),
    ],
)
def test_a_link_that_shows_another_address_is_left_alone_unless_the_organization_wants_it(
    html: str, reason: str | None
) -> None:
    left, wanted = run(html), run(html, track_shown=True)
    assert left.links[0].reason == reason
    assert (left.html == html) == (reason is not None)
    assert wanted.links[0].reason is None
    assert wanted.links[0].url == f"{BASE}/t/c/@0"
    assert bool(wanted.warnings) == (reason is not None)
    assert bool(left.warnings) == (reason is not None), "also untracked it says one thing and does another"


def test_a_warning_names_the_links() -> None:
    html = "".join(f'<a href="https://a{n}.example">a{n}.example</a>' for n in range(5))
    assert run(html).warnings == run(html, track_shown=True).warnings == []
    html = '<a href="https://evil.example">bank.example</a>'
    assert run(html).warnings == [
        "“bank.example” leads to evil.example: mail programs warn of a link that shows another address."
    ]


MARK = f"<!-- truesend:delivery={FIRST} -->"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>a</p>", ""),
        ("<p>a", "b</p>"),
        ("<!-- theirs --><p>a</p><!---->", "<!-- theirs --><p>b</p>"),
        ("<!doctype html><style>a{}</style>", "</body></html>"),
        ("<svg><title>x</title></svg>", "<br>"),
    ],
)
@pytest.mark.parametrize(
    "mark",
    [MARK, MARK.replace(" ", ""), MARK.upper().replace(" ", "\r\n"), MARK + MARK.replace("01 ", "02 ")],
)
@pytest.mark.parametrize("tracked", [True, False])
def test_a_quoted_closing_comment_goes_and_nothing_else(
    before: str, after: str, mark: str, tracked: bool
) -> None:
    done = run(before + mark + after, track=tracked)
    assert done.html == before + after
    assert done.taken_out == mark.count("--") // 2


@pytest.mark.parametrize(
    "html",
    [
        f"<style>{MARK}</style>",
        f"<textarea>{MARK}</textarea>",
        f'<p title="{MARK}">a</p>',
        MARK.replace("truesend", "another"),
        MARK.replace("00000001", "00000001x"),
        MARK.replace(" -->", " x -->"),
        f"<!--[if mso]>{MARK}",
        "<p>a</p><!-- truesend:delivery=",
        MARK.replace("<", "&lt;"),
    ],
)
def test_what_is_no_closing_comment_of_ours_stays(html: str) -> None:
    done = run(html)
    assert (done.html, done.taken_out) == (html, 0)


@given(st.text("<>!-a/ =\"'stylep", max_size=40), st.text("<>!-a/ =\"'stylep", max_size=40))
@settings(max_examples=300, deadline=None)
def test_whatever_stands_around_it_nothing_else_is_touched(before: str, after: str) -> None:
    html = before + MARK + after
    done = run(html)
    assert done.html in {html, before + after}


def test_a_mark_that_goes_where_the_pixel_comes_is_gone() -> None:
    """A long mail has its pixel at the beginning, where an earlier one may have had its own."""
    for mark in (MARK, pixel(opened())):
        html = f"<body>{mark}<p>{'long ' * 20_000}</p></body>"
        done = run(html, pixel_url=opened(delivery=SECOND))
        assert done.html == html.replace(mark, pixel(opened(delivery=SECOND)))
