"""What one request knows of its member, asked for once, however many parts of the page want it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from uuid import UUID

from django.http import HttpRequest

from truesend.connections.describe import Description, described_all
from truesend.organizations import finding
from truesend.organizations.access import connections_of
from truesend.organizations.finding import Numbers
from truesend.organizations.models import Member


class PageFacts:
    """Of one member, as of one request."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._numbers: Numbers | None = None

    @cached_property
    def mailboxes(self) -> Mapping[UUID, Description]:
        """Every connection the member sees, the disconnected ones too, by id."""
        described = described_all(connections_of(self.member))
        for one in described:
            one.connection.organization = self.member.organization  # nobody need ask for it
        return {one.connection.pk: one for one in described}

    @property
    def connected(self) -> list[Description]:
        """Those that are not disconnected."""
        return [one for one in self.mailboxes.values() if one.connection.disconnected_at is None]

    def numbers(self, *, of_the_list: bool = False) -> Numbers:
        """How many emails there are; with what the list says of them where it is the list that asks."""
        if self._numbers is None or (of_the_list and self._numbers.listed is None):
            self._numbers = finding.numbers(self.member, of_the_list=of_the_list)
        return self._numbers


def facts_of(request: HttpRequest, member: Member) -> PageFacts:
    """The facts of this request, begun at the first question."""
    known: PageFacts | None = getattr(request, "page_facts", None)
    if known is None or known.member.pk != member.pk:
        known = PageFacts(member)
        request.page_facts = known  # type: ignore[attr-defined]
    return known
