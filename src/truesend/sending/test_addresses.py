"""Recipients as people type and paste them: what is taken, what is refused in which words, and what never happens."""

# ruff: noqa: E501  # one case, one line
from __future__ import annotations

import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from truesend.sending.addresses import AddressError, Mailbox, nobody_twice, parse, parse_all, split


@pytest.mark.parametrize(
    ("typed", "address", "name"),
    [
        ("ana@globex.example", "ana@globex.example", ""),
        ("  Ana Ruiz <ana@globex.example>  ", "ana@globex.example", "Ana Ruiz"),
        ('"Ruiz, Ana" <ana@globex.example>', "ana@globex.example", "Ruiz, Ana"),
        ('"Ana \\"The Boss\\" Ruiz" <ana@globex.example>', "ana@globex.example", 'Ana "The Boss" Ruiz'),
        ('Ana "The Boss" Ruiz <ana@globex.example>', "ana@globex.example", 'Ana "The Boss" Ruiz'),
        ("Ana (Sales) <ana@globex.example>", "ana@globex.example", "Ana (Sales)"),
        ("Sales: North <ana@globex.example>", "ana@globex.example", "Sales: North"),
        ("ana@globex.example (Ana Ruiz)", "ana@globex.example", "Ana Ruiz"),
        ("<ana@globex.example>", "ana@globex.example", ""),
        ("'ana@globex.example' <ana@globex.example>", "ana@globex.example", ""),
        ("Zoë Ångström <zoe@globex.example>", "zoe@globex.example", "Zoë Ångström"),
        ("דנה <dana@globex.example>", "dana@globex.example", "דנה"),
        ("\u202eevil\u202c <ana@globex.example>", "ana@globex.example", "evil"),
        ("mailto:ana@globex.example", "ana@globex.example", ""),
        ("MAILTO:ana%2Bnews@globex.example?subject=Hi&body=x", "ana+news@globex.example", ""),
        ("Ana <mailto:ana@globex.example>", "ana@globex.example", "Ana"),
        ("\u200bana@globex.example\ufeff", "ana@globex.example", ""),
        ("ana@\u200bglobex.example", "ana@globex.example", ""),
        ("\u00a0ana@globex.example\u3000", "ana@globex.example", ""),
        ("ana@globex.example.", "ana@globex.example", ""),
        ("Ana@GLOBEX.Example", "Ana@globex.example", ""),
        ("ana@müller.example", "ana@xn--mller-kva.example", ""),
        ("ana@例え.テスト", "ana@xn--r8jz45g.xn--zckzah", ""),
        ('"ana"@globex.example', "ana@globex.example", ""),
        ("o'neil+tag=1@globex.example", "o'neil+tag=1@globex.example", ""),
        ("x" * 64 + "@globex.example", "x" * 64 + "@globex.example", ""),
        ("n" * 300 + " <ana@globex.example>", "ana@globex.example", "n" * 200),
    ],
)
def test_what_is_taken(typed: str, address: str, name: str) -> None:
    assert parse(typed) == Mailbox(address, name)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("Ruiz", "has no @; where it is part of a name, put the name in quotation marks."),
        ("ana @globex.example", "has a space inside the address."),
        ("ana@@globex.example", "has more than one @."),
        ("ana@globex.example tom@globex.example", "holds more than one address; put a comma between them."),
        ("Ana <ana@globex.example> tom", "has something behind the address; put a comma between recipients."),
        ("Ana <ana@globex.example", "has angle brackets that do not enclose one address."),
        ("<<ana@globex.example>>", "has angle brackets that do not enclose one address."),
        ("Team: ana@globex.example, tom@globex.example;", "is a group; write the addresses in it one by one."),
        ("undisclosed-recipients:;", "is a group; write the addresses in it one by one."),
        ("ana(work)@globex.example", "has a comment in parentheses; leave it out."),
        ("Ana <ana(work)@globex.example>", "has a comment in parentheses; leave it out."),
        ("müller@globex.example", "has letters before the @ that mail providers do not carry."),
        ('"ana ruiz"@globex.example', "has quotation marks before the @ that mail providers do not carry."),
        ("ana@globex", "has no ending such as .com behind the @."),
        ("ana@192.168.0.1", "has an IP address behind the @; write the domain, such as example.com."),
        ("Ana <ana@１９２.１６８.０.１>", "has an IP address behind the @; write the domain, such as example.com."),
        ("ana@globex.123", "ends in a number; a domain ends in letters such as .com."),
        ("ana@0x7f.0x1", "ends in a number; a domain ends in letters such as .com."),
        ("x" * 65 + "@globex.example", "has more than 64 characters before the @."),
        ("ana@globex.example\r\nBcc: eve@globex.example", "contains a line break or control character."),
        ("ana\x00@globex.example", "contains a line break or control character."),
        ("ana\ud800@globex.example", "contains a line break or control character."),
        ("\u200b", "is empty."),
        ("ana@globex.example..", "is not an email address: an email address cannot end with a period."),
        ("ana@-globex.example", "is not an email address: an email address cannot have a hyphen"),
        ("@globex.example", "is not an email address: there must be something before the @-sign."),
        ("ana@[127.0.0.1]", "is not an email address: a bracketed IP address"),
    ],
)  # fmt: skip
def test_what_is_refused_and_in_which_words(typed: str, why: str) -> None:
    with pytest.raises(AddressError) as refused:
        parse(typed)
    quoted, _, said = str(refused.value).partition("” ")
    assert said.startswith(why)
    assert said.endswith(".")
    assert quoted.startswith("“")
    assert str(refused.value).isprintable()


def test_no_address_of_320_characters_is_taken() -> None:
    label = "d" * 60 + "."
    assert len(parse(f"a@{label * 4}example").address) == 253
    for typed in ("x" * 64 + "@" + label * 4 + "example", "a@" + label * 5 + "example"):
        with pytest.raises(
            AddressError, match=r"“.{58}” (is longer than|is not an email address: .*too long)"
        ):
            parse(typed)


@pytest.mark.parametrize(
    ("pasted", "entries"),
    [
        ("a@x.example, b@x.example;c@x.example\nd@x.example\r\n\r\ne@x.example", ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"]),
        ('"Ruiz, Ana" <a@x.example>, b@x.example', ['"Ruiz, Ana" <a@x.example>', "b@x.example"]),
        ("Ruiz, Ana <a@x.example>; Okafor, Tom <b@x.example>;", ['"Ruiz, Ana" <a@x.example>', '"Okafor, Tom" <b@x.example>']),
        ("Ruiz, Ana <a@x.example>\nb@x.example", ['"Ruiz, Ana" <a@x.example>', "b@x.example"]),
        ("bob, ana <a@x.example>", ["bob", "ana <a@x.example>"]),
        ("Ana\ta@x.example\nOkafor, Tom\tb@x.example", ['"Ana" <a@x.example>', '"Okafor, Tom" <b@x.example>']),
        ("a@x.example\tAna\tRuiz", ['"Ana Ruiz" <a@x.example>']),
        ("Ana\tRuiz\ta@x.example\t\tb@x.example", ['"Ana Ruiz" <a@x.example>', "b@x.example"]),
        ("a@x.example\tb@x.example\tc@x.example", ["a@x.example", "b@x.example", "c@x.example"]),
        ("Name\tEmail\nAna\ta@x.example", ["Name", "Email", '"Ana" <a@x.example>']),
        ("a@x.example,\t b@x.example", ["a@x.example", "b@x.example"]),
        ("<a@x.example>, <b@x.example>", ["<a@x.example>", "<b@x.example>"]),
        ('"open <a@x.example>, b@x.example\nc@x.example', ['"open <a@x.example>', "b@x.example", "c@x.example"]),
        ("a@x.example\u2028b@x.example", ["a@x.example", "b@x.example"]),
        (" ,;\n\t", []),
    ],
)  # fmt: skip
def test_pasted_lists(pasted: str, entries: list[str]) -> None:
    assert split(pasted) == entries
    assert split(", ".join(entries)) == entries  # as a draft shows them again


def test_nobody_twice_over_to_cc_and_bcc_whatever_the_capitals() -> None:
    to, problems = parse_all(["ana@globex.example", "Ana Ruiz <ANA@Globex.example>", "tom@müller.example"])
    assert problems == []
    assert [str(one) for one in to] == ["Ana Ruiz <ana@globex.example>", "tom@xn--mller-kva.example"]
    cc = [parse("TOM@xn--mller-kva.example"), parse("lena@globex.example"), parse("Lena@globex.example")]
    kept = nobody_twice(to, cc, [parse("lena@globex.example"), parse("kim@globex.example")])
    assert [[one.address for one in field] for field in kept] == [
        ["ana@globex.example", "tom@xn--mller-kva.example"],
        ["lena@globex.example"],
        ["kim@globex.example"],
    ]


_odd = st.lists(
    st.one_of(
        st.sampled_from([*"@<>()[]:;,.\\\"'\t\r\n\x00 \u200b\u202e\u00a0\ud800=?%ü例", "mailto:", "ana@x.example", "=?utf-8?q?a=2Cb?="]),
        st.text(max_size=6),
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(_odd | st.builds("{} <ana@x.example>".format, _odd))
@example('" <ana@x.example>')
@example('"a" b "c" <ana@x.example>')
@example("\\ <ana@x.example>")
def test_parsing_never_crashes_and_settles_at_once(typed: str) -> None:
    try:
        found = parse(typed)
    except AddressError as error:
        assert_that_it_is_said(error)
    else:
        assert_that_it_is_settled(found)


def assert_that_it_is_said(error: AddressError) -> None:
    assert str(error).isprintable()
    assert str(error).endswith(".")


def assert_that_it_is_settled(found: Mailbox) -> None:
    assert parse(str(found)) == found
    assert found.address.isascii()
    assert found.address.isprintable()
    assert not set(str(found)) & set("\r\n\x00")
    str(found).encode()  # no half characters


def test_no_list_takes_long_to_read() -> None:
    began = time.monotonic()
    for part in ('"\\', '"', "<", "<>", "(a)", "a,", "\t", "a@x.example ", "\u200b"):
        parse_all(split(part * (40_000 // len(part))))
    assert time.monotonic() - began < 5


@given(_odd | st.lists(_odd, max_size=4).map("\n".join))
def test_splitting_settles_at_once_and_loses_no_address(typed: str) -> None:
    entries = split(typed)
    assert all(entry == entry.strip() and entry for entry in entries)
    assert sum(entry.count("@") for entry in entries) == typed.count("@")
    assume('"' not in typed and "<" not in typed and ">" not in typed)
    assert split(", ".join(entries)) == entries
