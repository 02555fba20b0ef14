"""The Django app `alerts`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.alerts`."""

    name = "truesend.alerts"
    label = "alerts"
