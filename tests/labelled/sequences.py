"""The labelled set: what real clients, gateways and people do, each hit with what truly happened.

Made without sight of the classifier's rules, from what is documented and published about each source; the citations
stand beside the sources. Templates are drawn with a seed, so that the set is the same on every machine, and another
seed gives another set of the same kinds; the written cases stay. Names end in ``.example`` and reach nobody.
"""

from __future__ import annotations

from tests.labelled import (
    gateways,
    people,
    previews,
    privacy,
    programs,
    webmail,
    written_machines,
    written_people,
)
from tests.labelled.shape import Labelled, Source, from_template

SEED = 20261123
PER_SOURCE = 9
# Sources of the classes that would otherwise stand on few hits.
MORE = {"apple-privacy": 18, "apple-privacy-click": 15, "the-sender": 18, "nobody-knows": 18}

SOURCES: dict[str, Source] = {
    **webmail.SOURCES,
    **programs.SOURCES,
    **privacy.SOURCES,
    **gateways.SOURCES,
    **previews.SOURCES,
    **people.SOURCES,
}


def written() -> list[Labelled]:
    """The cases written one by one."""
    return [*written_people.cases(), *written_machines.cases()]


def sequences(seed: int = SEED) -> list[Labelled]:
    """Nine sequences or more of every source, then the written ones; the same for the same seed."""
    drawn: list[Labelled] = []
    for name, fill in SOURCES.items():
        drawn += from_template(name, fill, MORE.get(name, PER_SOURCE), seed)
    return drawn + written()
