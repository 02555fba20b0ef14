"""What a probe finds out by asking the calls of a send with nothing to send."""

from __future__ import annotations

from tests.connections import proved, when
from tests.stack import Stack


def test_one_call_that_refuses_a_key_which_another_takes_ends_no_grant(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    refused = {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}
    number = stack.sandbox.fault("identity", "status", account=ana.email, status=401, body={"error": refused})
    told = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (told["verdict"], told["cause"]) == ("attention", "provider_error")
    ana.email_when(ana.send(connection["id"])["id"], "sent")
    stack.sandbox.control("DELETE", f"faults/{number}")
    assert ana.api("POST", f"connections/{connection['id']}/verify").json()["verdict"] == "working"


def test_an_outage_that_has_ended_clears_without_a_mail(stack: Stack) -> None:
    ana = stack.person()
    connection = proved(ana)
    number = stack.sandbox.fault("send", "outage", account=ana.email)
    told = ana.api("POST", f"connections/{connection['id']}/verify").json()
    assert (told["verdict"], told["cause"]) == ("attention", "provider_error")
    stack.sandbox.control("DELETE", f"faults/{number}")
    sends = len(stack.sandbox.messages(to=ana.email))
    stack.sandbox.advance(15 * 60)
    when(ana, connection["id"], lambda one: one["verdict"] == "working")
    assert len(stack.sandbox.messages(to=ana.email)) == sends
