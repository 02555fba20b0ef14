"""The verdict: a pure function from proofs to what we show (design §4). No proof, no green."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from truesend.connections.causes import Severity, cause

# A grant proof vouches for one access token's life and the refresh around it.
GRANT_PROOF_VALID = timedelta(minutes=75)
READ_PROOF_VALID = timedelta(hours=26)


class Verdict(StrEnum):
    """What we show of a connection or capability, best first."""

    WORKING = "working"
    UNPROVEN = "unproven"
    ATTENTION = "attention"
    BROKEN = "broken"
    DISCONNECTED = "disconnected"


# Each is tried by another button: (whether it reads, whether it was tried) -> cause.
_UNPROVEN = {
    (False, False): "not_tried",
    (False, True): "tried_unproven",
    (True, False): "read_not_tried",
    (True, True): "read_unproven",
}
_ORDER = {verdict: number for number, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class ProofFact:
    """One proof: the newest good or the newest bad answer of a check."""

    check: str
    ok: bool
    at: datetime
    call: str
    cause: str = ""
    words: str = ""
    # When the provider says that the failure ends.
    until: datetime | None = None


@dataclass(frozen=True)
class CapabilityVerdict:
    """The verdict of one capability and the proof behind it."""

    name: str
    verdict: Verdict
    cause: str
    proof: ProofFact | None


@dataclass(frozen=True)
class ConnectionVerdict:
    """The worst verdict of the capabilities asked for, and which one it is."""

    verdict: Verdict
    cause: str
    capabilities: tuple[CapabilityVerdict, ...]
    proof: ProofFact | None

    def capability(self, name: str) -> CapabilityVerdict | None:
        """The capability called ``name``, if the provider has it."""
        return next((one for one in self.capabilities if one.name == name), None)


@dataclass(frozen=True)
class Facts:
    """Everything a verdict rests on."""

    offered: tuple[str, ...]
    asked: Collection[str]
    granted: Collection[str]
    consented_at: datetime
    disconnected_at: datetime | None
    has_refresh_token: bool
    proofs: Iterable[ProofFact]
    # Whether a send was tried since the consent, whatever came of it.
    tried: bool = False
    # Until when the access token that we hold is used as it is; None where there is none.
    access_until: datetime | None = None


def judge(facts: Facts, now: datetime) -> ConnectionVerdict:
    """The verdict at ``now``."""
    proofs = {(proof.check, proof.ok): proof for proof in facts.proofs}
    if facts.disconnected_at is not None:
        ended = tuple(
            CapabilityVerdict(name, Verdict.DISCONNECTED, "disconnected", None) for name in facts.offered
        )
        return ConnectionVerdict(Verdict.DISCONNECTED, "disconnected", ended, None)
    judged = tuple(_capability(name, facts, proofs, now) for name in facts.offered)
    counted = [one for one in judged if one.name in facts.asked] or list(judged)
    worst = max(counted, key=lambda one: _ORDER[one.verdict])
    return ConnectionVerdict(worst.verdict, worst.cause, judged, worst.proof)


def _capability(
    name: str, facts: Facts, proofs: Mapping[tuple[str, bool], ProofFact], now: datetime
) -> CapabilityVerdict:
    if name not in facts.asked:
        return CapabilityVerdict(name, Verdict.UNPROVEN, "not_asked", None)
    grant = _worst(_standing_failure(check, facts, proofs) for check in ("grant", "renew"))
    if grant is not None and _severity(grant, facts, now) is Verdict.BROKEN:
        return CapabilityVerdict(name, Verdict.BROKEN, grant.cause, grant)
    if name not in facts.granted:
        return CapabilityVerdict(name, Verdict.BROKEN, "scope_missing", proofs.get(("scope", False)))
    if not facts.has_refresh_token:
        return CapabilityVerdict(name, Verdict.BROKEN, "no_refresh_token", None)
    own = _own_failure(name, facts, proofs)
    lapsed = own is not None and _has_lapsed(own, now)
    standing = [one for one in (grant, None if lapsed else own) if one is not None]
    if standing:
        worst = max(standing, key=lambda one: _ORDER[_severity(one, facts, now)])
        return CapabilityVerdict(name, _severity(worst, facts, now), worst.cause, worst)
    good, renewed = proofs.get((name, True)), proofs.get(("grant", True))
    if good is None or good.at < facts.consented_at:
        # What has lapsed was a try; nothing else tells of one that proved nothing.
        tried = lapsed or (name == "send" and facts.tried)
        return CapabilityVerdict(name, Verdict.UNPROVEN, _UNPROVEN[name == "read", tried], own)
    young = renewed is not None and now - renewed.at <= GRANT_PROOF_VALID
    if lapsed or not young or (name == "read" and now - good.at > READ_PROOF_VALID):
        return CapabilityVerdict(name, Verdict.UNPROVEN, "proof_old", good)
    return CapabilityVerdict(name, Verdict.WORKING, "", good)


def _worst(failures: Iterable[ProofFact | None]) -> ProofFact | None:
    """The one that breaks most, then what only a send ends, the newest of them."""
    known = [(cause(one.cause), one) for one in failures if one is not None]
    ranked = [(found.severity is Severity.BROKEN, found.by_a_send, one.at, one) for found, one in known]
    return max(ranked, key=lambda row: row[:3], default=(False, False, None, None))[3]


def _own_failure(name: str, facts: Facts, proofs: Mapping[tuple[str, bool], ProofFact]) -> ProofFact | None:
    """What is in the way of a capability itself; in that of sending also a call of it that is not reached.

    A failed send ends when the calls of a send are reached again, but where only a send can tell; that they are not
    reached ends with an accepted send as well.
    """
    own = _standing_failure(name, facts, proofs)
    if name != "send":
        return own
    unreached = _standing_failure("reach", facts, proofs)
    sent, reached = proofs.get(("send", True)), proofs.get(("reach", True))
    if unreached is not None and sent is not None and sent.at >= unreached.at:
        unreached = None
    if own is not None and reached is not None and reached.at >= own.at and not cause(own.cause).by_a_send:
        own = None
    return _worst((own, unreached))


def _standing_failure(
    check: str, facts: Facts, proofs: Mapping[tuple[str, bool], ProofFact]
) -> ProofFact | None:
    """The newest failure of a check, unless a good answer or a new consent came after it."""
    bad, good = proofs.get((check, False)), proofs.get((check, True))
    if bad is None or bad.at < facts.consented_at or (good is not None and good.at >= bad.at):
        return None
    return bad


def _has_lapsed(failure: ProofFact, now: datetime) -> bool:
    """Whether a failure is too old to be believed: a limit blocks the very send that would contradict it.

    What breaks a capability stands until its own check has worked or a new consent came: time repairs nothing there.
    """
    if cause(failure.cause).severity is Severity.BROKEN:
        return False
    lasts = cause(failure.cause).lasts
    until = failure.until or (failure.at + lasts if lasts is not None else None)
    return until is not None and now >= until


def _severity(failure: ProofFact, facts: Facts, now: datetime) -> Verdict:
    """What a failure makes of a capability.

    A proof whose cause says nothing of connections is still a failed check. What is wrong with this installation's own
    client stops renewals alone: until the key that we hold runs out, everything goes on.
    """
    known = cause(failure.cause)
    if known.severity is not Severity.BROKEN:
        return Verdict.ATTENTION
    if known.of_the_client and facts.access_until is not None and facts.access_until > now:
        return Verdict.ATTENTION
    return Verdict.BROKEN
