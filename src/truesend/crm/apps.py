"""The Django app `crm`."""

from django.apps import AppConfig


class Config(AppConfig):
    """Registers `truesend.crm`."""

    name = "truesend.crm"
    label = "crm"
