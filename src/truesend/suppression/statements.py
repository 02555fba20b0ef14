"""The list asked from within the statements that every email costs: as a copy is read, and as it leaves. Pure.

The argument is the alias of the delivery in the statement around it.
"""

from __future__ import annotations

_STRICT = "('hard_bounce', 'by_hand')"  # models.BLOCKS


def to_many(delivery: str) -> str:
    """The SQL condition that a copy belongs to an email in separate copies to more than one person."""
    return (
        "EXISTS (SELECT FROM sending_email AS whole"  # noqa: S608
        f" WHERE whole.id = {delivery}.email_id AND whole.separate_copies"
        " AND (EXISTS (SELECT FROM sending_delivery AS other"
        f" WHERE other.email_id = whole.id AND other.id <> {delivery}.id)"
        ' OR cardinality(whole."to") + cardinality(whole.cc) + cardinality(whole.bcc) > 1))'
    )


def stops(delivery: str) -> str:
    """The SQL condition that the list keeps a copy from its people, as the gate of the recipients says."""
    return (
        "EXISTS (SELECT FROM sending_email AS mail JOIN sending_recipient AS told"
        f" ON told.delivery_id = {delivery}.id JOIN suppression_suppression AS listed"
        " ON listed.organization_id = mail.organization_id AND listed.allowed_at IS NULL"
        " AND listed.key = ANY(truesend_suppression_keys(mail.organization_id, told.address))"
        f" WHERE mail.id = {delivery}.email_id AND (listed.reason IN {_STRICT} OR {to_many(delivery)}))"
    )


def copies(email: str, most: int) -> str:
    """The SQL number of an email's copies, with those of the one that it writes again; counted up to ``most``."""
    return (
        "(SELECT count(*) FROM (SELECT FROM sending_delivery AS one"  # noqa: S608
        f" WHERE one.email_id IN ({email}.id, {email}.corrects_id) LIMIT {most}) AS counted)"
    )
