"""The Django app `connections`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.connections`."""

    name = "truesend.connections"
    label = "connections"

    def ready(self) -> None:
        """Whoever comes back finds their connections asked anew."""
        from truesend.connections import probe
        from truesend.organizations import activity

        activity.on_return(probe.plan_soon)
