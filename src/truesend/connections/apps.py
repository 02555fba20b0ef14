"""The Django app `connections`."""

from collections.abc import Mapping

from django.apps import AppConfig

from truesend.providers import clients
from truesend.providers.clients import Stored


class Config(AppConfig):
    """Registers `truesend.connections`, and with the providers where stored clients are kept."""

    name = "truesend.connections"
    label = "connections"

    def ready(self) -> None:
        """Whoever comes back finds their connections asked anew; adapters know no database of stored clients."""
        from truesend.connections import probe
        from truesend.organizations import activity

        activity.on_return(probe.plan_soon)
        clients.use(_stored)


def _stored() -> Mapping[str, Stored]:
    from truesend.connections.clients import stored

    return stored()
