"""Figures by the clock: measured in every run and told, held to their limit where the proof asks for them.

``make test`` runs beside other work on any machine, where a second says nothing about the program.
"""

from __future__ import annotations

import os

_ASKED = "PROOF_OF_FIGURES"
# What takes longer never comes.
_NEVER = 30.0
# How often one looks whether what is waited for has come.
_OFTEN, _SELDOM = 0.03, 0.1


def asked() -> dict[str, str]:
    """The environment of tests whose figures are to be held."""
    return {**os.environ, _ASKED: "1"}


def limit(seconds: float) -> float:
    """What a figure may be here: ``seconds`` for the proof, and otherwise so much that only a standstill fails."""
    return seconds if os.environ.get(_ASKED) == "1" else max(_NEVER, seconds)


def pause(waited: float) -> float:
    """Seconds until one looks again after having waited so long: each look is work for the installation as well.

    Whoever asks every 30 ms takes a fifth of a processor from those who work. A figure wants to know it exactly.
    """
    return _OFTEN if os.environ.get(_ASKED) == "1" else max(_OFTEN, min(_SELDOM, waited / 20))
