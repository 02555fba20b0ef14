"""The Django app `connections`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.connections`."""

    name = "truesend.connections"
    label = "connections"
