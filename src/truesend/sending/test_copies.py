"""Who of a list gets a copy of a mail."""

from __future__ import annotations

import pytest

from truesend.sending import merge
from truesend.sending.copies import People, check
from truesend.sending.people_file import Column, Person

FILLS_IN = r"~[A-Za-z]+\.[A-Za-z]+~"


@pytest.mark.parametrize("subject", ["{{offer}}", "{{offer|none}}", "For you: {{offer}}"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "~Contact.Email~",
            "makes a subject with “~Contact.Email~”, in place of which Keap may put something",
        ),
        ("x" * 999, "makes a subject of more than 998 characters"),
        ("Ten per cent", ""),
    ],
)
def test_a_value_that_spoils_the_subject_is_a_bad_row(subject: str, value: str, said: str) -> None:
    people = People(
        (Column("email", "email"), Column("offer", "offer")),
        [Person(2, "ines@globex.example", "", {"email": "ines@globex.example", "offer": value})],
    )
    found = check(merge.template(subject, "<p>Hello</p>", ""), [], people, fills_in=FILLS_IN, provider="Keap")
    assert [row.reason for row in found.bad] == ([said] if said else [])
    assert len(found.people) == (0 if said else 1)
