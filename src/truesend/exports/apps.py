"""The Django app `exports`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.exports`."""

    name = "truesend.exports"
    label = "exports"
