"""The table of signed-in browsers, in a file of its own beside :mod:`truesend.organizations.models`."""

from __future__ import annotations

from django.db import models

from truesend import clock


class SignedIn(models.Model):
    """A browser in which somebody is signed in, as far as it has been seen: what its owner is shown of a session.

    The session itself is Django's; this row says from where it is used, and goes with it.
    """

    user = models.ForeignKey("organizations.User", on_delete=models.CASCADE, related_name="signed_in")
    session_key = models.CharField(max_length=40, unique=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True)
    began_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)
