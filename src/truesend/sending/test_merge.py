"""Merge fields: found in every place, filled as that place wants it, and nothing else changed."""

from __future__ import annotations

import random

import pytest

from truesend.sending.merge import Template, Unfilled, fill, key, template, unfilled, unknown
from truesend.tracking.html_scan import Tag, scan


def html(source: str, **values: str) -> str:
    return fill(template("", source, ""), values).html


def subject(source: str, **values: str) -> str:
    return fill(template(source, "", ""), values).subject


def problems(source: str) -> tuple[str, ...]:
    return template("", source, "").problems


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("First Name", "first_name"),
        (" first-name ", "first_name"),
        ("FIRST_NAME", "first_name"),
        ("Prénom", "prénom"),
        ("Größe (cm)", "grösse_cm"),
        ("e-mail", "e_mail"),
        ("#", ""),
    ],
)
def test_a_title_is_compared_without_its_dress(title: str, name: str) -> None:
    assert key(title) == name


@pytest.mark.parametrize(
    "written", ["{{first_name}}", "{{ First Name }}", "{{FIRST-NAME}}", "{{first_name|there}}"]
)
def test_a_value_takes_its_fields_place(written: str) -> None:
    assert html(f"<p>Hello {written},</p>", first_name="Ines") == "<p>Hello Ines,</p>"


def test_a_default_is_for_whoever_has_no_value() -> None:
    assert html("<p>Hello {{first_name|there}}</p>") == "<p>Hello there</p>"
    assert html("<p>Hello {{first_name|there}}</p>", first_name="  ") == "<p>Hello there</p>"
    assert html("<p>Hello {{first_name| you &amp; yours }}</p>") == "<p>Hello you &amp; yours</p>"
    assert html("<p>Hello{{first_name|}}</p>") == "<p>Hello</p>"


def test_what_has_no_default_is_missed_by_name() -> None:
    found = template("For {{Company}}", "<p>{{first_name}}</p>", "")
    assert unfilled(found, {"company": "Globex"}) == "has nothing for {{first_name}}"
    with pytest.raises(Unfilled, match=r"\{\{first_name\}\}"):
        fill(found, {"company": "Globex"})
    assert unfilled(found, {"company": "Globex", "first_name": "Ines"}) == ""
    assert [one.name for one in unknown(found, frozenset({"company"}))] == ["first_name"]


def test_a_value_is_text_wherever_it_stands() -> None:
    evil = "<b>\"&'</b>\nnext"
    assert html("<p>{{a}}</p>", a=evil) == "<p>&lt;b&gt;&quot;&amp;&#x27;&lt;/b&gt;<br>next</p>"
    assert html('<img alt="{{a}}">', a=evil) == '<img alt="&lt;b&gt;&quot;&amp;&#x27;&lt;/b&gt;\nnext">'
    assert html("<td width={{a}}>", a="1 onclick=x>") == "<td width=1&#32;onclick&#61;x&#62;>"
    assert subject("A {{a}} B", a="one\r\nBcc: x@y") == "A one Bcc: x@y B"
    assert fill(template("", "", "A {{a}}"), {"a": "<b>\nc"}).text == "A <b>\nc"


def test_a_value_is_not_read_for_fields_again() -> None:
    assert html("<p>{{a}}{{b}}</p>", a="{{b}}", b="{{a}}") == "<p>{{b}}{{a}}</p>"
    assert html("<p>{{a}}}}</p>", a="{{b") == "<p>{{b}}</p>"


@pytest.mark.parametrize(
    ("source", "value", "filled"),
    [
        ('<a href="https://x.example/?n={{n}}&amp;m=1">', "Ana & Bo/ä", "https://x.example/?n=Ana%20%26%20Bo%2F%C3%A4&amp;m=1"),
        ('<a href="https://x.example/?n=%7B%7Bn%7D%7D">', "a b", "https://x.example/?n=a%20b"),
        ('<a href="https://x.example/%7B%7Bn%7Cnobody%20here%7D%7D">', "", "https://x.example/nobody%20here"),
        ('<a href="{{n}}">', "https://y.example/a?b=1&c=2 3", "https://y.example/a?b=1&amp;c=2%203"),
        ('<a href="{{n}}/end?n={{n}}">', "https://y.example", "https://y.example/end?n=https%3A%2F%2Fy.example"),
        ('<a href="mailto:{{n}}?subject={{n}}">', "a+b@x.example", "mailto:a%2Bb@x.example?subject=a%2Bb@x.example"),
        ("<a href='https://x.example/{{n}}'>", "it's", "https://x.example/it%27s"),
    ],
)  # fmt: skip
def test_a_value_in_a_link_target_is_encoded(source: str, value: str, filled: str) -> None:
    found = html(source, n=value)
    quotation = source[8]
    assert found == f"<a href={quotation}{filled}{quotation}>"


def test_a_whole_link_without_quotation_marks_stays_one_attribute() -> None:
    found = html("<a href={{n}} title=x>", n="https://y.example/a b>c")
    (tag,) = [one for one in scan(found) if isinstance(one, Tag)]
    assert [one.name for one in tag.attributes] == ["href", "title"]


@pytest.mark.parametrize("value", ["javascript:alert(1)", "data:text/html,x", "www.x.example", "//x.example"])
def test_a_whole_link_is_a_web_address_or_none(value: str) -> None:
    assert "no web address" in unfilled(template("", '<a href="{{n}}">x</a>', ""), {"n": value})


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("<p>{{{{first_name}}</p>", "<p>{{first_name}}</p>"),
        ("<p>{{{{</p>", "<p>{{</p>"),
        ("<p>{{{{{{n}}</p>", "<p>{{Ana</p>"),
        ("<p>a } b }} c { d</p>", "<p>a } b }} c { d</p>"),
        ("<p>&#123;{n}}</p>", "<p>&#123;{n}}</p>"),
    ],
)
def test_two_braces_can_be_written(source: str, filled: str) -> None:
    assert problems(source) == ()
    assert html(source, n="Ana") == filled


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<p>Hello {{first_name</p>", "does not end"),
        ("<p>Hello {{<b>first</b>_name}}</p>", "formatting inside it"),
        ("<p>{{{n}}}</p>", "does not end"),
        ("<p>{{ }}</p>", "names no column"),
        ("<p>{{|there}}</p>", "names no column"),
        ('<p style="color:{{n}}">x</p>', "attribute “style”"),
        ('<p onclick="{{n}}">x</p>', "attribute “onclick”"),
        ('<a href="javascript:f({{n}})">x</a>', "such a link"),
    ],
)
def test_what_looks_like_a_field_and_is_none_is_named(source: str, said: str) -> None:
    (found,) = problems(source)
    assert said in found


@pytest.mark.parametrize(
    "source",
    [
        "<style>@media x{{a}}</style>",
        "<script>var a = '{{n}}'</script>",
        "<!-- {{n}} -->",
        "<p>x</p><!-- {{n",
        '<p title="',
    ],
)
def test_what_nobody_reads_stays_as_it_is(source: str) -> None:
    assert problems(source) == ()
    assert html(source, n="Ana") == source


def test_outlooks_own_part_is_filled_too() -> None:
    source = "<!--[if mso]><td>{{n}}</td><![endif]--><title>{{n}}</title>"
    assert html(source, n="--><b>") == (
        "<!--[if mso]><td>--&gt;&lt;b&gt;</td><![endif]--><title>--&gt;&lt;b&gt;</title>"
    )


def test_all_but_the_fields_stays_by_the_byte() -> None:
    """Random documents from pieces that break naive readers; their fields taken out, both must be the same."""
    dice = random.Random(6)
    pieces = [
        "<p>", "</p>", "<a href='x&y'>", "text &amp; more ", "<!-- c -->", "<style>a{b:c}</style>", "<br/>",
        "\r\n\t", "é 名", "<img src=x alt=\"q\">", "< 5 ", "&#123; ", "<![if x]>", "</a>", "}} ", "{ ",
    ]  # fmt: skip
    for _ in range(500):
        source = "".join(dice.choice(pieces) for _ in range(dice.randrange(1, 30)))
        marked = source + "<p>{{n}}</p>"
        assert html(source, n="V") == source
        assert html(marked, n="V") == source + "<p>V</p>"


def test_a_template_without_fields_is_what_was_written() -> None:
    found = template("Two  blanks", "<p>a</p>", "b")
    assert isinstance(found, Template)
    assert fill(found, {}).subject == "Two  blanks"
    assert found.fields == ()


def test_reading_takes_no_longer_than_its_length() -> None:
    for source in ("{{" * 50_000, "{{a|" * 20_000, "<a href='" + "%7B" * 60_000 + "'>", "{{" + "a" * 200_000):
        template("", source, source)
