"""Tables of tracking: hits as they were seen, how far segments are loaded, and signals with their reasons.

Deliveries, emails and organizations are named by id only: a link in a mailbox outlives them, and tracking
does not depend on sending.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Hit(models.Model):
    """One request for a pixel or a link; ``count`` > 1 stands for a flood of identical ones.

    Written by the loader's COPY only. ``ip``, ``user_agent`` and ``headers`` may be shortened or dropped once
    classified, as ``reduced`` tells; from then on the hit's answer stands.
    """

    class Reduced(models.IntegerChoices):
        NOT = 0
        SHORTENED = 1
        DROPPED = 2

    class Kind(models.TextChoices):
        OPEN = "open"
        CLICK = "click"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=5, choices=Kind.choices)
    delivery = models.UUIDField()
    link = models.IntegerField(null=True)
    method = models.CharField(max_length=4)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(db_default="")
    headers = models.JSONField(db_default={})
    # The address's /24 or /48; null where the address is no evidence (private, loopback).
    network = models.CharField(max_length=43, null=True)
    count = models.IntegerField(db_default=1)
    classified_at = models.DateTimeField(null=True)
    reduced = models.SmallIntegerField(choices=Reduced.choices, db_default=Reduced.NOT)

    class Meta:
        db_table = "tracking_hit"
        indexes = [
            models.Index(fields=["delivery", "id"], name="tracking_hit_delivery"),
            # The classifier's queue: empty nearly always, so nearly free.
            models.Index(fields=["id"], name="tracking_hit_pending", condition=Q(classified_at=None)),
            # One network over several recipients within seconds.
            models.Index(
                fields=["network", "at"], name="tracking_hit_network", condition=Q(network__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["open", "click"]), name="tracking_hit_kind"),
            models.CheckConstraint(condition=Q(count__gte=1), name="tracking_hit_count"),
        ]


class Forgotten(models.Model):
    """A delivery of which nothing is to be learned any more: its hits become no signals and go."""

    delivery = models.UUIDField(primary_key=True)
    organization = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        db_table = "tracking_forgotten"


class SegmentOffset(models.Model):
    """How many bytes of a segment are in the table; moved in the transaction that writes the hits."""

    segment = models.CharField(max_length=80, primary_key=True)
    folder = models.CharField(max_length=32)
    position = models.BigIntegerField()

    class Meta:
        db_table = "tracking_segmentoffset"


class Signal(models.Model):
    """What we say happened to a delivery: one row to a hit, or to a reply, bounce and so on without one.

    ``klass`` is the class of design §6, ``reason`` one sentence, ``confidence`` between 0 and 1, ``rule`` and
    ``rules_version`` name what decided. ``recipient`` is null where nobody can know which of several it was.
    """

    class Kind(models.TextChoices):
        OPEN = "open"
        CLICK = "click"
        REPLY = "reply"
        AUTO_REPLY = "auto_reply"
        BOUNCE = "bounce"
        DELAY = "delay"
        UNSUBSCRIBE = "unsubscribe"

    class Klass(models.TextChoices):
        PERSON = "person"
        PROXY = "proxy"
        PREFETCH = "prefetch"
        SCANNER = "scanner"
        SELF = "self"
        UNKNOWN = "unknown"

    id = models.BigAutoField(primary_key=True)
    organization = models.UUIDField()
    email = models.UUIDField()
    delivery = models.UUIDField()
    hit_id = models.BigIntegerField(null=True, unique=True)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    klass = models.CharField(max_length=8, choices=Klass.choices, db_column="class")
    confidence = models.FloatField()
    reason = models.TextField()
    rule = models.CharField(max_length=40)
    rules_version = models.CharField(max_length=20)
    at = models.DateTimeField()
    link = models.IntegerField(null=True)
    link_label = models.TextField(db_default="")
    link_target = models.TextField(db_default="")
    recipient = models.TextField(null=True)
    struck = models.BooleanField(db_default=False)
    count = models.IntegerField(db_default=1)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "tracking_signal"
        indexes = [
            models.Index(fields=["delivery", "at"], name="tracking_signal_delivery"),
            models.Index(fields=["email", "at"], name="tracking_signal_email"),
            # What did not arrive, of many emails at once.
            models.Index(
                fields=["email", "at"],
                condition=Q(kind__in=["bounce", "delay"]),
                name="tracking_signal_trouble",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=["open", "click", "reply", "auto_reply", "bounce", "delay", "unsubscribe"]
                ),
                name="tracking_signal_kind",
            ),
            models.CheckConstraint(
                condition=Q(klass__in=["person", "proxy", "prefetch", "scanner", "self", "unknown"]),
                name="tracking_signal_class",
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="tracking_signal_confidence"
            ),
        ]


class Tally(models.Model):
    """What counts of some signals, struck ones left out, so that no list counts rows.

    Written by a trigger on the signals alone, in the statement that changes them. ``level`` is what the strongest
    says (:func:`truesend.tracking.query.rank`), ``best`` that signal, the latest of equals, ``best_at`` its time.
    ``clicks`` are those by persons on the link of ``best``, ``scanned`` the links that were clicked at all,
    ``proxied`` whether a privacy proxy fetched.
    """

    level = models.SmallIntegerField()
    best = models.BigIntegerField(null=True)
    best_at = models.DateTimeField(null=True)
    clicks = models.IntegerField()
    scanned = models.IntegerField()
    proxied = models.BooleanField()

    class Meta:
        abstract = True


class CopyTally(Tally):
    """Of one delivery; a click or a reply implies that it was opened."""

    delivery = models.UUIDField(primary_key=True)
    email = models.UUIDField()
    opened = models.BooleanField()
    clicked = models.BooleanField()
    answered = models.BooleanField()

    class Meta:
        db_table = "tracking_copytally"
        indexes = [models.Index(fields=["email", "-level"], name="tracking_copytally_email")]


class EmailTally(Tally):
    """Of an email's copies: how many a person opened, clicked in, answered; the rest is that of the best copy.

    ``member`` and ``created_at`` are the email's, so that filters find a page of it by index.
    """

    email = models.UUIDField(primary_key=True)
    member = models.UUIDField()
    created_at = models.DateTimeField()
    opened = models.IntegerField()
    clicked = models.IntegerField()
    answered = models.IntegerField()

    class Meta:
        db_table = "tracking_emailtally"
        indexes = [
            models.Index(
                fields=["member", "-created_at", "-email"],
                name="tracking_emailtally_opened",
                condition=Q(opened__gt=0),
            ),
            models.Index(
                fields=["member", "-created_at", "-email"],
                name="tracking_emailtally_clicked",
                condition=Q(clicked__gt=0),
            ),
            models.Index(
                fields=["member", "-created_at", "-email"],
                name="tracking_emailtally_answered",
                condition=Q(answered__gt=0),
            ),
            # Perhaps read, and nobody can know: a proxy fetched it, or too little is seen.
            models.Index(
                fields=["member", "-created_at", "-email"],
                name="tracking_emailtally_doubt",
                condition=Q(level=3),
            ),
        ]
