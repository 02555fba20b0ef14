"""The list itself: one row for each reason, whoever adds at once; let in again; what is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from tests.rows import member

from truesend import clock
from truesend.privacy import forget
from truesend.sending.people_file import Unreadable
from truesend.suppression import listing, transfer
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


def test_forgetting_keeps_a_wish_and_no_name(organization: UUID) -> None:
    early = clock.now() - timedelta(days=9)
    suppress(
        organization,
        INES,
        reason="by_hand",
        at=early,
        source="Ines Moreau, Globex",
        by="tom@northwind.example",
    )
    allow(organization, INES, by="tom@northwind.example")
    for reason in ("asked", "hard_bounce", "imported"):
        assert suppress(organization, INES, reason=reason, source=f"of {INES}")
    known = forget.known(organization, INES)
    assert (known.copies, known.listed) == (0, True)
    forget.forget(organization, INES, by="a test")
    rows = list(Suppression.objects.all())
    assert sorted(one.reason for one in rows) == ["asked", "imported"]
    for one in rows:
        assert (one.address, one.source, one.by, one.email, one.delivery, one.domain) == (
            "",
            "",
            "",
            None,
            None,
            "",
        )
        assert "ines" not in one.key
    # It still holds, in Python and in the statements that every email costs.
    assert suppressed(organization, ["INES@globex.example"])["INES@globex.example"].reason == "asked"
    assert not forget.known(organization, INES).listed
    # Asked again they are no new entry, and forgotten again nothing happens.
    assert not suppress(organization, INES, reason="asked")
    forget.forget(organization, INES, by="a test")
    assert Suppression.objects.count() == 2
    # Found by whoever names them, and in no export.
    rows, _ = listing.page(organization, words=INES, size=10)
    assert len(rows) == 2
    assert "".join(transfer.give_out(organization)).count("\n") == 1
    # A new bounce is a new fact.
    assert suppress(organization, INES, reason="hard_bounce", at=clock.now() + timedelta(seconds=1))
    forget.forget(organization, INES, by="a test")
    with pytest.raises(ConfirmationNeeded):
        allow(organization, INES, by="tom")
    assert allow(organization, INES, by="tom", confirmed=True) == 2
    assert suppressed(organization, [INES]) == {}


def test_a_file_goes_out_and_comes_in_the_same(organization: UUID) -> None:
    other = member("eve").organization_id
    now = clock.now().replace(microsecond=0)
    given = [
        New("=1+1@x.example", "asked", "She, “said” so", now - timedelta(days=3)),
        New("ines@globex.example", "hard_bounce", "=cmd", now - timedelta(days=2)),
        New("tom@globex.example", "by_hand", "", now - timedelta(days=1)),
        # For another reason too, which stops less: neither replaces the other.
        New("Ines@globex.example", "imported", "list", now - timedelta(hours=1)),
    ]
    suppress_all(organization, given, by="ana@northwind.example")
    text = "".join(transfer.give_out(organization))
    assert "\n=" not in text
    assert ",=" not in text
    done = transfer.take_in(other, text.encode(), name="all.csv", by="eve@northwind.example")
    assert (done.new, done.known, done.bad) == (4, 0, ())
    rows, _ = listing.page(other, size=10)
    found = [(one.address, one.reason, one.source, one.at) for one in rows]
    assert found == [
        ("Ines@globex.example", "imported", "list", now - timedelta(hours=1)),
        ("tom@globex.example", "by_hand", "File all.csv", now - timedelta(days=1)),
        ("ines@globex.example", "hard_bounce", "=cmd", now - timedelta(days=2)),
        ("=1+1@x.example", "asked", "She, “said” so", now - timedelta(days=3)),
    ]
    again = transfer.take_in(other, text.encode(), name="all.csv", by="eve@northwind.example")
    assert (again.new, again.known) == (0, 4)


@pytest.mark.parametrize(
    ("content", "new", "lines"),
    [
        (b"ines@globex.example\n", 1, []),
        (b"email\nines@globex.example\n\nINES@globex.example\nnobody\n,\n", 1, [4, 5]),
        ("Adresse;Name\nmüller@x.example;M\nmax@münchen.example;M\n".encode("cp1252"), 1, [2]),
        (b"\xef\xbb\xbfemail,status,since\na@x.example,Bounced,2031-01-01\nb@x.example,whatever,?\n", 2, []),
    ],
)
def test_a_file_is_checked_row_by_row(organization: UUID, content: bytes, new: int, lines: list[int]) -> None:
    done = transfer.take_in(organization, content, name="", by="ana")
    assert done.new == new
    assert [one.line for one in done.bad] == lines
    assert all(one.at <= clock.now() for one in Suppression.objects.all())


def test_a_file_that_is_none(organization: UUID) -> None:
    for content in (b"", b"PK\x03\x04", b"name\nInes\n"):
        with pytest.raises(Unreadable):
            transfer.take_in(organization, content, name="x", by="ana")


def test_a_hundred_thousand(organization: UUID) -> None:
    given = [New(f"person{number}@d{number % 500}.example", "asked") for number in range(98_000)]
    for start in range(0, len(given), 10_000):
        suppress_all(organization, given[start : start + 10_000])
    rows = "\n".join(f"person{number}@d{number % 500}.example,asked" for number in range(97_000, 100_000))
    done = transfer.take_in(organization, f"email,reason\n{rows}\n".encode(), name="all.csv", by="ana")
    assert (done.new, done.known, done.bad) == (2_000, 1_000, ())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE suppression_suppression")
    assert listing.count(organization) == 100_000
    found, following = listing.page(organization, words="person77777@", size=5)
    assert [one.address for one in found] == ["person77777@d277.example"]
    assert following is None
    first, cursor_ = listing.page(organization, size=50)
    second, _ = listing.page(organization, cursor=cursor_ or "", size=50)
    assert len({one.pk for one in [*first, *second]}) == 100
    assert sum(part.count("\n") for part in transfer.give_out(organization)) == 100_001
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN SELECT * FROM suppression_suppression WHERE organization_id = %s AND allowed_at IS NULL"
            " ORDER BY at DESC, id DESC LIMIT 51",
            [organization],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "suppression_newest" in plan
    assert "Sort" not in plan
