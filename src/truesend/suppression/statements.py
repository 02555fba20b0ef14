"""The list asked from within a statement of somebody else's: about a copy, as it is read and as it leaves. Pure."""

from __future__ import annotations

_STRICT = "('hard_bounce', 'by_hand')"  # models.BLOCKS


def stands_on_it(*, organization: str, delivery: str, to_many: str) -> str:
    """The SQL condition that a copy goes to somebody who is on the list, as far as that stops it.

    The arguments are SQL expressions: the organization's id, the delivery's, and whether the email goes to many, which
    every reason stops; a single mail is stopped by some.
    """
    return (
        "EXISTS (SELECT FROM sending_recipient AS told JOIN suppression_suppression AS listed"
        f" ON listed.organization_id = {organization} AND listed.allowed_at IS NULL"
        f" AND listed.key = ANY(truesend_suppression_keys({organization}, told.address))"
        f" WHERE told.delivery_id = {delivery} AND ({to_many} OR listed.reason IN {_STRICT}))"
    )
