"""Why mail comes back: one table. ``docs/bounces.md`` is written from it.

Hard is only what says that nothing sent to this address will arrive: no such mailbox, no such domain, a domain without
mail, a person who moved away. Everything else is soft, however permanent its code: full and disabled mailboxes come back
to life, filters judge one mail, blocks judge the sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    """Whom a bounce blames."""

    RECIPIENT = "recipient"
    SENDER = "sender"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for mail to come back."""

    code: str
    sentence: str
    """For a member: what is wrong and what to do next."""
    meaning: str
    """For the documentation: what mail systems say and do."""
    statuses: tuple[str, ...] = ()
    """Enhanced codes that mean this by themselves, where the words say nothing. ``x`` is 4 or 5."""
    sources: str = ""
    hard: bool = False
    about: About = About.RECIPIENT
    stops: bool = False
    """The sender's own provider takes no more mail from this account for now: hold what waits."""


_SENDER = About.SENDER
_RFC = "RFC 3463"

_TABLE = (
    # Hard: nothing will arrive there.
    Cause("no_such_address", "This address does not exist. Check how it is spelled.",
          "No such user, mailbox or account.", ("x.1.1", "x.1.3"), f"{_RFC} 3.2; RFC 5321 4.2.3 (550, 553)", hard=True),
    Cause("no_such_domain", "The part after the @ does not exist. Check how it is spelled.",
          "The domain cannot be found in DNS, for good.", ("x.1.2",), f"{_RFC} 3.2", hard=True),
    Cause("takes_no_mail", "This domain receives no mail at all. Ask for another address.",
          "No mail exchanger, or a null MX.", ("5.1.10", "5.4.4", "556"), f"RFC 7505; {_RFC} 3.5; RFC 7504 (521, 556)", hard=True),
    Cause("moved", "This address is no longer used. Ask for the new one.",
          "The mailbox has moved and nothing is forwarded.", ("x.1.6",), f"{_RFC} 3.2; RFC 5321 4.2.3 (551)", hard=True),
    # The recipient's mailbox.
    Cause("mailbox_full", "The mailbox is full. Try again in some days.",
          "Over quota, or its disk is full.", ("x.2.2", "x.3.1"), f"{_RFC} 3.3, 3.4; RFC 5321 4.2.3 (552)"),
    Cause("mailbox_disabled", "The mailbox is switched off for now. Reach this person another way.",
          "Disabled, suspended, locked or inactive; it may come back.", ("x.2.1",), f"{_RFC} 3.3; Gmail's and Yahoo's SMTP errors"),
    Cause("not_permitted", "Only certain people may write to this address. Ask its owner to admit you.",
          "A group, list or mailbox with restricted senders.", ("x.7.2", "5.7.124", "5.7.133", "5.7.134"), f"{_RFC} 3.8; Exchange Online's NDR codes"),
    Cause("filtered", "The recipient's mailbox refused this mail, perhaps by a filter. Write in another way.",
          "Somebody unknown only once the mail was read: a filter of the recipient's, not a wrong address.", ("x.2.0",),
          f"{_RFC} 3.3; RFC 5321 3.3; what Japanese carriers' filters say"),
    Cause("greylisted", "The other side puts off strangers. Try again later.",
          "Asked to come back later.", ("4.7.1",), "RFC 6647"),
    # This mail.
    Cause("too_large", "The mail is too large for the other side. Send it without attachments or with a link.",
          "Larger than the other side takes.", ("x.2.3", "x.3.4"), f"{_RFC} 3.3, 3.4; RFC 1870"),
    Cause("spam", "The other side took this mail for spam. Change its wording and links, or write in another way.",
          "A filter judged the content.", (), "Providers' SMTP errors"),
    Cause("virus", "The other side saw something harmful in this mail. Check attachments and links.",
          "A scanner judged the content.", (), "Providers' SMTP errors"),
    Cause("content", "The other side does not take a mail made like this one. Send it in a simpler form.",
          "A header, attachment or form that is refused.", ("x.6.0", "x.6.1", "x.6.2", "x.6.3", "x.6.5", "x.6.6", "x.6.7", "x.6.8", "x.6.9"),
          f"{_RFC} 3.7"),
    Cause("policy", "The other side's rules refuse this mail. Ask the recipient to admit you.",
          "Refused by a rule that is not told.", ("x.7.0", "x.7.1", "5.7.504", "5.7.505", "5.7.507", "5.7.703"), f"{_RFC} 3.8"),
    Cause("refused", "The other side refused this mail without a reason that says more. Check the address.",
          "Refused, and nothing more is said.", ("x.1.0",), "RFC 5321 4.2.3 (550, 554)"),
    # The sender, in the eyes of the other side.
    Cause("sender_refused", "The other side does not accept this sender's address.",
          "The sender's address or domain is refused.", ("x.1.7", "x.1.8", "x.7.27"), f"{_RFC} 3.2; RFC 7505", about=_SENDER),
    Cause("authentication", "The sender's domain did not prove itself (SPF, DKIM or DMARC). Its administrator can set that up.",
          "SPF, DKIM, DMARC or SMTP authentication failed.",
          ("x.7.8", "x.7.9", "x.7.20", "x.7.21", "x.7.22", "x.7.23", "x.7.24", "x.7.26", "x.7.30", "x.7.32", "5.7.509", "5.7.515"),
          "RFC 7372; RFC 7489; Gmail's and Outlook's SMTP errors", about=_SENDER),
    Cause("network_blocked", "The other side blocks the network this mail was sent from. Wait, or tell your provider.",
          "The address of the sending server is on a blocklist or has a bad reputation.",
          ("5.7.508", "5.7.511", "5.7.606", "5.7.607", "5.7.608", "5.7.649"), "Providers' SMTP errors; Spamhaus", about=_SENDER),
    Cause("reverse_dns", "The sending server has no proper name of its own (reverse DNS). Its operator can set that.",
          "No or a wrong PTR record.", ("x.7.25",), "RFC 7372; Gmail's and GMX's SMTP errors", about=_SENDER),
    Cause("relay_denied", "A server on the way does not carry mail for this address. Check how it is spelled.",
          "Relaying denied.", ("5.7.64",), "RFC 5321 3.6.2"),
    # The sender, in the eyes of its own provider.
    Cause("sending_limit", "This account has reached its provider's limit for sending. What waits goes when the limit allows it.",
          "A daily, hourly or recipient limit of the sender's own provider.",
          ("5.1.90", "5.4.5", "5.7.232", "5.7.233", "5.7.234"), "Exchange Online's NDR codes; Gmail's sending limits", about=_SENDER, stops=True),
    Cause("sender_blocked", "This account's provider has blocked it from sending. Its administrator can release it.",
          "The sender's own provider holds it for a spammer, or its tenant.",
          ("5.7.501", "5.7.502", "5.7.503", "5.7.705", "5.7.708", "5.7.750"), "Exchange Online's NDR codes", about=_SENDER, stops=True),
    # On the way.
    Cause("too_fast", "The other side takes no more mail at this pace. Try again later.",
          "Too many connections, recipients or mails in a short time.", ("x.4.5", "x.5.3", "x.7.28"), f"{_RFC} 3.5, 3.6; Gmail's SMTP errors"),
    Cause("loop", "The mail went round in a circle between servers. Tell the recipient's administrator.",
          "A forwarding loop, or too many hops.", ("x.4.6", "x.4.8"), f"{_RFC} 3.5"),
    Cause("unreachable", "The recipient's mail server cannot be reached. Try again later.",
          "No connection, or DNS fails for now.", ("x.4.1", "x.4.2", "x.4.3", "x.4.9", "x.7.5", "x.7.10"), f"{_RFC} 3.5"),
    Cause("expired", "It was tried for a long time and never taken. Try again, or reach this person another way.",
          "Given up after the last try; nothing else is told.", ("x.4.0", "x.4.7"), f"{_RFC} 3.5"),
    Cause("system_error", "The recipient's mail system is out of order. Try again later.",
          "A fault of the other side.", ("x.3.0", "x.3.2", "x.3.3", "x.3.5", "x.4.10"), f"{_RFC} 3.4; RFC 5321 4.2.3 (451, 452)"),
    Cause("protocol_error", "Two mail servers did not understand each other. Try again later.",
          "A protocol error between servers.", ("x.5.0", "x.5.1", "x.5.2", "x.5.4", "x.5.5"), f"{_RFC} 3.6; RFC 5321 4.2.3 (500 to 504)"),
    Cause("delayed", "It has not arrived yet and is still being tried. There is nothing to do.",
          "A warning: not delivered yet, and no cause is told.", (), "RFC 3464 2.3.3"),
    Cause("unknown", "It was not delivered, and the report does not say why. Check the address.",
          "Nothing in the report tells a cause.", (), ""),
)  # fmt: skip

CAUSES: dict[str, Cause] = {cause.code: cause for cause in _TABLE}
