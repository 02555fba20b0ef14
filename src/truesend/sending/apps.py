"""The Django app `sending`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.sending`, and tells tracking whom to ask about deliveries, and probes who waits for one."""

    name = "truesend.sending"
    label = "sending"

    def ready(self) -> None:
        """Tracking and connections do not import sending; they ask what is registered here."""
        from truesend.connections import probe
        from truesend.sending import limits
        from truesend.sending.tracking_context import context_for
        from truesend.tracking import context

        context.register(context_for)
        probe.on_answer(limits.answered)
