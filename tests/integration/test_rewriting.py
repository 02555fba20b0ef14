"""Any HTML, rewritten with real tokens and composed as a mail: judged by means that share no code with the rewriter."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests import arrived

from truesend.sending.addresses import Mailbox
from truesend.sending.compose import Letter, compose
from truesend.tracking import answers, tokens
from truesend.tracking.rewrite import Rewritten, rewrite

NEWSLETTERS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "newsletters"
KEYS = [("k", b"k" * 32)]
BASE = "https://track.example"
ME, DELIVERY = Mailbox("ana@northwind.example"), UUID(int=7)

PIECES = [
    '<a href="https://a.example/?a=1&amp;b=2&#38;c=%20#top">', "<A HREF='http://b.example/ü?q=ä'>", "</A>", "</a>",
    "<a\nclass=x href=https://c.example/x >", '<a href="mailto:a@b.example">', "<a href='#x'>", "<td>", "</div>",
    '<a href=" https://d.example/{{id}}?x=%%name%%\n">', "<p title='<a href=https://no.example>'>", "{{name}}", "*|X|*",
    "<!--[if mso]><v:roundrect href='https://no.example'><![endif]-->", "<!--[if !mso]><!-->", "<!--<![endif]-->",
    '<base href="https://no.example/">', '<form action="https://no.example">', "<body>", "</body>", "</html>", "<!--",
    '<a ping="https://no.example" href="https://e.example/?utm_source=x;y=\'z\'">', "<style>a{}</style>", "<br/>",
    "<svg><a href=https://f.example>", "</svg>", "<title>", "</title>", "<script>", "</script>", "<textarea>", "&lt;",
    "<a href=https://g.example/\"x'>", "<area href=https://h.example alt=x>", "<a href='//i.example'>",
    '<a href="HTTPS://User:pw@J.example:8443/\u202e\U0001f600">', "<a href>", "<a href=>", "<a href=''>", "\r\n",
    '<a href="https://k.example/&copy=1&notit;&#128;&#0;&#x110000;">', "<![CDATA[", "]]>", "<a href=https://l.example",
    "-->", "<a href='../x'>", "\x00", "\u00a0", "<select>", "<template>", "<iframe srcdoc='<a href=https://no.example>'>",
]  # fmt: skip
_written = sorted(path.read_bytes().decode() for path in NEWSLETTERS.glob("*.html"))
_slices = st.builds(
    lambda text, at, size: text[at : at + size],
    st.sampled_from(_written or [""]),
    st.integers(0, 12_000),
    st.integers(1, 400),
)
HTML = st.lists(st.one_of(st.sampled_from(PIECES), _slices, st.text(max_size=6)), max_size=30).map("".join)


def tracked(html: str) -> Rewritten:
    return rewrite(
        html,
        click_url=lambda number, to: f"{BASE}/t/c/{tokens.sign_click(KEYS, DELIVERY, number, to)}",
        pixel_url=f"{BASE}/t/o/{tokens.sign_open(KEYS, DELIVERY)}.gif",
        keys=KEYS,
    )


def check(written: str, html: str, result: Rewritten) -> None:
    """Nothing else differs, and every tracked address leads to what stood there, byte for byte."""
    links = arrived.changed(written, arrived.without_pixel(html, BASE), BASE)
    for number, (raw, address) in zip(result.tracked, links, strict=True):
        token = tokens.read(KEYS, address.removeprefix(f"{BASE}/t/c/"))
        assert isinstance(token, tokens.ClickToken)
        assert (token.delivery, token.link) == (DELIVERY, number.index)
        assert token.target == number.target
        if "&" not in raw:  # where the standard library and browsers read attributes alike
            assert token.target == arrived.target_of(raw)
        head, _ = answers.redirect(token.target.encode())
        assert dict(head["headers"])[b"location"] == token.target.encode()


@given(HTML)
@settings(max_examples=1_000, deadline=None)
def test_nothing_but_link_targets_and_the_pixel_differs(written: str) -> None:
    result = tracked(written)
    check(written, result.html, result)


@given(HTML)
@settings(max_examples=150, deadline=None)
def test_the_same_once_it_was_a_mail(written: str) -> None:
    written = written.encode(errors="replace").decode()
    result = tracked(written)
    raw = compose(
        Letter(
            delivery=DELIVERY,
            sender=ME,
            to=[ME],
            cc=[],
            bcc=[],
            subject="x",
            html=result.html,
            text="x",
            files=[],
            date=datetime(2026, 11, 3, tzinfo=UTC),
        )
    )
    _, html = arrived.parts({"raw": raw.decode("utf-8", "surrogateescape")})
    assert html == result.html
    check(written, html, result)
