"""The way out of mail to many: a header for mail programs, and a sentence with a link at the end for people.

For separate copies to more than twenty people. Where the provider carries no headers the link alone goes along.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from uuid import UUID

from truesend.connections.models import Connection
from truesend.sending.reading import COPIES, Due
from truesend.suppression import footers
from truesend.tracking import tokens, unsubscribe_tokens
from truesend.tracking.html_scan import Tag, Text, Unclosed
from truesend.tracking.unsubscribe_tokens import UnsubscribeToken

_HTML = (
    '<div style="margin-top:32px;padding-top:12px;border-top:1px solid #8c959f;font-size:13px;line-height:1.5">'
    '{sentence} <a href="{url}" rel="unsubscribe">Unsubscribe</a></div>'
)


@dataclass(frozen=True)
class WayOut:
    """The address that leads out, and the organization's sentence before it."""

    url: str
    sentence: str

    def in_html(self, html: str, parts: Iterable[Tag | Text | Unclosed]) -> str:
        """``html`` with the sentence and link at its end: before the last ``</body>``. ``parts`` are those of it."""
        if not html:
            return html
        at = len(html)
        for part in parts:
            if isinstance(part, Unclosed) or (isinstance(part, Tag) and part.closing and part.name == "body"):
                at = part.start
        return html[:at] + _HTML.format(sentence=escape(self.sentence), url=escape(self.url)) + html[at:]

    def in_text(self, text: str) -> str:
        """The plain text with them as its last lines."""
        return f"{text.rstrip()}\n\n{self.sentence}\nUnsubscribe: {self.url}\n"


def way_out(due: Due, connection: Connection, keys: tokens.Keys, base: str) -> WayOut | None:
    """The one of a copy about to leave; ``None`` where it is no mail to more than twenty."""
    email = due.delivery.email
    if not due.to_many or due.copies < COPIES:
        return None
    (address,) = [one.address for people in due.people.values() for one in people]
    token = UnsubscribeToken(due.delivery.pk, email.organization_id, address, connection.organization.name)
    return WayOut(
        _url(keys, base, token), footers.sentence_of(email.organization_id, connection.organization.name)
    )


def shown(organization_id: UUID, name: str, base: str) -> WayOut:
    """The same for a preview, with a link that leads nowhere."""
    return WayOut(f"{base}/t/u/", footers.sentence_of(organization_id, name))


def _url(keys: tokens.Keys, base: str, token: UnsubscribeToken) -> str:
    return f"{base}/t/u/{unsubscribe_tokens.sign(keys, token)}"
