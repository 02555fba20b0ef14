"""What somebody may do now holds at once, on open pages, for tokens and for streams: roles, leaving, second factors."""

from __future__ import annotations

import re
import time

import pytest
import requests
from tests import figures
from tests.accounts import words
from tests.factors import PAGE, add_app
from tests.integration.test_team import owner, page_of
from tests.reader import Reader
from tests.stack import Person, Stack, until
from tests.streams import open_streams

__all__ = ["owner"]  # a fixture


def _told(what: str, began: float) -> None:
    """How long after the answer it held everywhere."""
    seconds = time.monotonic() - began
    print(f"{what}: held on pages, tokens and streams after {seconds:.2f} s")
    assert seconds < figures.limit(1.0)


def test_a_new_role_holds_at_once_on_pages_tokens_and_streams(stack: Stack, owner: Person) -> None:
    ben = stack.member_of(owner, "manager")
    path, address = page_of(owner, ben), f"{ben.email}.example"
    assert ben.api("POST", "suppressions", {"address": address}).status_code == 201
    with open_streams(stack.url, ben.bearer, 1) as his, open_streams(stack.url, owner.bearer, 1) as hers:
        owner.post(f"{path}/role", {"role": "user"}, allow_redirects=False)
        began = time.monotonic()
        assert ben.api("POST", "suppressions", {"address": f"x{address}"}).status_code == 403
        assert ben.post("/users/invite", {"how": "link", "role": "user"}).status_code == 403
        # His pages hear that it is about him, and load anew; all others hear it too.
        about = path[-36:].encode()
        until(lambda: about in his.received[0] and about in hers.received[0], bool, 20)
        _told("another role", began)
        assert not his.ended


@pytest.mark.parametrize("act", ["deactivate", "remove"])
def test_who_is_out_is_out_at_once(stack: Stack, owner: Person, act: str) -> None:
    ben = stack.member_of(owner)
    path = page_of(owner, ben)
    assert ben.api("GET", "me").ok
    with ben.get("/api/v1/events", stream=True) as page, open_streams(stack.url, ben.bearer, 1) as streams:
        assert page.status_code == 200
        owner.post(f"{path}/{act}", allow_redirects=False)
        began = time.monotonic()
        assert ben.api("GET", "me").status_code == 401
        gone = ben.get("/emails", allow_redirects=False)
        assert gone.status_code == 302
        assert gone.headers["Location"].startswith("/login")
        until(lambda: streams.ended, bool, 20)
        for _ in page.iter_lines():  # the one of the session ends too
            pass
        _told(act, began)
    assert (
        requests.get(
            f"{stack.url}/api/v1/events", headers={"Authorization": f"Bearer {ben.bearer}"}, timeout=10
        ).status_code
        == 401
    )
    token = ben.bearer
    ben.sign_in_again()
    said = words(ben.get("/emails"))
    if act == "deactivate":
        assert "Your account is deactivated" in said
        assert owner.email in said
        owner.post(f"{path}/reactivate")
        assert ben.get("/emails").status_code == 200
    else:
        assert "You belong to no organization" in said
    answer = requests.get(f"{stack.url}/api/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == (200 if act == "deactivate" else 401)


def test_a_token_that_is_revoked_ends_its_streams_and_no_others(stack: Stack, owner: Person) -> None:
    script, token = owner.bearer, owner.token("tablet")
    with Reader(stack, owner, bearer=token) as tablet, open_streams(stack.url, script, 1) as other:
        tokens = re.findall(r'action="(/account/tokens/[^"]+/revoke)"', owner.get("/account").text)
        assert len(tokens) == 2  # the newest first
        owner.post(tokens[0], allow_redirects=False)
        assert tablet.ends(20)
        assert not other.ended
    assert owner.api("GET", "me").ok


def test_a_demand_for_a_second_factor_holds_at_once(stack: Stack, owner: Person) -> None:
    """Of a manager who has none; see test_second_factor.py for the rest."""
    ben = stack.member_of(owner, "manager")
    token = ben.bearer
    with Reader(stack, ben) as page, Reader(stack, ben, bearer=token) as script:
        add_app(owner)
        owner.post(f"{PAGE}/required", {"required": "on"}, allow_redirects=False)
        began = time.monotonic()
        assert ben.api("GET", "me").json()["code"] == "second_factor_required"
        led = ben.get("/emails", allow_redirects=False)
        assert (led.status_code, led.headers["Location"]) == (302, PAGE)
        assert page.ends(20)
        assert script.ends(20)
        _told("a second factor", began)
