"""Who is named where something is not somebody's to do, and where “Back” leads."""

from __future__ import annotations

import pytest

from truesend.web.gate import _back_from, names


def _people(count: int) -> list[dict[str, str]]:
    return [{"name": f"P{number}", "email": f"p{number}@x.example"} for number in range(count)]


def test_a_few_are_named_and_the_others_counted() -> None:
    assert names(_people(0)) == ""
    assert names(_people(2)) == "P0 (p0@x.example) or P1 (p1@x.example)"
    assert names(_people(6)).count("@") == 6
    assert names(_people(53)).endswith("P4 (p4@x.example) or 48 more")


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/users/invite", "/users"),
        ("/settings/organization", "/settings/organization"),
        ("/settings/organization/delete", "/settings/organization"),
        ("/account/mailboxes", "/settings/organization"),
        ("/account/second-factor/required", "/account"),
        ("/account/billing/checkout", "/account"),
        ("/settings/suppression/footer", "/settings/suppression"),
        ("/settings/audit", "/account"),
        ("/settings/audit/export", "/account"),
        ("/oauth/google/start", "/integration"),
        ("/connections/0/share", "/integration"),
        ("/emails/new", "/integration"),
    ],
)
def test_a_refusal_leads_back_to_what_may_be_read(path: str, back: str) -> None:
    assert _back_from(path) == back
