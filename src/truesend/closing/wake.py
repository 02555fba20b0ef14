"""Wake-ups for organizations whose days are over, and for those that are being erased."""

from __future__ import annotations

from contextlib import suppress

from procrastinate.exceptions import AlreadyEnqueued

from truesend import clock
from truesend.closing.models import Closing


def wake_all(most: int) -> None:
    """Wake up for everything that is due; after a worker's death too."""
    from truesend.closing.tasks import erase_organization

    due = Closing.objects.filter(look_at__lte=clock.now()).order_by("look_at")
    for organization_id in due.values_list("pk", flat=True)[:most]:
        name = f"erase:{organization_id}"
        with suppress(AlreadyEnqueued):
            erase_organization.configure(lock=name, queueing_lock=name).defer(
                organization_id=str(organization_id)
            )
