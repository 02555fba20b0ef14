"""What one copy says: its email with the values of its person, or as it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truesend.sending import merge
from truesend.sending.addresses import Mailbox
from truesend.sending.copies import own_values
from truesend.sending.models import Delivery


def of(delivery: Delivery, people: Mapping[str, Sequence[Mailbox]]) -> merge.Filled:
    """Subject, HTML and text of a copy. An email that everybody shares is never touched.

    Raises :class:`truesend.sending.merge.Unfilled` where a field has nothing, which the gates let nobody send.
    """
    email = delivery.email
    if not email.separate_copies:
        return merge.Filled(email.subject, email.html, email.text)
    person = next((one for group in people.values() for one in group), None)
    values = {**(own_values(person) if person else {}), **delivery.values}
    return merge.fill(merge.template(email.subject, email.html, email.text), values)
