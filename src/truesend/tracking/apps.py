"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """Hits, signals, and how one becomes the other."""

    name = "truesend.tracking"
    label = "tracking"
