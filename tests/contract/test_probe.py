"""What is asked without sending: it says what a send would meet, sends nothing and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.mailboxes import Mailbox, new_mark

from truesend.providers.contract import Evidence
from truesend.providers.errors import Outcome

# What comes before a send and may fail without stopping it.
NOT_NEEDED = {"contacts.update"}


def asked(mailbox: Mailbox) -> list[Evidence]:
    access, capabilities = mailbox.access(), mailbox.adapter.capabilities
    return [*mailbox.adapter.probe(access, capabilities), mailbox.adapter.check_send(access, capabilities)]


def operations(mailbox: Mailbox, since: int) -> list[str]:
    return [call["operation"] for call in _calls(mailbox)[since:]]


def _calls(mailbox: Mailbox) -> list[dict[str, Any]]:
    return mailbox.sandbox.calls(provider=mailbox.key)


def test_a_sound_mailbox_is_proved_without_a_mail(mailbox: Mailbox) -> None:
    found = asked(mailbox)
    assert all(one.ok for one in found), found
    checks = [one.check for one in found]
    wanted = {"grant", "reach", *(str(one) for one in mailbox.adapter.capabilities if one != "send")}
    assert set(checks) == wanted
    assert len(checks) == len(wanted)
    assert mailbox.sandbox.messages() == []
    before = len(_calls(mailbox))
    asked(mailbox)
    # What it costs is counted where a day's calls are.
    costs, declared = len(_calls(mailbox)) - before, mailbox.adapter.probe_calls
    assert costs <= declared or not mailbox.adapter.limits.client_calls_per_day


def test_whatever_call_of_a_send_fails_the_question_says_so(mailbox: Mailbox) -> None:
    mailbox.access()
    before = len(_calls(mailbox))
    mailbox.send(new_mark())
    made = [one for one in dict.fromkeys(operations(mailbox, before)) if one not in NOT_NEEDED]
    assert made
    for operation in made:
        fault = mailbox.sandbox.fault(operation, "outage", provider=mailbox.key)
        found = asked(mailbox)
        assert [one for one in found if not one.ok and one.cause == "provider_error"], (operation, found)
        mailbox.sandbox.control("DELETE", f"faults/{fault}")
        assert all(one.ok for one in asked(mailbox)), operation


def test_a_key_that_is_refused(mailbox: Mailbox) -> None:
    mailbox.access()
    mailbox.sandbox.fault("any", "expire_access", provider=mailbox.key, account=mailbox.address)
    found = asked(mailbox)
    assert {one.cause for one in found} == {"access_refused"}
    result = mailbox.adapter.send(
        mailbox.message(new_mark()), mailbox.access(), reference=mailbox.prepared(), fence=lambda: None
    )
    assert (result.outcome, result.cause) == (Outcome.NOT_SENT, "access_refused")


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "[]"])
def test_somebody_in_between_who_says_yes_to_everything(mailbox: Mailbox, body: str) -> None:
    mailbox.access()
    before = len(_calls(mailbox))
    mailbox.send(new_mark())
    made = [one for one in dict.fromkeys(operations(mailbox, before)) if one not in NOT_NEEDED]
    for operation in made:
        page = {"status": 200, "body": body, "content_type": "text/html"}
        fault = mailbox.sandbox.fault(operation, "garbage", provider=mailbox.key, **page)
        found = asked(mailbox)
        assert [one for one in found if not one.ok and one.cause == "provider_garbage"], (operation, found)
        mailbox.sandbox.control("DELETE", f"faults/{fault}")
    assert all(one.ok for one in asked(mailbox))
