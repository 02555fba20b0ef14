"""The table of who gets what: complete, and sound whatever the answers are; `test_access_matrix.py` asks for them."""

from __future__ import annotations

from tests import access
from tests.access import INACTIVE, MANAGER, NOBODY, OWNER, SIGN_IN, STRANGER, USER
from tests.routes import DRAFTS, OPEN

CALLS = access.calls()
_HINT = (
    "docs/access.md: run `WRITE_ACCESS=1 .venv/bin/python -m pytest tests/integration/test_access_matrix.py`, look at "
    "every line that changes, and keep it if it is as it should be"
)


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    wanted, found = [access.key(call) for call in CALLS], list(access.table())
    assert [one for one in wanted if one not in found] == [], _HINT
    assert found == wanted, _HINT


def test_the_table_is_sound() -> None:
    table = access.table()
    for call in CALLS:
        cells = table[access.key(call)]
        assert "500" not in cells.values()
        if call.is_api or call.route not in OPEN:
            assert cells[NOBODY] == ("401" if call.is_api else SIGN_IN)
        if call.kind and call.route not in DRAFTS:
            assert cells[STRANGER] == "404"
            if call.kind == "another’s":
                assert {cells[one] for one in (USER, MANAGER, OWNER)} == {"404"}
        # Each role includes the ones after it.
        may = [cells[one] != "403" for one in (OWNER, MANAGER, USER)]
        assert may == sorted(may, reverse=True), call


def test_an_inactive_account_stops_what_sends_and_connects_and_nothing_else() -> None:
    stopped = {one for one, cells in access.table().items() if cells[INACTIVE] != cells[OWNER]}
    assert stopped == {
        "GET `/oauth/{provider}/start` ",
        "POST `/emails/drafts/{email_id}/send` own",
        "GET `/emails/held/{connection_id}` own",
        "POST `/emails/held/{connection_id}` own",
        "POST `/api/v1/emails` ",
        "POST `/api/v1/emails/{email_id}/release` own",
        "POST `/api/v1/emails/{email_id}/reschedule` own",
        "POST `/api/v1/connections/{connection_id}/test-email` own",
        "POST `/api/v1/connections/{connection_id}/test-email` shared",
    }
