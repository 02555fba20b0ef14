"""The list of people of an email, and what a person lowered a mailbox's day to."""

from __future__ import annotations

from django.db import models

from truesend import clock


class PeopleList(models.Model):
    """People with values for merge fields, as they were read from a file or a paste; checked once, when it came."""

    email = models.OneToOneField(
        "sending.Email", on_delete=models.CASCADE, primary_key=True, related_name="people_list"
    )
    # Of the file; empty where it was pasted.
    name = models.CharField(max_length=255, blank=True)
    # What was found: “UTF-8, comma”.
    form = models.CharField(max_length=60, blank=True)
    # [[name, title]]
    columns = models.JSONField(default=list)
    # [[line, address, name, {column: value}]]
    people = models.JSONField(default=list)
    # [[line, reason, what stands there]]
    bad = models.JSONField(default=list)
    leave_out = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)


class MailboxBudget(models.Model):
    """How many emails a person wants a mailbox to send in 24 hours at most; without a row, what its provider takes."""

    connection = models.OneToOneField(
        "connections.Connection", on_delete=models.CASCADE, primary_key=True, related_name="budget"
    )
    messages = models.PositiveIntegerField()
    changed_at = models.DateTimeField(default=clock.now)
