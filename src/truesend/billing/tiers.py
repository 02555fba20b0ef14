"""What a plan contains, as data: tiers in order, the features of each, and which of Stripe's prices means which.

Pure. A feature stands here only where something asks for it: what no tier lacks needs no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """What a tier may lack."""

    MAILINGS = "mailings"
    RECORDS = "records"


@dataclass(frozen=True)
class Tier:
    """One plan. ``key`` is how settings and rows name it."""

    key: str
    name: str
    features: frozenset[Feature]

    def has(self, feature: Feature) -> bool:
        """Whether it contains a feature."""
        return feature in self.features


# What a page says of a feature.
SAID: Mapping[Feature, str] = {
    Feature.MAILINGS: "Separate copies: one email to many people, each their own, with merge fields",
    Feature.RECORDS: "Recording: mail of other accounts stands with the CRM’s contacts",
}

# From the least to the most. Every one of them sends, tracks and connects accounts.
TIERS = (
    Tier("starter", "Starter", frozenset()),
    Tier("business", "Business", frozenset({Feature.MAILINGS})),
    Tier("premium", "Premium", frozenset(Feature)),
)
LOWEST, TOP = TIERS[0], TIERS[-1]
_BY_KEY = {one.key: one for one in TIERS}


def tier(key: str) -> Tier | None:
    """The tier of that key, or None: rows may name one that is no more."""
    return _BY_KEY.get(key)


def rank(one: Tier) -> int:
    """Its place, from 0: a higher one contains more."""
    return TIERS.index(one)


def least_with(feature: Feature) -> Tier:
    """The lowest tier that has a feature."""
    return next(one for one in TIERS if one.has(feature))


class PricesUnreadable(ValueError):
    """The setting cannot be read; the message says which part."""


@dataclass(frozen=True)
class Prices:
    """Stripe's price ids and their tiers; of a tier with several, the first one is sold."""

    tiers: Mapping[str, Tier]
    sold: Mapping[str, str]

    def tier_of(self, price: str) -> Tier | None:
        """The tier that a price buys; None for one that the setting does not name."""
        return self.tiers.get(price)

    def best_of(self, prices: Iterable[str]) -> Tier | None:
        """The highest tier that one of the prices buys; None where the setting names none of them."""
        bought = [found for found in map(self.tier_of, prices) if found is not None]
        return max(bought, key=rank, default=None)


def read_prices(text: str) -> Prices:
    """`starter=price_1,business=price_2,business=price_0,…`. Raises :class:`PricesUnreadable`."""
    tiers: dict[str, Tier] = {}
    sold: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        key, equals, price = (one.strip() for one in part.partition("="))
        if key not in _BY_KEY or not equals or not price or any(c.isspace() for c in price):
            known = ", ".join(_BY_KEY)
            raise PricesUnreadable(f"must read tier=price_…,tier=price_… with the tiers {known}")
        if price in tiers:
            raise PricesUnreadable("names a price twice")
        tiers[price] = _BY_KEY[key]
        sold.setdefault(key, price)
    return Prices(tiers, sold)
