"""“Send me a test email”: one mail to oneself that proves a connection can send."""

from __future__ import annotations

import time
from html import escape
from uuid import uuid4

from truesend import clock
from truesend.connections.models import Connection
from truesend.organizations import installation
from truesend.organizations.models import Member
from truesend.providers import registry
from truesend.providers.contract import Grant, Message, Party, ProviderError
from truesend.providers.errors import Outcome, SendResult
from truesend.sending import bucket
from truesend.sending.addresses import Mailbox
from truesend.sending.compose import Letter, compose
from truesend.sending.models import Email
from truesend.sending.plain_text import to_text
from truesend.sending.submit import Written, submit

# Asked for so often, a second apart at most, where other sends of this client are to go first.
_PATIENCE = 8

_SUBJECT = "Truesend can send from this account"
_HTML = """<p>Hello,</p>
<p>this mail proves that Truesend can send from <strong>{address}</strong>. Nothing else is to do.</p>
<p>Truesend</p>
"""


def prove(connection: Connection, grant: Grant) -> SendResult:
    """Send the same mail at once with a grant that nobody else uses yet, past the queue; no retry.

    Nothing is stored of it: it is the connection's own proof, and whoever asked waits for the answer.
    """
    if not installation.may_act():
        return SendResult(Outcome.NOT_SENT, installation.NOT_ADOPTED, "")
    adapter = registry.provider(connection.provider)
    for _ in range(_PATIENCE):
        wait = bucket.take(connection.provider)
        if not wait:
            break
        time.sleep(min(wait, 1.0))
    else:
        return SendResult(Outcome.NOT_SENT, "client_throttled", "")
    message, access = _message(connection), grant.access_token
    try:
        capabilities = adapter.granted(grant.scopes)
        reference = adapter.prepare(message, access, earlier=None) if adapter.prepares(capabilities) else ""
    except ProviderError as error:
        return SendResult(Outcome.NOT_SENT, error.cause, error.words)
    return adapter.send(message, access, reference=reference, fence=lambda: None)


def _message(connection: Connection) -> Message:
    mark, html = uuid4(), _HTML.format(address=escape(connection.address))
    me = Mailbox(connection.address, connection.display_name)
    if not registry.provider(connection.provider).limits.carries_mime:
        return Message(
            mark=str(mark),
            recipients=(Party(me.address, me.name),),
            subject=_SUBJECT,
            html=html,
            text=to_text(html),
        )
    letter = Letter(
        delivery=mark,
        sender=me,
        to=[me],
        cc=(),
        bcc=(),
        files=(),
        subject=_SUBJECT,
        html=html,
        text=to_text(html),
        date=clock.now(),
    )
    return Message(mark=str(mark), raw=compose(letter))


def send_test_email(member: Member, connection: Connection) -> Email:
    """Queue it, untracked; raises :class:`truesend.sending.submit.NotReady`."""
    written = Written(
        connection=connection,
        to=[connection.address],
        subject=_SUBJECT,
        html=_HTML.format(address=escape(connection.address)),
        track=False,
        is_test=True,
    )
    return submit(member, written)[0]
