"""The Django app `organizations`."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class Config(AppConfig):
    """Registers `truesend.organizations`."""

    name = "truesend.organizations"
    label = "organizations"

    def ready(self) -> None:
        """Behind a new connection there may be another database than before; changes of sign-in are heard of."""
        from truesend.organizations import account_notes, second_factor_notes, session_limits

        account_notes.listen()
        second_factor_notes.listen()
        session_limits.listen()
        connection_created.connect(_look_again, dispatch_uid="installation")


def _look_again(**_: Any) -> None:
    from truesend.organizations import installation

    installation.look_again()
