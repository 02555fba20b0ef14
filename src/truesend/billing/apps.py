"""The Django app `billing`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.billing`."""

    name = "truesend.billing"
    label = "billing"
