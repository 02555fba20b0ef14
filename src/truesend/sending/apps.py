"""The Django app `sending`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.sending`, and tells tracking whom to ask about deliveries."""

    name = "truesend.sending"
    label = "sending"

    def ready(self) -> None:
        """Tracking does not import sending; it asks what is registered here."""
        from truesend.sending.tracking_context import context_for
        from truesend.tracking import context

        context.register(context_for)
