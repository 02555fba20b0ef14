"""Icons, strips, times and buttons as templates get them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template import Context, Template, engines

from truesend.web import components

TEMPLATES = Path(__file__).parent / "templates"


def render(source: str, **context: object) -> str:
    engine = engines["django"].engine  # type: ignore[attr-defined]
    return str(Template("{% load look %}" + source, engine=engine).render(Context(context))).strip()


def test_a_state_has_shape_colour_and_word() -> None:
    html = render('{% state "warn" word %}', word="Unknown <b>")
    assert 'class="state is-warn"' in html
    assert "<svg" in html
    assert "Unknown &lt;b&gt;" in html


def test_every_icon_differs_from_the_others() -> None:
    assert len(set(components.ICONS.values())) == len(components.ICONS)


def test_a_strip_says_its_counts() -> None:
    html = render("{% strip days %}", days="noowb")
    assert 'aria-label="Last 5 days: 2 good, 1 with a warning, 1 broken, 1 not connected"' in html
    assert html.count("<i ") == 5


def test_a_moment_carries_the_exact_time() -> None:
    at = datetime(2026, 11, 3, 8, 0, 5, tzinfo=UTC)
    wanted = '<time datetime="2026-11-03T08:00:05.000+00:00" data-time="ago">3 Nov 08:00</time>'
    assert render('{% moment at "ago" %}', at=at) == wanted
    assert render('{% moment at "ago" %}', at=at.isoformat()) == wanted
    assert render("{% moment at %}", at=None) == ""


def test_a_query_becomes_hidden_fields_of_a_get() -> None:
    html = render(
        '{% fix what "primary" %}',
        what={"label": "Reconnect", "url": "/oauth/google/start?capabilities=send%2Cread&next=%2Femails"},
    )
    assert 'method="get" action="/oauth/google/start"' in html
    assert '<input type="hidden" name="capabilities" value="send,read">' in html
    assert '<input type="hidden" name="next" value="/emails">' in html
    assert "csrfmiddlewaretoken" not in html
    assert ">Reconnect</button>" in html


@pytest.mark.parametrize(
    ("url", "method"),
    [
        ("/connections/1/verify", "post"),
        ("/connections/1/test-email", "post"),
        ("/emails/1/release", "post"),
        ("/integration", "get"),
        ("/account#support", "get"),
        ("/emails/new", "get"),
    ],
)
def test_a_fix_that_changes_something_is_a_post(url: str, method: str) -> None:
    html = render("{% fix what %}", what={"label": "Do", "url": url}, csrf_token="token")
    assert f'<form method="{method}" action="{url}">' in html
    assert ("csrfmiddlewaretoken" in html) is (method == "post")


def test_a_draft_as_plain_text() -> None:
    html = "<p>Hello <strong>Ines</strong>,</p><ul><li><p>one</p></li><li><p>two</p></li></ul><p>a<br>b &amp; c</p>"
    assert components.plain_text(html) == "Hello Ines,\n\n- one\n\n- two\n\na\nb & c"
    assert components.plain_text("") == ""


def test_an_entry_that_was_never_built_is_named() -> None:
    with pytest.raises(components.AssetsMissing, match=r"nowhere\.ts|make setup"):
        components.asset("nowhere.ts")


def test_templates_keep_the_content_security_policy() -> None:
    """No inline script, style or handler: browsers would drop them silently."""
    breach = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE
    )
    broken = [
        str(path) for path in TEMPLATES.rglob("*.html") if breach.search(path.read_text(encoding="utf-8"))
    ]
    assert broken == []
