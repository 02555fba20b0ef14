"""“Send me a test email”: one mail to oneself that proves a connection can send."""

from __future__ import annotations

from truesend.connections.models import Connection
from truesend.organizations.models import Member
from truesend.sending.models import Email
from truesend.sending.submit import Written, submit

_HTML = """<p>Hello,</p>
<p>this mail proves that Truesend can send from <strong>{address}</strong>. Nothing else is to do.</p>
<p>Truesend</p>
"""


def send_test_email(member: Member, connection: Connection) -> Email:
    """Queue it, untracked; raises :class:`truesend.sending.submit.NotReady`."""
    written = Written(
        connection=connection,
        to=[connection.address],
        subject="Truesend can send from this account",
        html=_HTML.format(address=connection.address.replace("<", "&lt;")),
        track=False,
        is_test=True,
    )
    return submit(member, written)[0]
