"""Whether providers tell of new mail at once, and what their calls were."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q, Sum

from truesend import clock, env
from truesend.diagnostics.findings import Finding, Fix, ok, unproven, warning
from truesend.inbox import push
from truesend.inbox.models import Mailbox, Push, PushCount
from truesend.providers import registry

CHECK = "new mail"
_LATE = timedelta(minutes=5)


def pushes() -> list[Finding]:
    """One line on looking, one on pushes, and one where calls were forged."""
    now = clock.now()
    late = Mailbox.objects.filter(
        due_at__lt=now - _LATE, connection__disconnected_at=None, connection__token__dead_at=None
    ).count()
    if late:
        return [
            warning(
                CHECK,
                f"{late:,} mailboxes are overdue to be looked into; replies and bounces are told late.",
                Fix("Start a worker, or more of them.", command="truesend worker"),
            )
        ]
    return [_pushes(), *_forged()]


def _pushes() -> Finding:
    try:
        on = push.is_on()
    except env.SettingError as error:
        return warning(CHECK, str(error), Fix("Set it to on or off.", settings=("TRUESEND_PUSH=off",)))
    if not on:
        return ok(
            CHECK, "Mailboxes are looked into; providers do not tell of new mail (TRUESEND_PUSH, https)."
        )
    unset = [one.push_unset() for one in registry.PROVIDERS.values() if one.pushes and one.push_unset()]
    held = Push.objects.filter(connection__disconnected_at=None)
    counted = held.aggregate(all=Count("pk"), failed=Count("pk", filter=~Q(cause="")))
    if counted["failed"]:
        words = held.exclude(cause="").order_by("-renew_at").values_list("words", flat=True).first()
        return warning(
            CHECK,
            f"{counted['failed']:,} of {counted['all']:,} mailboxes are not told of at once: “{words}”. "
            "They are looked into all the same.",
            Fix("See that the public address is reached from outside under https."),
        )
    rest = f" {' '.join(unset)}" if unset else ""
    told = f"Providers tell of new mail for {counted['all']:,} mailboxes; all are looked into besides.{rest}"
    return unproven(CHECK, told) if not counted["all"] else ok(CHECK, told)


def _forged() -> list[Finding]:
    week = clock.now().date() - timedelta(days=7)
    forged = PushCount.objects.filter(result=PushCount.Result.FORGED, day__gte=week).aggregate(
        n=Sum("count")
    )["n"]
    if not forged:
        return []
    return [
        unproven(CHECK, f"{forged:,} calls to /webhooks/ in a week were not a provider's, and were refused.")
    ]
