"""Causes that a test has the sandbox produce: said in its marker, and held against what a person was really told.

``@pytest.mark.produces("state_invalid")`` on a test, or on one of its parameters: when it has ended, a page must have
told the cause in its own words, and, of a cause that concerns a connection, the API too. The guard ``test_causes.py``
holds that every cause is produced by somebody. ``says`` is how pages put it where they have other words; ``api=False``:
no connection stands that could be asked.
"""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import requests

from truesend.connections.causes import CAUSES, Severity

_NAMES = "(Google|Microsoft|Keap)"
_heard: list[requests.Response] = []
_listening: list[bool] = []


def hear(answer: requests.Response) -> requests.Response:
    """Keep what a person was answered, where a marker asks for it."""
    if _listening:
        _heard.append(answer)
    return answer


def listen(wanted: object) -> None:
    """Another test begins; whether it has such a marker."""
    _heard.clear()
    _listening[:] = [True] if wanted else []


def assert_told(mark: pytest.Mark) -> None:
    """Each cause of a marker was told."""
    for code in mark.args:
        known = CAUSES[code]
        pattern = _pattern(known.sentence)
        shown = re.compile(re.escape(mark.kwargs["says"])) if "says" in mark.kwargs else pattern
        assert any(shown.search(one) for one in _pages()), f"no page told {code}: {shown.pattern}"
        if mark.kwargs.get("api", known.severity is not Severity.NONE):
            told = [one for one in _objects() if one.get("cause") == code]
            assert told, f"the API did not name {code}"
            words = [str(one.get("sentence", "")) for one in told]
            assert "says" in mark.kwargs or any(map(pattern.search, words)), f"the API told {code} as {words}"


def _pattern(sentence: str) -> re.Pattern[str]:
    told = re.escape(sentence).replace(r"\{provider\}", _NAMES).replace(r"\{words\}", ".*?")
    return re.compile(told)


def _pages() -> list[str]:
    pages = [one.text for one in _heard if "html" in one.headers.get("Content-Type", "")]
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in pages]


def _objects() -> list[dict[str, Any]]:
    """Every object of every answer of the API, those within others too."""
    found: list[dict[str, Any]] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.append(value)
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    for one in _heard:
        if "json" in one.headers.get("Content-Type", ""):
            look(one.json())
    return found
