"""What stands in the way of an email's copies, as notes on its page: held, tried again later, refused.

What happened, what comes next and who can do what is decided in :mod:`truesend.sending.explain`, as for the API; here
it gets the reader's own time and the buttons that do it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truesend import clock
from truesend.connections.describe import FORWARD, Description, start_url
from truesend.organizations import ending
from truesend.organizations.access import manages
from truesend.organizations.models import Member
from truesend.sending import account_gate
from truesend.sending.explain import Help
from truesend.sending.models import Attempt, Delivery, DeliveryStatus, Email
from truesend.sending.problems import Problem, every_problem_of
from truesend.web.gate import names
from truesend.web.helping import account_fix, ask, on_the_card
from truesend.web.hours import local

# Buttons of the page itself.
_PRESSED = {Help.RELEASE: "release", Help.AGAIN: "again", Help.ELSEWHERE: "edit"}


def obstacles(
    member: Member,
    email: Email,
    deliveries: Sequence[Delivery],
    attempts: Sequence[Attempt],
    about: Description,
) -> list[dict[str, Any]]:
    """A note for each cause: {title, sentence, state, words, fix, who}; what needs a person first.

    ``attempts`` in the order of their numbers, ``about`` describes the mailbox. What is unknown is asked elsewhere.
    """
    now = clock.now()
    notes: list[dict[str, Any]] = []
    for problem in every_problem_of(email, deliveries, attempts, about):
        if problem.status == DeliveryStatus.UNKNOWN:
            continue
        fix = _fix(problem, member, email)
        if any(one["fix"] == fix for one in notes):
            fix = None  # one press is for all of them
        title, _, rest = problem.sentence.partition(". ")
        notes.append(
            {
                "title": f"{title}.",
                "sentence": local(rest, problem.due_at, now),
                "state": "warn" if problem.due_at is not None else "bad",
                "words": "" if problem.words in problem.sentence else problem.words,
                "fix": fix,
                "who": names(problem.who),
            }
        )
    return notes


def _fix(problem: Problem, member: Member, email: Email) -> dict[str, str] | None:
    if problem.help in _PRESSED:
        url = f"/emails/{email.pk}/{_PRESSED[problem.help]}"
        return {"label": problem.help.value, "url": url, "method": "post"}
    fix = problem.fix
    if fix is not None and fix["url"] == account_gate.BILLING:
        return account_fix(account_gate.fix(member, fix["label"]), f"/emails/{email.pk}")
    if fix is not None and fix["url"] == ending.PAGE:
        return {**ending.fix(member), "method": "get"}
    connection = email.connection
    assert connection is not None
    if fix is None or not (fix["url"].startswith("/oauth/") or fix["label"] == FORWARD):
        return {**fix, "method": "get"} if fix is not None else None
    if not manages(member, connection):
        return ask(f"/connections/{connection.pk}/ask", f"/emails/{email.pk}")
    if fix["label"] == FORWARD:
        return {**on_the_card(fix, connection), "method": "get"}
    return {"label": fix["label"], "url": start_url(connection, None, f"/emails/{email.pk}"), "method": "get"}
