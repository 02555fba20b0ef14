"""What the command line says instead of a traceback."""

from __future__ import annotations

# sysexits.h EX_CONFIG: a part that ends with it was refused by its settings, so starting it again is no help.
CONFIGURATION_EXIT = 78


class Refused(Exception):
    """Something the person at the terminal can put right; the message is one plain sentence.

    ``code`` is the exit code of the command.
    """

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code
