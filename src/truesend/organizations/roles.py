"""Who may do what: one table of actions and roles, read by every gate, by `docs/roles.md` and by the page Team. Pure.

A row says what an action is, which roles may do it, and what is said to everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import TextChoices


class Role(TextChoices):
    """What a member may do; each role includes the ones after it."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    USER = "user", "User"


class Action(StrEnum):
    """What somebody does that not everybody may do, or that people ask about."""

    SEND = "send"
    CONNECT_OWN = "connect_own"
    CONNECT_SHARED = "connect_shared"
    MANAGE_SHARED = "manage_shared"
    SHARE_OWN = "share_own"
    WRITE_SHARED = "write_shared"
    SUPPRESS = "suppress"
    GOVERN = "govern"
    CHOOSE_MAILBOXES = "choose_mailboxes"
    PAY = "pay"
    REQUIRE_FACTORS = "require_factors"
    SEE_AUDIT = "see_audit"
    SEE_TEAM = "see_team"
    INVITE_USERS = "invite_users"
    INVITE_MANAGERS = "invite_managers"
    HANDLE_USERS = "handle_users"
    HANDLE_MANAGERS = "handle_managers"
    CHANGE_ROLES = "change_roles"
    EXPORT_OWN = "export_own"
    EXPORT_ALL = "export_all"
    END = "end"


@dataclass(frozen=True)
class Rule:
    """A row: what is done (``words``), by which ``roles``, and the sentence for whoever may not."""

    words: str
    roles: tuple[Role, ...]
    refusal: str


EVERYBODY = (Role.OWNER, Role.MANAGER, Role.USER)
MANAGERS = (Role.OWNER, Role.MANAGER)
OWNERS = (Role.OWNER,)

TABLE: Mapping[Action, Rule] = {
    Action.SEND: Rule(
        "Write and send from shared accounts and from mailboxes of one’s own",
        EVERYBODY,
        "Your role does not send.",
    ),
    Action.CONNECT_OWN: Rule(
        "Connect, check and disconnect a mailbox of one’s own, where the organization allows those",
        EVERYBODY,
        "Your role connects no mailbox.",
    ),
    Action.CONNECT_SHARED: Rule(
        "Connect an account for everybody", MANAGERS, "Only an owner or manager can connect a shared account."
    ),
    Action.MANAGE_SHARED: Rule(
        "Reconnect, check, limit and disconnect a shared account",
        MANAGERS,
        "Only an owner or manager can change a shared connection.",
    ),
    Action.SHARE_OWN: Rule(
        "Share one’s own mailbox with everybody, and take it back",
        MANAGERS,
        "Only the owner of a mailbox can share it, if they are an owner or manager here.",
    ),
    Action.WRITE_SHARED: Rule(
        "Write templates and snippets for everybody",
        MANAGERS,
        "Only an owner or manager can change a shared template. Duplicate it to have your own.",
    ),
    Action.SUPPRESS: Rule(
        "Change the suppression list, which everybody reads",
        MANAGERS,
        "Only an owner or manager can change the suppression list.",
    ),
    Action.GOVERN: Rule(
        "Say what the organization is called, what is tracked and how long it is kept; forget a recipient",
        MANAGERS,
        "Only an owner or manager can change what holds for everybody.",
    ),
    Action.CHOOSE_MAILBOXES: Rule(
        "Say whether members may send from mailboxes of their own",
        OWNERS,
        "Only an owner can say whose mailboxes are sent from.",
    ),
    Action.PAY: Rule(
        "Pay, change the plan and cancel", OWNERS, "Only an owner can pay, change the plan or cancel."
    ),
    Action.REQUIRE_FACTORS: Rule(
        "Say whether owners and managers need a second factor",
        OWNERS,
        "Only an owner can ask for second factors.",
    ),
    Action.SEE_AUDIT: Rule(
        "See and export what was done here, and by whom",
        MANAGERS,
        "Only an owner or manager sees what was done and by whom.",
    ),
    Action.SEE_TEAM: Rule(
        "See who is in the team, and leave it", EVERYBODY, "Your role does not see the team."
    ),
    Action.INVITE_USERS: Rule(
        "Invite users; send their invitations again and revoke them",
        MANAGERS,
        "Only an owner or manager can invite somebody.",
    ),
    Action.INVITE_MANAGERS: Rule(
        "Invite managers; send their invitations again and revoke them",
        OWNERS,
        "Only an owner can invite a manager.",
    ),
    Action.HANDLE_USERS: Rule(
        "Deactivate, reactivate and remove users",
        MANAGERS,
        "Only an owner or manager can deactivate or remove somebody.",
    ),
    Action.HANDLE_MANAGERS: Rule(
        "Deactivate, reactivate and remove managers and owners",
        OWNERS,
        "Only an owner can deactivate or remove a manager or owner.",
    ),
    Action.CHANGE_ROLES: Rule(
        "Change a member’s role, and hand the ownership over",
        OWNERS,
        "Only an owner can change a role.",
    ),
    Action.EXPORT_OWN: Rule(
        "Take away what is one’s own, and delete one’s account", EVERYBODY, "Your role takes nothing away."
    ),
    Action.EXPORT_ALL: Rule(
        "Take everything of the organization away, emails of all members too",
        OWNERS,
        "Only an owner can export the whole organization.",
    ),
    Action.END: Rule(
        "Delete the organization, and take that back",
        OWNERS,
        "Only an owner can delete the organization.",
    ),
}


def allows(role: str, action: Action) -> bool:
    """Whether a member with ``role`` may do it."""
    return role in TABLE[action].roles


def inviting(role: str) -> Action:
    """What inviting somebody as ``role`` is."""
    return Action.INVITE_USERS if role == Role.USER else Action.INVITE_MANAGERS


def handling(role: str) -> Action:
    """What deactivating or removing a member who has ``role`` is."""
    return Action.HANDLE_USERS if role == Role.USER else Action.HANDLE_MANAGERS


def page(made: str) -> str:
    """`docs/roles.md`; ``made`` says by what it is written."""
    lines = [
        "# Roles",
        made,
        "",
        "Every member of an organization has one role. What it may do stands in one table",
        "(`src/truesend/organizations/roles.py`); pages, the API and consents ask it at every press, and the same",
        "table stands on the page Team, without paying where nobody is billed. Whoever may not do a thing is told who",
        "can. How members come, change and go: [team.md](team.md).",
        "",
        f"| action | what is done | {' | '.join(role.value for role in Role)} |",
        f"|---|---|{'---|' * len(Role)}",
    ]
    for action, rule in TABLE.items():
        cells = " | ".join("yes" if role in rule.roles else "" for role in Role)
        lines.append(f"| `{action.value}` | {rule.words} | {cells} |")
    lines += [
        "",
        "Nobody sees another member's emails, whatever their role: each sees what they wrote themselves. They are the",
        "organization's all the same: an owner's export of the whole organization holds them ([export.md](export.md)),",
        "and stands in the audit log. Who runs the installation (its operator) is no role of an organization.",
    ]
    return "\n".join(lines) + "\n"
