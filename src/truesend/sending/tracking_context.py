"""What tracking needs to know of a delivery to judge a hit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from truesend import env
from truesend.organizations.models import SeenFrom
from truesend.providers import registry
from truesend.sending.models import Attempt, Delivery, Recipient
from truesend.tracking.addresses import is_loopback
from truesend.tracking.context import DeliveryContext, TrackedLink


def context_for(deliveries: Iterable[UUID]) -> Mapping[UUID, DeliveryContext]:
    """The context of each delivery that exists and has been started."""
    rows = list(Delivery.objects.filter(pk__in=list(deliveries)).select_related("email", "connection"))
    people: dict[UUID, list[str]] = defaultdict(list)
    for delivery_id, address in Recipient.objects.filter(delivery__in=rows).values_list(
        "delivery_id", "address"
    ):
        people[delivery_id].append(address)
    started = dict(
        Attempt.objects.filter(delivery__in=rows).order_by("-number").values_list("delivery_id", "started_at")
    )
    seen: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    members = {row.email.member_id for row in rows}
    # Elsewhere a proxy on this machine would make everybody look like the sender.
    dev = env.environment() == "dev"
    for one in SeenFrom.objects.filter(member__in=members):
        seen[one.member_id].append((one.ip, one.user_agent))
    return {
        row.pk: DeliveryContext(
            delivery=row.pk,
            email=row.email_id,
            organization=row.email.organization_id,
            sent_at=started.get(row.pk, row.email.created_at),
            delivered_at=row.sent_at,
            links=tuple(TrackedLink(link["index"], link["target"], link["text"]) for link in row.links),
            sender_ips=frozenset(ip for ip, _ in seen[row.email.member_id]),
            sender_agents=frozenset(agent for _, agent in seen[row.email.member_id]),
            sent_copy_behind_proxy=registry.provider(row.connection.provider).sent_copy_behind_proxy,
            recipients=tuple(people[row.pk]),
            sender_on_this_machine=dev and any(is_loopback(ip) for ip, _ in seen[row.email.member_id]),
        )
        for row in rows
    }
