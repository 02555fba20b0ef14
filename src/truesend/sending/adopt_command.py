"""What ``truesend adopt`` says and asks at the terminal."""

from __future__ import annotations

from urllib.parse import urlsplit

from truesend import env
from truesend.organizations import installation
from truesend.organizations.installation import TakeOver
from truesend.sending import adopt

_REASONS = {
    "elsewhere": "The database lies elsewhere than that installation's: it was copied or restored.",
    "copied": "The data folder, and the database in it, is a copy.",
    "older": "That installation had come further: an older backup was put in its place.",
    "stranger": "This data folder worked for another database before.",
    "environment": "That installation runs as {theirs}, this one as {ours}.",
    "address": "That installation has the address {theirs}, this one {ours}.",
}


def run(*, yes: bool, answers: bool, restored: bool) -> int:
    """Tell what was found, ask, take over; the exit code.

    ``yes`` asks nothing. Where nobody ``answers`` (no terminal) and nobody said yes before, nothing is taken over.
    """
    found = installation.found()
    for line in _tell(found):
        print(line)
    if not found.reasons and not restored:
        print("This installation is the one that sends and renews already; nothing was changed.")
        return 0
    if not yes and not answers:
        print("Nothing was changed: there is no terminal to ask at. With --yes it is taken over unasked.")
        return 1
    if not yes and input("Take it over? Type yes: ").strip().lower() != "yes":
        print("Nothing was changed.")
        return 1
    count = adopt.adopt()
    print(f"Taken over. {_copies(count)} looked up before anything of them is sent again.")
    print("What is found in Sent counts as sent; what is proved absent is held until somebody lets it go;")
    print("where Sent cannot be read, the email's page asks its sender.")
    return 0


def _tell(found: TakeOver) -> list[str]:
    row, here = found.row, found.here
    database = urlsplit(env.database_url()).path.lstrip("/") or "truesend"
    lines = [
        f"Database {database} belongs to installation {row.installation.hex[:8]}: {row.public_url},"
        f" {row.environment}, since {row.adopted_at or row.made_at:%Y-%m-%d %H:%M} UTC.",
        f"It last sent, renewed or looked something up at {row.seen_at:%Y-%m-%d %H:%M:%S} UTC.",
        f"This process is {here.public_url}, {here.environment}.",
    ]
    pairs = {"environment": (row.environment, here.environment), "address": (row.public_url, here.public_url)}
    for code in found.reasons:
        theirs, ours = pairs.get(code, ("", ""))
        lines.append(f"- {_REASONS[code].format(theirs=theirs, ours=ours)}")
    waits = adopt.waiting()
    lines.append(
        f"{_copies(waits.doubtful)} due or held since, so may have been sent meanwhile; {waits.later} wait for an"
        f" hour to come; of {waits.unknown} it is open whether they were sent."
    )
    if found.reasons:
        lines.append(
            "Take it over only when the installation it came from is stopped for good, or when this copy is"
        )
        lines.append("to live on its own: two that send in one name send twice.")
    return lines


def _copies(count: int) -> str:
    return "1 copy of an email is" if count == 1 else f"{count} copies of emails are"
