"""Amounts and periods as a page shows them."""

from __future__ import annotations

from truesend_sandbox.stripe.objects import Thing


def amount(price: Thing, quantity: int = 1) -> str:
    """`USD 29.00`."""
    cents = price["unit_amount"] * quantity
    return f"{price['currency'].upper()} {cents // 100}.{cents % 100:02d}"


def every(price: Thing) -> str:
    """`a month`, `every 3 months`."""
    recurring = price["recurring"]
    if recurring is None:
        return "once"
    count, word = recurring["interval_count"], recurring["interval"]
    return f"a {word}" if count == 1 else f"every {count} {word}s"
