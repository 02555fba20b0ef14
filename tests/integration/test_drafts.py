"""Storing a draft: saves that arrive together, in any order, and for somebody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.http import Http404
from tests.copies import member_of

from truesend.organizations.models import Member, Organization, Role
from truesend.sending.models import Email
from truesend.web.drafts import Changed, fields_of, save

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Member:
    return member_of(Organization.objects.create(name="Northwind"), "ana", Role.OWNER)


def words(member: Member, subject: str, **more: Any) -> dict[str, Any]:
    return fields_of(member, {"to": "ines@globex.example", "subject": subject, **more})


def test_the_last_words_of_a_page_stand_whichever_save_arrives_first(ana: Member) -> None:
    """A page that leaves while its first save is under way sends its last words without a revision."""
    together = Barrier(2)

    def keep(draft: UUID, subject: str, revision: int | None) -> None:
        together.wait(10)
        try:
            save(ana, draft, words(ana, subject, track=revision == 0, track_shown="1"), revision)
        except Changed:
            assert revision == 0  # it came late, and nobody hears of it
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(25):
            draft = uuid4()
            list(pool.map(keep, [draft, draft], ["first", "last"], [0, None]))
            (stored,) = Email.objects.filter(pk=draft)
            assert (stored.subject, stored.track) == ("last", False)


def test_the_same_save_twice_is_one_draft(ana: Member) -> None:
    draft = uuid4()
    assert save(ana, draft, words(ana, "once"), 0) == 1
    with pytest.raises(Changed) as told:
        save(ana, draft, words(ana, "once"), 0)
    assert told.value.same
    assert Email.objects.count() == 1


@pytest.mark.parametrize("revision", [None, 0, 1])
def test_the_id_of_somebody_elses_draft_is_none_of_ones_own(ana: Member, revision: int | None) -> None:
    draft = uuid4()
    save(ana, draft, words(ana, "mine"), 0)
    others = [
        member_of(ana.organization, "tom", Role.OWNER),
        member_of(Organization.objects.create(name="Globex"), "eve", Role.OWNER),
    ]
    for other in others:
        with pytest.raises(Http404):
            save(other, draft, words(other, "theirs"), revision)
    assert Email.objects.get().subject == "mine"
