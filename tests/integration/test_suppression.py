"""The list itself: one row for each reason, whoever adds at once; let in again; what is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from tests.rows import member

from truesend import clock
from truesend.suppression import listing
from truesend.suppression.addresses import keys_of
from truesend.suppression.listing import ConfirmationNeeded, New, allow, suppress, suppress_all, suppressed
from truesend.suppression.models import Suppression

pytestmark = pytest.mark.django_db(transaction=True)

INES = "Ines@Globex.example"


@pytest.fixture
def organization() -> UUID:
    return member().organization_id


def reasons(organization: UUID, address: str) -> list[str]:
    return [one.reason for one in listing.reasons_of(organization, address)]


def test_new_once_and_found_in_every_spelling(organization: UUID) -> None:
    assert suppress(organization, INES, reason="hard_bounce", source="5.1.1")
    assert not suppress(organization, "ines@globex.EXAMPLE", reason="hard_bounce")
    found = suppressed(organization, ["INES@globex.example", "ines+x@globex.example", "tom@globex.example"])
    assert list(found) == ["INES@globex.example"]
    one = found["INES@globex.example"]
    assert (one.reason, one.source, one.address, one.blocks) == ("hard_bounce", "5.1.1", INES, True)


def test_a_domain_in_its_two_spellings_is_one(organization: UUID) -> None:
    assert suppress(organization, "ana@münchen.example", reason="imported")
    assert "ana@xn--mnchen-3ya.example" in suppressed(organization, ["ana@xn--mnchen-3ya.example"])
    assert not suppress(organization, "Ana@XN--MNCHEN-3YA.example.", reason="imported")


def test_another_organization_has_a_list_of_its_own(organization: UUID) -> None:
    other = member("eve").organization_id
    assert suppress(organization, INES, reason="asked")
    assert suppressed(other, [INES]) == {}
    assert allow(other, INES, by="eve", confirmed=True) == 0
    assert INES in suppressed(organization, [INES])


def test_many_at_once_add_one_row(organization: UUID) -> None:
    def add(_: int) -> bool:
        try:
            return suppress(organization, INES, reason="hard_bounce")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(add, range(24)))
    assert new.count(True) == 1
    assert Suppression.objects.count() == 1


def test_what_says_most_is_told(organization: UUID) -> None:
    suppress(organization, INES, reason="imported")
    suppress(organization, INES, reason="asked")
    assert suppressed(organization, [INES])[INES].reason == "asked"
    suppress(organization, INES, reason="hard_bounce")
    assert suppressed(organization, [INES])[INES].reason == "hard_bounce"
    assert reasons(organization, INES) == ["hard_bounce", "asked", "imported"]


def test_allowed_again_is_history_and_a_new_bounce_counts(organization: UUID) -> None:
    early = clock.now() - timedelta(days=2)
    assert suppress(organization, INES, reason="hard_bounce", at=early)
    assert allow(organization, INES, by="tom@northwind.example") == 1
    assert allow(organization, INES, by="tom@northwind.example") == 0
    assert suppressed(organization, [INES]) == {}
    # The same bounce, read once more, is older than the permission.
    assert not suppress(organization, INES, reason="hard_bounce", at=early)
    assert suppressed(organization, [INES]) == {}
    assert suppress(organization, INES, reason="hard_bounce", at=clock.now() + timedelta(seconds=1))
    spells = listing.history(organization, INES)
    assert [(one.allowed_at is None, one.allowed_by) for one in spells] == [
        (True, ""),
        (False, "tom@northwind.example"),
    ]


def test_who_asked_is_let_in_only_by_somebody_who_says_so(organization: UUID) -> None:
    suppress(organization, INES, reason="asked")
    suppress(organization, INES, reason="hard_bounce")
    with pytest.raises(ConfirmationNeeded):
        allow(organization, INES, by="tom")
    assert reasons(organization, INES) == ["hard_bounce", "asked"]
    assert allow(organization, INES, by="tom", confirmed=True) == 2
    assert reasons(organization, INES) == []


def test_pages_go_through_all_once(organization: UUID) -> None:
    now = clock.now()
    given = [
        New(f"p{number}@x{number % 3}.example", "imported", at=now - timedelta(minutes=number // 4))
        for number in range(23)
    ]
    assert len(suppress_all(organization, given)) == 23
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        rows, cursor = listing.page(organization, cursor=cursor, size=5)
        seen += [one.address for one in rows]
    assert sorted(seen) == sorted(one.address for one in given)
    assert listing.count(organization) == 23


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ines", {"ines@globex.example"}),
        ("INES@GLOBEX.EXAMPLE", {"ines@globex.example"}),
        ("globex", {"ines@globex.example", "tom@globex.example"}),
        ("@globex.ex", {"ines@globex.example", "tom@globex.example"}),
        ("lobex", set()),
        ("%", set()),
        ("i_es", set()),
        ("a\x00b", set()),
    ],
)
def test_search(organization: UUID, words: str, found: set[str]) -> None:
    suppress_all(
        organization,
        [New(one, "imported") for one in ("ines@globex.example", "tom@globex.example", "eve@x.example")],
    )
    rows, _ = listing.page(organization, words=words, size=10)
    assert {one.address for one in rows} == found
    assert listing.count(organization, words=words) == len(found)


@pytest.mark.parametrize(
    "address", ["ines@globex.example", "Ines+News@GLOBEX.example", "o'brien_x@a-b.example"]
)
def test_sql_makes_the_same_keys(organization: UUID, address: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT truesend_suppression_keys(%s, %s)", [organization, address])
        (keys,) = cursor.fetchone()
    assert tuple(keys) == keys_of(organization, address)
