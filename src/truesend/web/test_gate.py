"""Where the button “Back” of a refusal leads."""

from __future__ import annotations

import pytest

from truesend.web.gate import _back_from


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/users/invite", "/users"),
        ("/settings/organization", "/settings/organization"),
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
