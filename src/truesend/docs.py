"""The pages of ``docs/`` that are tables of the code: ``python -m truesend.docs`` (``make docs``) writes them."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from truesend import env
from truesend.connections.causes import CAUSES, Cause, Severity, Who
from truesend.inbox.page import bounces
from truesend.organizations import roles

FOLDER = Path(__file__).resolve().parents[2] / "docs"
_MADE = "<!-- Written by `make docs` from the code; a test holds the two together. -->"

_SEVERITIES = {
    Severity.BROKEN: ("Broken", "The capability does not work and sending from it is stopped."),
    Severity.ATTENTION: ("Attention", "It works, or may work again by itself; only limits stop sending."),
    Severity.UNPROVEN: ("Unproven", "Nothing speaks against it, and nothing has shown that it works."),
    Severity.NONE: ("One consent or one email", "Says nothing about the connection."),
}
_WHO = {
    Who.HOLDER: "the mailbox's member; for a shared one owners and managers",
    Who.MEMBER: "whoever is looking",
    Who.OWNER: "owners and managers",
    Who.OWNERS: "owners",
    Who.PROVIDER_ADMIN: "their administrator at the provider",
    Who.OPERATOR: "who runs this installation",
    Who.NOBODY: "clears by itself",
}
# What each gate asks; the order is that of the code.
_GATES = {
    "installation": "May this installation act in the name of its database? Not in a copy, nor after a restore.",
    "role": "Is the member's account switched on?",
    "account": "Is the organization to stay, its trial running or its plan paid for, and does that plan include this?",
    "connection": "Is an account chosen to send from, and still connected?",
    "capability": "Can that account send? Broken stops, unproven does not; a limit delays, and says until when.",
    "limits": "Does the provider carry so many people, in Cc and Bcc too, and such files?",
    "budget": "What has the mailbox left of its 24 hours? What does not fit goes later, and is told before.",
    "recipients": "Is somebody to receive it, can every address and row be used, and is none of them suppressed?",
    "content": "Is there anything in it, with merge fields that can be filled and a subject that the provider takes?",
}


def causes() -> str:
    """`docs/causes.md`."""
    lines = [
        "# Causes",
        _MADE,
        "",
        "Every refusal and every verdict that is not “working” names one of these: `cause` in the API, the note on a",
        "card, `?cause=` on the way back from a provider. `{provider}` and `{words}` are filled in. *Believed for* is",
        "how long a failed send or read counts where no answer can contradict it; a grant's failure counts until the",
        "grant has worked or a new consent replaced it. The verdict is computed in",
        "`src/truesend/connections/verdict.py`.",
    ]
    for severity, (title, meaning) in _SEVERITIES.items():
        lines += [
            "",
            f"## {title}",
            meaning,
            "",
            "| cause | sentence | button | who | clears by | believed for |",
        ]
        lines.append("|---|---|---|---|---|---|")
        lines += [_row(one) for one in CAUSES.values() if one.severity is severity]
    return "\n".join(lines) + "\n"


def _row(one: Cause) -> str:
    hours = f"{one.lasts.total_seconds() / 3600:.0f} h" if one.lasts else ""
    told = f"{one.sentence} {one.meanwhile}".strip()
    cells = (f"`{one.code}`", told, one.action, _WHO[one.who], one.clears, hours)
    return f"| {' | '.join(cells)} |"


def readiness() -> str:
    """`docs/readiness.md`."""
    codes = readiness_codes()
    lines = [
        "# Readiness",
        _MADE,
        "",
        "Whether a member can send a draft. One function answers for the page, the API, the scheduler and the send",
        "itself (`src/truesend/sending/readiness.py`): all gates, always in this order, also after a failure.",
        "",
        "| gate | asks | causes |",
        "|---|---|---|",
    ]
    for gate in gates():
        own = ", ".join(f"`{code}`" for code in codes[gate])
        if gate == "capability":
            own += ", and every [cause](causes.md) that breaks a capability"
        lines.append(f"| `{gate}` | {_GATES[gate]} | {own} |")
    return "\n".join(lines) + "\n"


# Where gates are judged; the first of them has their order.
_JUDGES = ("readiness.py", "account_gate.py", "carrying.py", "gate_copies.py", "suppressing.py")


def _sources() -> list[ast.Module]:
    folder = Path(__file__).parent / "sending"
    return [ast.parse((folder / name).read_text(encoding="utf-8")) for name in _JUDGES]


def gates() -> tuple[str, ...]:
    """The gates in order, read from the source: importing it needs a whole installation."""
    for node in _sources()[0].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GATES":
            found: tuple[str, ...] = ast.literal_eval(node.value)
            return found
    raise LookupError("readiness.py has no GATES")


def readiness_codes() -> dict[str, list[str]]:
    """The codes written down in each gate: ``Gate(name, False, code, …)`` and ``edit(member, name, code, …)``."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in (one for source in _sources() for one in ast.walk(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or len(node.args) < 3:
            continue
        at = {"Gate": 0, "edit": 1}.get(node.func.id)
        if at is None:
            continue
        gate, code = (getattr(node.args[number], "value", None) for number in (at, 2))
        if isinstance(gate, str) and isinstance(code, str) and code not in found[gate]:
            found[gate].append(code)
    return found


def settings() -> str:
    """`docs/settings.md`."""
    lines = [
        "# Settings",
        _MADE,
        "",
        f"Environment variables `{env.PREFIX}NAME`. A secret one (marked \N{KEY}) may also stand in the file named by",
        f"`{env.PREFIX}NAME_FILE`. Blank counts as unset.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for one in env.SETTINGS:
        default = f"`{one.default}`" if one.default is not None else ""
        secret = " \N{KEY}" if one.secret else ""
        lines.append(
            f"| `{env.PREFIX}{one.name}`{secret} | {default} | {one.meaning.replace('|', '&#124;')} |"
        )
    return "\n".join(lines) + "\n"


PAGES = {
    "bounces.md": lambda: bounces(_MADE),
    "causes.md": causes,
    "readiness.md": readiness,
    "roles.md": lambda: roles.page(_MADE),
    "settings.md": settings,
}


def main() -> int:
    """Write them all."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
