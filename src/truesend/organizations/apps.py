"""The Django app `organizations`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.organizations`."""

    name = "truesend.organizations"
    label = "organizations"
