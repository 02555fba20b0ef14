"""From hits to classes: was it a person, and how do we know. Pure.

The rules are asked in the design's order and the first that knows decides: self, scanner, preview, Apple's
proxy, first seconds, then what only a person causes. What a version's data leaves out is not asked, so that each
version goes on to answer as it did. Everything is judged within the hits of one delivery;
what needs other deliveries (one network at many recipients) comes with the hit.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from truesend.tracking import agents, rules
from truesend.tracking.addresses import evidence_address, is_loopback
from truesend.tracking.agents import Agent
from truesend.tracking.burst import Burst, find_bursts, find_crowds
from truesend.tracking.hints import (
    Seen,
    flood_key,
    holders,
    is_ahead,
    near,
    rewriter,
    sender_key,
    told_seconds,
)
from truesend.tracking.rules import Rules

PROXIES = frozenset({"gmail", "yahoo", "apple"})
_NOT_COUNTED = " Not counted."
__all__ = ["PROXIES", "Classified", "Seen", "Trail", "classify"]
_FLOOD = 60.0  # seconds: the window in which the loader folds identical hits into one row


@dataclass(frozen=True, slots=True)
class Trail:
    """All hits of one delivery and what is known about it. ``links``: how many links were tracked.

    ``sender_ips`` and ``sender_agents`` are those the sender uses Truesend with; ``replied_at`` is the first
    reply. Loopback addresses are no evidence, unless all this runs where the sender sits (a developer's machine).
    """

    sent_at: datetime
    links: int
    hits: Sequence[Seen]
    delivered_at: datetime | None = None
    sender_ips: frozenset[str] = frozenset()
    sender_agents: frozenset[str] = frozenset()
    sent_copy_behind_proxy: bool = False
    recipients: int = 1
    replied_at: datetime | None = None
    sender_on_this_machine: bool = False


@dataclass(frozen=True, slots=True)
class Classified:
    """The answer for one hit: class, confidence (0 to 1), one or two sentences, and the rule that decided."""

    klass: str
    confidence: float
    reason: str
    rule: str


def classify(trail: Trail, version: Rules = rules.CURRENT) -> list[Classified]:
    """The class of every hit of a delivery, in the order of ``trail.hits``."""
    case = _Case(trail, version)
    return [case.judge(position) for position in range(len(trail.hits))]


class _Case:
    """The evidence of one trail, gathered once, and the rules in their order."""

    def __init__(self, trail: Trail, version: Rules) -> None:
        self._trail, self._rules = trail, version
        self._agents = [agents.parse(hit.user_agent, version.version) for hit in trail.hits]
        self._senders = frozenset(filter(None, (sender_key(ip) for ip in trail.sender_ips)))
        families = (agents.parse(text, version.version) for text in trail.sender_agents)
        self._sender_families = frozenset((agent.name, agent.system) for agent in families if agent.name)
        self._gateways = [holders(version, "gateway_networks").of(hit.ip) for hit in trail.hits]
        self._rewriters = [rewriter(hit, version) for hit in trail.hits]
        self._opened = sorted(
            hit.at
            for position, hit in enumerate(trail.hits)
            if hit.kind == "open"
            and self._after(hit.at) >= version.first_seconds
            and self._shows_reading(position)
        )
        self._bursts = self._find_bursts()
        self._machines = self._find_machines()
        self._floods: dict[tuple[object, ...], list[datetime]] = {}
        for hit in sorted(trail.hits, key=lambda one: one.at):
            if hit.count > 1:
                self._floods.setdefault(flood_key(hit), []).append(hit.at)
        self._first_clicks: dict[tuple[str, str, str], int] = {}
        followed = []
        for position in sorted(range(len(trail.hits)), key=lambda at: trail.hits[at].at):
            hit = trail.hits[position]
            if hit.kind == "click" and self._machine(position) is None:
                self._first_clicks.setdefault(self._device(position), position)
                if key := sender_key(hit.ip):
                    followed.append((position, hit.at, hit.link, key))
        # Of a shared mail each may have an address more than one reader has.
        size = version.crowd_addresses * max(trail.recipients, 1)
        self._crowds = find_crowds(followed, size, version.crowd_seconds) if size else {}

    def judge(self, position: int) -> Classified:
        """Ask the rules in their order."""
        found = self._machine(position) or self._person(position)
        if found.klass == "person" and self._trail.recipients > 1:
            reason = f"{found.reason} One of {self._trail.recipients} recipients."
            return Classified(found.klass, found.confidence, reason, found.rule)
        return found

    def _machine(self, position: int) -> Classified | None:
        hit, agent = self._trail.hits[position], self._agents[position]
        for rule in (self._self, self._scanner, self._preview, self._apple, self._first_seconds):
            found = rule(position, hit, agent)
            if found:
                return found
        return None

    # The rules, in their order

    def _self(self, position: int, hit: Seen, agent: Agent) -> Classified | None:
        if not self._is_sender(hit, agent):
            return None
        place = "the address" if sender_key(hit.ip) else "this machine"
        text = f"You: {place} and {agent.device or 'agent'} you use Truesend with."
        return self._say("self", "self", text + _NOT_COUNTED)

    def _scanner(self, position: int, hit: Seen, agent: Agent) -> Classified | None:
        if hit.method == "HEAD":
            return self._scan("head", "asked only whether it is there (HEAD)")
        if self._gateways[position] and agent.kind not in PROXIES:
            return self._scan("gateway_network", f"fetched from the network of {self._gateways[position]}")
        burst = next((one for one in self._bursts if position in one.members), None)
        if burst:
            return self._scan("burst", self._burst_words(burst))
        if self._machines and self._rewriters[position] is None:
            key = (hit.ip, hit.user_agent)
            if near(self._machines.get(key, ()), hit.at, self._rules.burst_company):
                return self._scan("burst_company", "the same machine that scanned the mail")
        if near(self._floods.get(flood_key(hit), ()), hit.at, _FLOOD):
            return self._scan("flood", "fetched more than 100 times within a minute")
        if agent.kind not in PROXIES and hit.network_recipients >= self._rules.network_recipients:
            words = f"one network fetched the mail of {hit.network_recipients} recipients within seconds"
            return self._scan("network", words)
        if agent.kind in PROXIES and hit.kind == "click":
            return self._scan("proxy_click", f"{agent.name}’s picture proxy follows no links for people")
        if agent.kind == "gateway":
            return self._scan("gateway", f"names itself {agent.name}")
        if agent.kind == "library":
            return self._scan("library", f"a program ({agent.name}), no browser")
        return None

    def _preview(self, position: int, hit: Seen, agent: Agent) -> Classified | None:
        if agent.kind == "preview":
            return self._say("prefetch", "preview", f"Prefetch: {agent.name} made a preview.{_NOT_COUNTED}")
        if is_ahead(hit):
            return self._say("prefetch", "ahead", f"Prefetch: loaded in advance, not yet seen.{_NOT_COUNTED}")
        if hit.kind == "click" and agent.name in self._rules.link_checkers:
            text = f"Prefetch: {agent.name} looked at the link before a browser got it."
            return self._say("prefetch", "link_check", text + _NOT_COUNTED)
        return None

    def _apple(self, position: int, hit: Seen, agent: Agent) -> Classified | None:
        if agent.kind != "apple":
            return None
        text = "Cannot know: Apple Mail fetches the pictures whether or not anybody looks."
        return self._say("proxy", "apple", text)

    def _first_seconds(self, position: int, hit: Seen, agent: Agent) -> Classified | None:
        after = self._after(hit.at)
        if after >= self._rules.first_seconds:
            return None
        if after < 0:
            text = f"Prefetch: before {self._beginning}, when only machines look."
        else:
            when = f"{told_seconds(after)} after {self._beginning}"
            text = f"Prefetch: {when}, within the first seconds, when machines look first."
        return self._say("prefetch", "first_seconds", text + _NOT_COUNTED)

    def _person(self, position: int) -> Classified:
        hit, agent = self._trail.hits[position], self._agents[position]
        if crowd := self._crowds.get(position):
            text = f"Cannot know: {crowd} addresses followed this link within a minute, more than one reader has."
            return self._say("unknown", "crowd", text)
        if agent.kind == "gmail":
            return self._gmail(hit)
        if agent.kind == "yahoo":
            text = "Person: Yahoo fetched the pictures when the mail was opened."
            return self._say("person", "yahoo", text)
        if agent.kind in {"browser", "mail"} and self._is_near_sender(hit):
            text = f"Cannot know: {agent.device}, at the address you use Truesend from: you, or somebody near you."
            return self._say("unknown", "sender_address", text)
        if agent.kind == "browser":
            return self._browser(position, hit, agent)
        if agent.kind == "mail":
            verb = "followed the link" if hit.kind == "click" else "showed the mail"
            return self._say("person", "mail_program", f"Person: {agent.device} {verb}.")
        if agent.kind == "none":
            return self._say("unknown", "unknown", "Cannot know: the request does not say what sent it.")
        return self._say("unknown", "unknown", f"Cannot know: “{agent.name}” is nothing we know.")

    def _gmail(self, hit: Seen) -> Classified:
        text = "Person: Gmail fetched the pictures when the mail was opened."
        if not self._trail.sent_copy_behind_proxy:
            return self._say("person", "gmail", text)
        if self._trail.replied_at is not None and hit.at >= self._trail.replied_at:
            text += " Could also be you at the Sent copy or at its quote in the answer."
            return self._say("person", "gmail", text, confidence="gmail_quote")
        text += " Could also be you at the Sent copy."
        return self._say("person", "gmail", text, confidence="gmail_sent_copy")

    def _browser(self, position: int, hit: Seen, agent: Agent) -> Classified:
        text = f"Person: {agent.device}"
        service = holders(self._rules, "mail_services").of(hit.ip)
        if service and hit.kind == "open":
            text = f"Person: {service} fetched the pictures when the mail was opened."
            return self._say("person", "mail_service", text)
        cloud = holders(self._rules, "clouds").of(hit.ip)
        if cloud and not self._rewriters[position]:
            text = f"Cannot know: {agent.device}, but in a data centre ({cloud}), where gateways look, too."
            return self._say("unknown", "cloud", text)
        if hit.kind == "open":
            if not hit.headers.get("accept-language"):
                return self._no_language(agent)
            return self._say("person", "browser", text + ".", confidence="browser_open")
        if self._rewriters[position]:
            return self._say("person", "rewriter", f"{text}, led through {self._rewriters[position]}.")
        if not hit.headers.get("accept-language"):
            return self._no_language(agent)
        if position in self._quick:
            text += ", quickly, but in a mail that had just been opened"
            return self._say("person", "browser", text + ".", confidence="browser_quick")
        first = self._first_clicks.get(self._device(position), position)
        if first != position and self._trail.hits[first].at < hit.at and hit.ip:
            text += ", same device as the first click"
        return self._say("person", "browser", text + ".", confidence="browser_click")

    def _no_language(self, agent: Agent) -> Classified:
        text = f"Cannot know: it says {agent.device}, but sends no language as a browser does."
        return self._say("unknown", "unknown", text)

    # Evidence

    def _is_sender(self, hit: Seen, agent: Agent) -> bool:
        if (agent.name, agent.system) not in self._sender_families:
            return False
        if self._trail.sender_on_this_machine and is_loopback(hit.ip):
            return agent.kind != "library"  # a script that tries things out is not a look
        return (key := sender_key(hit.ip)) is not None and key in self._senders

    def _is_near_sender(self, hit: Seen) -> bool:
        """Whether it came from an address of the sender, where that leaves it open who it was."""
        return self._rules.unsure_address and sender_key(hit.ip) in self._senders

    def _find_bursts(self) -> list[Burst]:
        """Bursts of everybody but the sender and people led here by a rewriter one link at a time."""
        clicks = [
            (position, hit.at, hit.link)
            for position, hit in enumerate(self._trail.hits)
            if hit.kind == "click"
            and self._rewriters[position] is None
            and not self._is_sender(hit, self._agents[position])
            and not (self._rules.ahead_first and (self._agents[position].kind == "preview" or is_ahead(hit)))
        ]
        known = {
            position for position, _, _ in clicks if self._rules.known_apart and self._is_known(position)
        }
        kin = known | self._kin_of(known, [position for position, _, _ in clicks])
        found = [
            burst
            for group in (
                [click for click in clicks if click[0] not in known],
                [click for click in clicks if click[0] in kin] if known else [],
            )
            for burst in find_bursts(group, self._trail.links, self._rules)
        ]
        read = [burst for burst in found if self._is_reader(burst)]
        self._quick = frozenset().union(*(burst.members for burst in read))
        return [burst for burst in found if burst not in read]

    def _is_known(self, position: int) -> bool:
        """Whether a click is a machine's whatever else happened."""
        kind = self._agents[position].kind
        return (
            self._trail.hits[position].method == "HEAD"
            or bool(self._gateways[position])
            or kind in PROXIES
            or kind in {"preview", "gateway", "library"}
        )

    def _kin_of(self, known: Collection[int], clicks: Sequence[int]) -> set[int]:
        """Clicks that known machines speak for: near one in time, and of its address, or of its agent and nobody's
        who had it open. What came days before or after says nothing, nor may it: its evidence may be gone."""
        hits, near = self._trail.hits, timedelta(seconds=max(self._rules.burst_two, self._rules.burst_all))
        speaking: dict[str, list[datetime]] = {}
        for position in sorted(known, key=lambda at: hits[at].at):
            for key in (sender_key(hits[position].ip), f"agent {hits[position].user_agent}"):
                speaking.setdefault(key or "", []).append(hits[position].at)

        def spoken_for(key: str | None, at: datetime) -> bool:
            times = speaking.get(key, []) if key else []
            first = bisect.bisect_left(times, at - near)
            return first < len(times) and times[first] <= at + near

        return {
            position
            for position in clicks
            if position not in known
            and (
                spoken_for(sender_key(hits[position].ip), hits[position].at)
                or (
                    spoken_for(f"agent {hits[position].user_agent}", hits[position].at)
                    and not (self._browser_at_home(position) and self._was_open(hits[position].at))
                )
            )
        }

    def _is_reader(self, burst: Burst) -> bool:
        """Whether a burst may be a person's: one browser, unhurried, in a mail that somebody had just opened."""
        members = sorted(burst.members, key=lambda position: self._trail.hits[position].at)
        hits = [self._trail.hits[position] for position in members]
        if len({self._device(position) for position in members}) > 1 or burst.links >= max(
            self._trail.links, self._rules.burst_all_links
        ):
            return False
        gaps = (later.at - earlier.at for earlier, later in pairwise(hits))
        if any(gap.total_seconds() < self._rules.quick_gap for gap in gaps):
            return False
        if not all(self._browser_at_home(position) for position in members):
            return False
        return self._was_open(burst.start)

    def _was_open(self, at: datetime) -> bool:
        """Whether somebody had opened the mail shortly before."""
        if not math.isfinite(self._rules.quick_gap):
            return False
        before = bisect.bisect_right(self._opened, at - timedelta(seconds=self._rules.quick_gap))
        return before > 0 and (at - self._opened[before - 1]).total_seconds() <= self._rules.quick_open

    def _browser_at_home(self, position: int) -> bool:
        """A browser with its language, outside of data centres and gateways."""
        hit = self._trail.hits[position]
        held = self._gateways[position] or holders(self._rules, "clouds").of(hit.ip)
        return (
            self._agents[position].kind == "browser" and bool(hit.headers.get("accept-language")) and not held
        )

    def _shows_reading(self, position: int) -> bool:
        """Whether an open by itself tells that somebody looked."""
        kind = self._agents[position].kind
        return kind in {"gmail", "yahoo", "mail"} or (kind == "browser" and self._browser_at_home(position))

    def _find_machines(self) -> dict[tuple[str | None, str], list[datetime]]:
        """When each address and agent was seen scanning; without an address that says something, nothing."""
        scanning: dict[tuple[str | None, str], list[datetime]] = {}
        in_burst = frozenset().union(*(burst.members for burst in self._bursts))
        for position, hit in enumerate(self._trail.hits):
            if (position in in_burst or hit.method == "HEAD") and evidence_address(hit.ip):
                scanning.setdefault((hit.ip, hit.user_agent), []).append(hit.at)
        for times in scanning.values():
            times.sort()
        return scanning

    def _device(self, position: int) -> tuple[str, str, str]:
        hit, agent = self._trail.hits[position], self._agents[position]
        return hit.ip or "", agent.name, agent.system

    @property
    def _beginning(self) -> str:
        return "delivery" if self._trail.delivered_at else "sending"

    def _after(self, at: datetime) -> float:
        return (at - (self._trail.delivered_at or self._trail.sent_at)).total_seconds()

    def _burst_words(self, burst: Burst) -> str:
        if burst.links < self._trail.links or self._trail.links < 2:
            links = f"{burst.links} links"
        else:
            links = "both links" if burst.links == 2 else f"all {burst.links} links"
        words = f"{links} within {told_seconds(max(burst.seconds, 0.1))}"
        after = self._after(burst.start)
        return f"{words}, {told_seconds(after)} after {self._beginning}" if 0 <= after < 60 else words

    def _scan(self, rule: str, words: str) -> Classified:
        return self._say("scanner", rule, f"Scanner: {words}.{_NOT_COUNTED}")

    def _say(self, klass: str, rule: str, reason: str, *, confidence: str | None = None) -> Classified:
        return Classified(klass, self._rules.confidence[confidence or rule], reason, rule)
