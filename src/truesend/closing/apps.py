"""The Django app `closing`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.closing`."""

    name = "truesend.closing"
    label = "closing"
