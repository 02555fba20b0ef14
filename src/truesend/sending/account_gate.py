"""The gate that asks whether the organization's account lets anything leave, and whether its plan includes it."""

from __future__ import annotations

from truesend.billing import account, tiers, words
from truesend.billing.tiers import Feature
from truesend.connections.causes import Action, Who
from truesend.connections.describe import people_who
from truesend.organizations import ending, roles
from truesend.organizations.models import Member
from truesend.sending.gate import Draft, Gate

BILLING = "/account/billing"
ASK = "Ask an owner"


def judge(member: Member, draft: Draft) -> Gate:
    """Open while the account tries, is paid for, or is owed for no longer than the days of grace, and stays."""
    # The codes stand in each call: docs/readiness.md is written from there.
    if member.organization.ends_at is not None:
        said = f"{ending.sentence(member.organization)} {ending.STOPPED}"
        return Gate("account", False, "organization_ends", said, ending.fix(member), _who(member))
    standing = account.standing(member.organization_id)
    if not standing.sends:
        said = f"{words.inactive(member.organization.name, standing)} {words.STOPPED}"
        return Gate("account", False, "account_inactive", said, fix(member, Action.REACTIVATE), _who(member))
    assert standing.tier is not None
    is_mailing = (draft.separate_copies and len(draft.recipients) > 1) or draft.one_of_many
    if is_mailing and not standing.tier.has(Feature.MAILINGS):
        least, has = tiers.least_with(Feature.MAILINGS).name, standing.tier.name
        said = f"Separate copies are part of {least}; {member.organization.name} has {has}."
        return Gate("account", False, "tier_lacks", said, fix(member, "Change the plan"), _who(member))
    return Gate("account", True)


def _who(member: Member) -> list[dict[str, str]]:
    """Whatever shuts it, the owners open it."""
    return people_who(Who.OWNERS, member)


def fix(member: Member, label: str) -> dict[str, str]:
    """What helps: for an owner the billing page, for everybody else a question to one."""
    if roles.allows(member.role, roles.Action.PAY):
        return {"label": label, "url": BILLING}
    return {"label": ASK, "url": f"{BILLING}/ask"}
