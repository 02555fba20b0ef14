"""What is told by mail: connections in trouble, what an operator has to repair, and what people ask of each other.

A mail is a row before it is sent, planned in the transaction of what it tells of.
"""

from __future__ import annotations

import uuid

from django.db import models

from truesend import clock
from truesend.connections.models import Connection


class Trouble(models.Model):
    """A connection to be looked at: one that is broken, was so a moment ago, or has met a failure since.

    Rows are begun, and told of every proof that may change them, by a trigger on the proofs (see the first migration),
    so that no writer of proofs can forget it. One that is nothing any more goes.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, db_index=False)
    # Counted by the trigger: whoever judges guards their word with what they have seen.
    changes = models.BigIntegerField(default=0, db_default=0)
    look_at = models.DateTimeField(db_index=True)
    # Since when it is broken; null where it is not.
    since = models.DateTimeField(null=True)
    cause = models.CharField(max_length=60, blank=True, default="", db_default="")
    # Whether its people were told of this spell; what ends untold needs no good news either.
    told = models.BooleanField(default=False, db_default=False)
    # After good news, the next bad ones wait so long: what goes to and fro is told once.
    quiet_until = models.DateTimeField(null=True)


class ClientTrouble(models.Model):
    """What an operator has to repair at a provider: one thing, however many connections meet it."""

    provider = models.CharField(max_length=20, primary_key=True)
    # Null where it is over.
    since = models.DateTimeField(null=True)
    cause = models.CharField(max_length=60)
    # What was refused: a good answer of the same ends it.
    check_name = models.CharField(max_length=10)
    ended_at = models.DateTimeField(null=True)


class Letter(models.Model):
    """One mail to one address. Taken by a guarded UPDATE; one that was taken and never sent is taken again."""

    class Kind(models.TextChoices):
        """What it tells."""

        BROKEN = "broken", "a connection is in trouble"
        RECOVERED = "recovered", "a connection works again"
        CLIENT = "client", "an operator has to repair something"
        CLIENT_WORKS = "client_works", "it is repaired"
        DUE = "due", "scheduled mail would not leave"
        ASK = "ask", "somebody asks for something"
        DONE = "done", "what was asked for is done"
        ACCOUNT = "account", "an organization's account ends, has ended, or is odd"
        HOST = "host", "an organization's tracking host does not lead here"
        HOST_LEADS = "host_leads", "it does again"
        CLOSING = "closing", "an organization is to be deleted"
        KEPT = "kept", "it stays after all"
        # Names what is gone, so its row goes as soon as it has left.
        CLOSED = "closed", "an organization or an account is deleted"

    id = models.BigAutoField(primary_key=True)
    # What it is about: the same is told to an address once.
    about = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    address = models.EmailField(max_length=254)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    planned_at = models.DateTimeField(default=clock.real_now)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["about", "kind", "address"], name="letter_once"),
        ]
        indexes = [
            models.Index(
                fields=["planned_at"], condition=models.Q(sent_at__isnull=True), name="letter_waits"
            ),
        ]


class Ask(models.Model):
    """Somebody asks somebody who may to connect an account or to help a connection."""

    class Ended(models.TextChoices):
        """How it ended."""

        DONE = "done", "It was done."
        GONE = "gone", "The connection was disconnected."
        LATE = "late", "Nobody did it for a long time."

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asker = models.ForeignKey("organizations.Member", on_delete=models.CASCADE, related_name="asks")
    asked = models.ForeignKey("organizations.Member", on_delete=models.CASCADE, related_name="asked_of")
    provider = models.CharField(max_length=20)
    # Null: an account of the provider is to be connected for everybody.
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True)
    # Where the asker goes on when it is done.
    next_path = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    # The last mail about it; null where somebody else's question had just said the same.
    mailed_at = models.DateTimeField(null=True)
    # What was proved until then did not end it.
    looked_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=10, choices=Ended.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asker", "provider", "connection"],
                condition=models.Q(ended_at__isnull=True),
                name="ask_once_at_a_time",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(ended_at__isnull=True), name="ask_waits"),
        ]
