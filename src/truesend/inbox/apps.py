"""The Django app `inbox`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.inbox`: whoever comes back finds their mailboxes read anew."""

    name = "truesend.inbox"
    label = "inbox"

    def ready(self) -> None:
        """What was to be read in half an hour is read now."""
        from truesend.inbox import mailboxes
        from truesend.organizations import activity

        activity.on_return(mailboxes.read_soon)
