"""The confusion matrix of a labelled set, judged by the very code of ``truesend explain hits``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.labelled.shape import Labelled

from truesend.tracking import rules
from truesend.tracking.explain import explain_lines
from truesend.tracking.rules import Rules

CLASSES = ("person", "proxy", "prefetch", "scanner", "self", "unknown")
COUNTS_FROM = 0.8
"""Confidence from which an open counts in headlines; a click always does (design §6)."""


@dataclass
class Matrix:
    """``cells[truth, said]`` and ``headlines[is a person, counts as one]``, in hits."""

    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    headlines: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    by_source: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    @property
    def person(self) -> tuple[float, float]:
        """Precision and recall of the class ``person``."""
        right = self.cells["person", "person"]
        said = sum(self.cells[truth, "person"] for truth in CLASSES)
        true = sum(self.cells["person", said] for said in CLASSES)
        return right / said, right / true

    @property
    def headline(self) -> tuple[float, float]:
        """Precision and recall of what a headline counts."""
        right = self.headlines[True, True]
        return right / (right + self.headlines[False, True]), right / (right + self.headlines[True, False])

    def text(self) -> str:
        """The matrix, the figures, and by source what was not said as it is."""
        width = max(len(one) for one in CLASSES) + 2
        lines = ["truth \\ said".ljust(14) + "".join(one.rjust(width) for one in CLASSES)]
        for truth in CLASSES:
            counts = "".join(str(self.cells[truth, said]).rjust(width) for said in CLASSES)
            lines.append(truth.ljust(14) + counts)
        lines += [
            f"class person:    precision {self.person[0]:.4f}, recall {self.person[1]:.4f}",
            f"headline person: precision {self.headline[0]:.4f}, recall {self.headline[1]:.4f}",
        ]
        for source, cells in sorted(self.by_source.items()):
            right = sum(count for (truth, said), count in cells.items() if truth == said)
            wrong = [
                f"{count} {truth} said {said}"
                for (truth, said), count in cells.most_common()
                if truth != said
            ]
            lines.append(f"  {source:<22}{right:>4} of {cells.total():<4} {', '.join(wrong)}".rstrip())
        return "\n".join(lines)


def matrix_of(sequences: Iterable[Labelled], version: Rules = rules.CURRENT) -> Matrix:
    """Judge every sequence; raises ``AssertionError`` when a line was not answered or a hit left out."""
    told = list(sequences)
    answers: list[str] = []
    complaints: list[str] = []
    lines = (json.dumps(one.line()) for one in told)
    explain_lines(lines, answers.append, complaints.append, version)
    assert not complaints, complaints
    matrix = Matrix()
    for one, text in zip(told, answers, strict=True):
        answer = json.loads(text)
        assert answer["sequence"] == one.name
        for hit, truth, found in zip(one.hits, one.truths(), answer["hits"], strict=True):
            cell = truth["truth"], found["class"]
            matrix.cells[cell] += 1
            matrix.by_source.setdefault(one.source, Counter())[cell] += 1
            person = found["class"] == "person"
            counts = person and (hit.kind == "click" or found["confidence"] >= COUNTS_FROM)
            matrix.headlines[truth["truth"] == "person", counts] += 1
    return matrix
