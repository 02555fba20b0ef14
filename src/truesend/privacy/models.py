"""How far the work on what is kept has come: it may stop at any moment, and goes on where it was."""

from __future__ import annotations

from django.db import models

from truesend.organizations.models import Organization


class Pass(models.Model):
    """A walk over a table by id: one row to a kind of walk, locked by whoever does the next step.

    ``cursor`` is the last id that was looked at, ``until`` the one at which the walk ends; null: it never ends, or
    has not begun. A walk that ended begins again at ``due_at``.
    """

    class Name(models.TextChoices):
        JUDGED = "judged"  # hits, as soon as their answers are settled
        KEPT = "kept"  # all hits, once a day: how long evidence is kept
        SIGNALS = "signals"  # all signals, once a day

    name = models.CharField(max_length=8, primary_key=True, choices=Name.choices)
    cursor = models.BigIntegerField(default=0)
    until = models.BigIntegerField(null=True)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "privacy_pass"


class History(models.Model):
    """An organization's past hits on their way to a stricter level, from its newest email to its oldest.

    ``total`` and ``done`` count emails; ``at`` and ``email`` are the last one done. ``finished_at`` is null while
    it is under way.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="history"
    )
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(null=True)
    email = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "privacy_history"
        indexes = [
            models.Index(
                fields=["started_at"], name="privacy_history_open", condition=models.Q(finished_at=None)
            )
        ]
