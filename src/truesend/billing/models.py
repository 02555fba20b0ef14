"""Of each organization: until when it tries, whom it is at Stripe, what Stripe last said, and what Stripe told of."""

from __future__ import annotations

from django.db import models

from truesend import clock
from truesend.billing.state import State


class BillingAccount(models.Model):
    """An organization's account: the inputs of :func:`truesend.billing.state.judge`, and what was last told of it.

    ``state`` and ``tier`` are what open pages were told; whoever decides asks for the standing at this moment.
    """

    organization = models.OneToOneField(
        "organizations.Organization", on_delete=models.CASCADE, primary_key=True, related_name="billing"
    )
    trial_ends_at = models.DateTimeField()
    # Stripe's customer; empty before the first Checkout. One customer is one organization's.
    customer = models.CharField(max_length=255, blank=True, default="", db_default="")
    state = models.CharField(max_length=10, choices=[(one.value, one.value) for one in State])
    tier = models.CharField(max_length=20, blank=True, default="", db_default="")
    # When it last became inactive, as it was written down; what is told of that is told once.
    stopped_at = models.DateTimeField(null=True)
    # When time alone changes the state or something is to be told; null: nothing is.
    look_at = models.DateTimeField(null=True)
    # Questions to Stripe are numbered as they begin; an answer counts where no later question was answered.
    asked = models.BigIntegerField(default=0, db_default=0)
    answered = models.BigIntegerField(default=0, db_default=0)
    reconcile_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[one.value for one in State]), name="billing_state_known"
            ),
            models.UniqueConstraint(
                fields=["customer"], condition=~models.Q(customer=""), name="billing_customer_once"
            ),
        ]
        indexes = [
            models.Index(fields=["look_at"], name="billing_look"),
            models.Index(fields=["reconcile_at"], name="billing_reconcile"),
        ]


class BillingSubscription(models.Model):
    """A subscription as Stripe last showed it."""

    account = models.ForeignKey(BillingAccount, on_delete=models.CASCADE, related_name="subscriptions")
    external_id = models.CharField(max_length=255, unique=True)
    # Stripe's own word; the list is open.
    status = models.CharField(max_length=40)
    price = models.CharField(max_length=255, blank=True)
    # Whether the setting names the price; where not, the tier is the last one that was known.
    price_known = models.BooleanField(default=True, db_default=True)
    tier = models.CharField(max_length=20)
    trial_ends_at = models.DateTimeField(null=True)
    period_ends_at = models.DateTimeField(null=True)
    # When it ends, where it was cancelled; null: it goes on.
    ends_at = models.DateTimeField(null=True)
    # When we first saw that a payment is owed: grace counts from there.
    past_due_since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(default=clock.now)


class BillingEvent(models.Model):
    """One thing that Stripe told, once, however often it was delivered."""

    class Status(models.TextChoices):
        """What became of it."""

        RECEIVED = "received", "Received"
        DONE = "done", "Done"
        IGNORED = "ignored", "Nothing of ours"
        FAILED = "failed", "Failed; Stripe delivers it again"

    event_id = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=120)
    customer = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    # How often it was delivered; why it failed or was ignored, in words without secrets.
    times = models.PositiveIntegerField(default=1)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["received", "done", "ignored", "failed"]),
                name="billing_event_status_known",
            ),
        ]
        indexes = [models.Index(fields=["received_at"], name="billing_event_age")]
