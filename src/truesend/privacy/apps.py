"""The Django app `privacy`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.privacy`."""

    name = "truesend.privacy"
    label = "privacy"
