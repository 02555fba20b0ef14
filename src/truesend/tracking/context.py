"""What tracking has to know about a delivery, told by whoever sends.

Tracking does not depend on sending: sending registers a function here when it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TrackedLink:
    """A link as it stands in the delivery's tokens: its index, where it leads, and what it shows."""

    index: int
    target: str
    text: str


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """One delivery as the classifier sees it.

    ``sender_ips`` and ``sender_agents`` are the addresses and user agents its sender uses Truesend with.
    ``recipients`` are the addresses of this copy: more than one is a shared thread. ``sender_on_this_machine``: the
    sender uses Truesend on the machine it runs on, so that a look from there is theirs.
    """

    delivery: UUID
    email: UUID
    organization: UUID
    sent_at: datetime
    delivered_at: datetime | None
    links: tuple[TrackedLink, ...]
    sender_ips: frozenset[str]
    sender_agents: frozenset[str]
    sent_copy_behind_proxy: bool
    recipients: tuple[str, ...]
    sender_on_this_machine: bool = False


ContextFor = Callable[[Iterable[UUID]], Mapping[UUID, DeliveryContext]]
_registered: list[ContextFor] = []


def register(context_for: ContextFor) -> None:
    """Name the function that knows deliveries; those it leaves out no longer exist."""
    _registered[:] = [context_for]


def context_for(deliveries: Iterable[UUID]) -> Mapping[UUID, DeliveryContext]:
    """The deliveries that exist among ``deliveries`` and are not forgotten, which is the same here.

    Raises ``RuntimeError`` when nobody registered.
    """
    if not _registered:
        raise RuntimeError("Nothing registered truesend.tracking.context: is truesend.sending installed?")
    from truesend.tracking.models import Forgotten

    wanted = set(deliveries)
    return _registered[0](
        wanted.difference(Forgotten.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    )
