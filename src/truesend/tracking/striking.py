"""Striking a signal: a member knows better. It stays on the timeline, counts nowhere, and may come back."""

from __future__ import annotations

from django.db import transaction

from truesend import clock, live_events
from truesend.tracking.models import Signal


def strike(signal: Signal, *, struck: bool) -> bool:
    """Strike it, or take that back; whether that changed anything. Open pages are told after the commit.

    Judging its hit again later leaves it struck: newer evidence corrects what we said, not what a member said.
    """
    with transaction.atomic():
        changed = Signal.objects.filter(pk=signal.pk, struck=not struck).update(
            struck=struck, changed_at=clock.now()
        )
        if changed:
            live_events.publish(signal.organization, "signal", [signal.pk])
    signal.struck = struck
    return changed == 1
