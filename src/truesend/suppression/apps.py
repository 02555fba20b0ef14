"""The Django app `suppression`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.suppression`."""

    name = "truesend.suppression"
    label = "suppression"
