"""What a labelled sequence of hits is, and the builder that the sources fill.

The truth of a hit is what happened according to the source's documented behaviour, not what is easy to see:

- ``person``: somebody looked or followed a link, also where a mail provider's proxy fetched for them on opening;
- ``proxy``: a privacy proxy that fetches whether or not anybody looks;
- ``prefetch``: a program fetched ahead of a look or to show a preview of a link;
- ``scanner``: a security product looked at the mail or at a link;
- ``self``: the sender;
- ``unknown``: the story fits several of these, and nothing that a server can see decides between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal

from tests.labelled.agents import Browser
from tests.labelled.networks import address

Kind = Literal["open", "click"]
Truth = Literal["person", "proxy", "prefetch", "scanner", "self", "unknown"]
Headers = Mapping[str, str]

TARGETS = (
    "https://www.northwind-garden.example/spring",
    "https://www.northwind-garden.example/prices?plan=team&seats=5",
    "https://calendly.example/maria/30min",
    "https://docs.northwind-garden.example/offer.pdf",
    "https://www.linkedin.example/in/maria-lopez",
    "https://www.northwind-garden.example/unsubscribe?u=81c2",
    "https://status.northwind-garden.example/",
    "https://maps.northwind-garden.example/visit",
)


@dataclass(frozen=True)
class Hit:
    """One request to the tracking host. ``at``: seconds after the mail was sent; ``link``: which one, from 0."""

    at: float
    kind: Kind
    ip: str
    agent: str
    truth: Truth
    why: str
    link: int | None = None
    method: str = "GET"
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True)
class Labelled:
    """All hits of one delivery, in the order of time, and the truth about each.

    ``delivered``: seconds after sending, None where the provider said nothing. ``links``: how many the mail has.
    """

    name: str
    source: str
    sent_at: datetime
    links: int
    hits: tuple[Hit, ...]
    delivered: float | None = None
    sender_ips: tuple[str, ...] = ()
    sender_agents: tuple[str, ...] = ()
    by_hand: bool = False

    def line(self) -> dict[str, Any]:
        """The sequence as ``truesend explain hits`` reads it: links are their addresses, a hit names one."""
        line: dict[str, Any] = {
            "sequence": self.name,
            "sent_at": _text(self.sent_at),
            "links": list(TARGETS[: self.links]),
            "hits": [self._hit(hit) for hit in self.hits],
            "sender": {"ips": list(self.sender_ips), "user_agents": list(self.sender_agents)},
        }
        if self.delivered is not None:
            line["delivered_at"] = _text(self.sent_at + timedelta(seconds=self.delivered))
        return line

    def truths(self) -> list[dict[str, str]]:
        """One ``{"truth", "why"}`` per hit, in the order of :meth:`line`."""
        return [{"truth": hit.truth, "why": hit.why} for hit in self.hits]

    def _hit(self, hit: Hit) -> dict[str, Any]:
        told: dict[str, Any] = {
            "at": _text(self.sent_at + timedelta(seconds=hit.at)),
            "kind": hit.kind,
            "method": hit.method,
            "ip": hit.ip,
            "user_agent": hit.agent,
            "headers": dict(hit.headers),
        }
        if hit.link is not None:
            told["link"] = TARGETS[hit.link]
        return told


class Mail:
    """One mail under way: a source adds what its client, gateway and people do, drawing from ``rng``.

    ``number`` counts the sequences of the source from 0, so that it can go through its cases in turn.
    """

    def __init__(self, source: str, number: int, seed: int) -> None:
        self.source, self.number = source, number
        self.rng = Random(f"{seed}/{source}/{number}")
        rng = self.rng
        self.links = rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 8))
        self.sent_at = datetime(2026, 1, 5, 7, 0, tzinfo=UTC) + timedelta(
            days=rng.randrange(270), seconds=rng.randrange(43_200), milliseconds=rng.randrange(1000)
        )
        self.delivered: float | None = round(rng.choice((rng.uniform(0.4, 3), rng.uniform(1, 12))), 3)
        if rng.random() < 0.25:
            self.delivered = None
        self.sender_ips: tuple[str, ...] = (address(rng, rng.choice(("home", "office"))),)
        if rng.random() < 0.4:
            self.sender_ips += (address(rng, "home6"),)
        self.sender_browser = Browser.draw(rng, ("chrome", "chrome", "edge", "firefox", "safari"))
        self.hits: list[Hit] = []

    @property
    def arrived(self) -> float:
        """Seconds from sending until the mail lay in the mailbox, as far as anybody knows."""
        return self.delivered if self.delivered is not None else 1.5

    def soon(self, least: float, most: float) -> float:
        """A moment between ``least`` and ``most`` seconds after arrival."""
        return self.arrived + self.rng.uniform(least, most)

    def later(self) -> float:
        """When a person looks at mail, in seconds after sending: mostly the same day, now and then weeks after."""
        least, most = self.rng.choice(
            ((25, 300), (180, 3600), (600, 14_400), (7200, 50_000), (40_000, 260_000), (300_000, 2_400_000))
        )
        return self.arrived + self.rng.uniform(least, most)

    def open(
        self, at: float, ip: str, agent: str, truth: Truth, why: str, headers: Headers | None = None
    ) -> float:
        """The pixel was fetched; gives ``at`` back."""
        self.hits.append(Hit(round(at, 3), "open", ip, agent, truth, why, headers=headers or {}))
        return at

    def click(
        self, at: float, link: int, ip: str, agent: str, truth: Truth, why: str,
        headers: Headers | None = None, method: str = "GET",
    ) -> float:  # fmt: skip
        """A link was requested (counted from 0, wrapped to the links there are); gives ``at`` back."""
        asked = link % self.links
        self.hits.append(Hit(round(at, 3), "click", ip, agent, truth, why, asked, method, headers or {}))
        return at

    def labelled(self) -> Labelled:
        """The finished sequence."""
        return Labelled(
            name=f"{self.source}-{self.number:02}",
            source=self.source,
            sent_at=self.sent_at,
            links=self.links,
            hits=tuple(sorted(self.hits, key=lambda hit: hit.at)),
            delivered=self.delivered,
            sender_ips=self.sender_ips,
            sender_agents=(self.sender_browser.agent,),
        )


Source = Callable[[Mail], None]


def from_template(source: str, fill: Source, how_many: int, seed: int) -> list[Labelled]:
    """``how_many`` sequences of one source."""
    made: list[Labelled] = []
    for number in range(how_many):
        mail = Mail(source, number, seed)
        fill(mail)
        made.append(mail.labelled())
    return made


def by_hand(
    source: str, name: str, sent: str, links: int, hits: Sequence[Hit], delivered: float | None = None,
    sender: tuple[str, str] = ("81.156.20.44", ""),
) -> Labelled:  # fmt: skip
    """One written case; ``sent`` in RFC 3339, ``sender`` is one address and one user agent."""
    return Labelled(
        name=f"{source}-{name}",
        source=source,
        sent_at=datetime.fromisoformat(sent),
        links=links,
        hits=tuple(sorted(hits, key=lambda hit: hit.at)),
        delivered=delivered,
        sender_ips=(sender[0],),
        sender_agents=(sender[1],) if sender[1] else (),
        by_hand=True,
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
