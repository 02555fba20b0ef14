"""The Django app `sending`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.sending`."""

    name = "truesend.sending"
    label = "sending"
