"""Mails by the real way: API, worker, sandbox, tracker. Nothing but link targets and the pixel differs."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests import arrived
from tests.stack import Person, Stack

from truesend.tracking.explain_rewrite import as_json, explain

NEWSLETTERS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "newsletters"


class Links(HTMLParser):
    """Targets of links as the standard library's parser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"a", "area"}:
            self.found += [(value or "").strip() for name, value in attrs if name == "href"][:1]


@pytest.fixture(scope="module")
def ana(stack: Stack) -> Person:
    person = stack.person("mailer", organization="Mailers")
    person.connect()
    return person


def send(ana: Person, html: str, **draft: Any) -> tuple[str, str, str]:
    """(email's id, plain text, HTML) once it has arrived."""
    (connection,) = ana.api("GET", "connections").json()["items"]
    made = ana.send(connection["id"], html=html, subject="Rewritten", **draft)
    email = ana.email_when(made["id"], "sent")
    (message,) = ana.stack.sandbox.messages(delivery=email["deliveries"][0]["id"])
    return made["id"], *arrived.parts(ana.stack.sandbox.control("GET", f"messages/{message['id']}"))


def held_against(ana: Person, written: str, html: str) -> list[str]:
    """The targets of all tracked links, after every check of what arrived."""
    base = ana.stack.up.tracking_url
    links = arrived.changed(written, arrived.without_pixel(html, base), base)
    for raw, address in links:
        assert arrived.location_of(address) == arrived.target_of(raw).encode()
    assert len({address for _, address in links}) == len(links), "each link has a token of its own"
    return [arrived.target_of(raw) for raw, _ in links]


@pytest.mark.parametrize(
    "path", sorted(NEWSLETTERS.glob("*.html")) or [None], ids=lambda one: one and one.stem
)
def test_a_newsletter_arrives_as_it_was_written(ana: Person, path: Path | None) -> None:
    if path is None:
        pytest.skip(f"no newsletters at {NEWSLETTERS}")
    written = path.read_bytes().decode()
    _, _, html = send(ana, written)
    tracked = held_against(ana, written, html)
    told = as_json(explain(written, [("k", b"k" * 32)], ana.stack.up.tracking_url))["links"]
    assert [link["target"] for link in told if "reason" not in link] == tracked
    assert [link["target"] for link in told] == [
        target for target in Links(written).found if target.lower().startswith(("http://", "https://"))
    ]
    assert all(link["url"] == link["target"] for link in told if "reason" in link)
    assert len(told) - len(tracked) <= 3, "left alone are unsubscribe links and those that show an address"


_ODD = [
    '<a href="https://a.example/?a=1&amp;b=2&#38;c=%20#top">', "<A HREF='http://b.example/ü?q=ä'>", "</A>", "</a>",
    "<a\nclass=x href=https://c.example/x >", '<a href="mailto:a@b.example">', "<a href='#x'>", "<td>", "</div>",
    '<a href=" https://d.example/{{id}}?x=%%name%%\n">', "<p title='<a href=https://no.example>'>", "{{name}}",
    "<!--[if mso]><v:roundrect href='https://no.example'><![endif]-->", "<![if !mso]>", "<![endif]>", "&amp;", "\r\n",
    '<base href="https://no.example/">', '<form action="https://no.example">', "<body>", "</body>", "</html>", "é",
    '<a ping="https://no.example" href="https://e.example/?utm_source=x;y=\'z\'">', "<style>a{}</style>", "<br/>", "\t",
]  # fmt: skip


@given(
    html=st.lists(st.one_of(st.sampled_from(_ODD), st.text("abc <&;\"'", max_size=6)), max_size=25).map(
        "".join
    )
)
@settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_odd_html_arrives_as_it_was_written(ana: Person, html: str) -> None:
    """A sample of the property that src/truesend/tracking/test_rewrite.py tries by the hundred."""
    written = f"<p>{html}"
    _, _, got = send(ana, written)
    base = ana.stack.up.tracking_url
    links = arrived.changed(written, arrived.without_pixel(got, base), base)
    for raw, address in links:
        assert arrived.location_of(address) == arrived.target_of(raw).encode()


def test_a_reply_tracks_the_quoted_links_anew(ana: Person, stack: Stack) -> None:
    base = stack.up.tracking_url
    written = '<p>Hello <a href="https://shop.example/?x=1&amp;y=2">shop</a></p>'
    _, _, first = send(ana, written)
    quoted = f"<p>As I said:</p><blockquote>{first}</blockquote>"
    meant = f"<p>As I said:</p><blockquote>{written}</blockquote>"

    _, text, again = send(ana, quoted)
    assert held_against(ana, meant, again) == ["https://shop.example/?x=1&y=2"]
    assert not set(arrived.changed(written, arrived.without_pixel(first, base), base)) & set(
        arrived.changed(meant, arrived.without_pixel(again, base), base)
    )
    assert base not in text
    assert "https://shop.example/?x=1&y=2" in text

    _, text, untracked = send(ana, quoted, text=f"> {first}", track=False)
    assert untracked == meant
    assert base + "/t/c/" not in text


def test_links_that_show_another_address_follow_the_organizations_setting(ana: Person, stack: Stack) -> None:
    written = '<a href="https://evil.example/a">https://bank.example/a</a> <a href="https://b.example">b.example</a>'
    _, _, html = send(ana, written)
    assert held_against(ana, written, html) == ["https://b.example"]
    page = ana.get("/settings/organization").text
    assert "Track them too" in page
    assert 'name="track_addresses" checked' not in page
    assert ana.post("/account/links", {"track_addresses": "on"}).status_code == 200
    assert 'name="track_addresses" checked' in ana.get("/settings/organization").text
    _, _, html = send(ana, written)
    assert held_against(ana, written, html) == ["https://evil.example/a", "https://b.example"]
    colleague = stack.member_of(ana)
    assert "An owner or manager can change that" in colleague.get("/settings/organization").text
    assert colleague.post("/account/links", {}).status_code == 403
    assert 'name="track_addresses" checked' in ana.get("/settings/organization").text
    ana.post("/account/links", {})
    assert 'name="track_addresses" checked' not in ana.get("/settings/organization").text


def test_a_mail_that_gmail_clips_has_its_pixel_first_and_its_page_says_so(ana: Person, stack: Stack) -> None:
    base = stack.up.tracking_url
    written = (
        "<html><body bgcolor=red>"
        + "<p>all of it</p>" * 6_000
        + '<a href="https://a.example">x</a></body></html>'
    )
    sent, _, html = send(ana, written)
    assert html.startswith(f'<html><body bgcolor=red><img src="{base}/t/o/')
    held_against(ana, written, html)
    assert "Gmail cuts off emails of this size" in ana.get(f"/emails/{sent}").text
    small, _, _ = send(ana, "<p>short</p>")
    assert "Gmail cuts off" not in ana.get(f"/emails/{small}").text


def test_the_preview_names_what_is_left_alone_and_taken_out(ana: Person, stack: Stack) -> None:
    base = stack.up.tracking_url
    _, _, first = send(ana, '<p><a href="https://shop.example/old">old</a></p>')
    html = (
        '<a href="https://shop.example/a">shop.example/a</a> <a href="https://evil.example">bank.example</a>'
        f"<blockquote>{first}</blockquote>"
    )
    draft = uuid4()
    ana.post(f"/emails/drafts/{draft}/send", {"to": "ines@globex.example", "html": html, "action": "save"})
    page = ana.get(f"/emails/drafts/{draft}/preview").text
    assert "shows another address than it leads to" in page
    assert "“bank.example” leads to evil.example: mail programs warn" in page
    assert "Tracking of the quoted email, at 2 places, is taken out." in page
    assert "https://shop.example/old" in page
    body = ana.get(f"/emails/drafts/{draft}/body").text
    assert 'href="https://shop.example/old"' in body
    for text in (page, body):
        assert f"{base}/t/" not in text

    large = {"to": "ines@globex.example", "html": "<p>x</p>" * 12_000, "action": "save"}
    draft = uuid4()
    ana.post(f"/emails/drafts/{draft}/send", large)
    assert "Gmail cuts off emails of this size" in ana.get(f"/emails/drafts/{draft}/preview").text
