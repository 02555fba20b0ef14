"""What is left of a person on the list who is to be forgotten (ADR 0023): that they asked, and not who they are."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from truesend import live_events
from truesend.suppression.addresses import keys_of
from truesend.suppression.models import LeftOut, Reason, Suppression

# Of a reason that is kept so already nothing is to be kept twice.
_HASH = """
UPDATE suppression_suppression
   SET key = %(digest)s, domain = '', address = '', source = '', by = '', email = NULL, delivery = NULL
 WHERE organization_id = %(organization)s AND key = %(key)s
"""


def is_known(organization_id: UUID, address: str) -> bool:
    """Whether the list or its history names the address."""
    key, _ = keys_of(organization_id, address)
    return Suppression.objects.filter(organization=organization_id, key=key).exists()


def forget(organization_id: UUID, address: str) -> int:
    """Forget an address: bounces and history go, what was a wish stays as a digest; how many rows were changed."""
    key, digest = keys_of(organization_id, address)
    with transaction.atomic():
        LeftOut.objects.filter(organization=organization_id, address__iexact=address.strip()).delete()
        known = Suppression.objects.select_for_update().filter(organization=organization_id, key=key)
        count = known.count()
        kept = set(
            Suppression.objects.filter(organization=organization_id, key=digest, allowed_at=None).values_list(
                "reason", flat=True
            )
        )
        known.filter(allowed_at__isnull=False).delete()
        known.filter(reason__in=[Reason.HARD_BOUNCE, *kept]).delete()
        with connection.cursor() as cursor:
            cursor.execute(_HASH, {"organization": organization_id, "key": key, "digest": digest})
        if count:
            live_events.publish(organization_id, "account", [organization_id])
    return count
