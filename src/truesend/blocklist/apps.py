"""The Django app `blocklist`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.blocklist`."""

    name = "truesend.blocklist"
    label = "blocklist"
