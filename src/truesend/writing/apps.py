"""The Django app `writing`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.writing`."""

    name = "truesend.writing"
    label = "writing"
