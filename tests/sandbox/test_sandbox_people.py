"""Recipients of the sandbox sit where people do, so that a test does not fail by the luck of an address."""

from __future__ import annotations

from truesend.tracking.addresses import Holders, evidence_address
from truesend.tracking.rules import CURRENT
from truesend_sandbox.mailbox.agents import own_ip


def test_a_recipient_is_in_no_data_centre_and_at_no_gateway() -> None:
    holders = [
        Holders(ranges) for ranges in (CURRENT.clouds, CURRENT.gateway_networks, CURRENT.mail_services)
    ]
    people = {own_ip(f"person-{number}@example.com") for number in range(5000)}
    assert len(people) > 4900
    assert all(evidence_address(ip) for ip in people)
    assert [ip for ip in people for one in holders if one.of(ip)] == []
