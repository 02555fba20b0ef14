"""The Django app `web`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.web`."""

    name = "truesend.web"
    label = "web"
