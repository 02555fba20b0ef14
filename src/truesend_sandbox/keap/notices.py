"""What Keap pushes to the addresses of REST hooks: that something changed, and not what."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from truesend_sandbox import pushing
from truesend_sandbox.keap.people import PROVIDER
from truesend_sandbox.world import World


def changed(world: World, tenant: str) -> None:
    """Something of a contact has changed: told without saying what."""
    at = datetime.fromtimestamp(world.clock.now(), UTC).isoformat()
    for row in world.store.all(
        "SELECT * FROM keap_hooks WHERE tenant = ? AND event = 'contact.edit' AND status = 'Verified'", tenant
    ):
        told = {
            "event_key": row["event"],
            "object_type": "contact",
            "object_keys": [{"id": 1, "timestamp": at}],
        }
        pushing.push(
            world, PROVIDER, None, row["url"], json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
