"""What depends on the version of Stripe's API: since `2025-03-31.basil` periods stand on items (stripe.md §4)."""

from __future__ import annotations

import re
from typing import Any

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_BASIL = "2025-03-31"


def known(version: str) -> bool:
    """Whether it is written as versions are."""
    return _VERSION.fullmatch(version) is not None


def render(answer: Any, version: str) -> Any:
    """The answer as that version has it; changed in place."""
    if version[:10] >= _BASIL:
        return answer
    if isinstance(answer, list):
        for one in answer:
            render(one, version)
    elif isinstance(answer, dict):
        for value in answer.values():
            render(value, version)
        if answer.get("object") == "subscription" and answer["items"]["data"]:
            first = answer["items"]["data"][0]
            for name in ("current_period_start", "current_period_end"):
                answer[name] = first[name]
        elif answer.get("object") == "invoice" and answer.get("parent"):
            answer["subscription"] = answer["parent"]["subscription_details"]["subscription"]
    return answer
