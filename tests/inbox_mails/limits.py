"""Bounces that speak of the sender: limits, blocks, names and proofs of its domain."""

from __future__ import annotations

from tests.inbox_mails.cases import BO, Case, as_html, mail, parted, report

_DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.example.net>"
_OUTLOOK = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>"


def _said(
    name: str, said: str, reason: str, *, status: str = "5.0.0", sender: bool = True, hard: bool = False
) -> Case:
    fields = (
        f"Final-Recipient: rfc822; {BO}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {said}\n"
    )
    raw = report(
        f"<{BO}>: host mx.example.org[192.0.2.9] said: {said}",
        fields,
        sender=_DAEMON,
        subject="Undelivered Mail Returned to Sender",
    )
    return Case(name, raw, failed=((BO, hard),), reason=reason, sender=sender)


CASES: tuple[Case, ...] = (
    Case("Exchange, day's limit", parted(("text/html; charset=utf-8", as_html(f"Your message wasn't delivered to {BO} because you've exceeded the limit for the number of messages you can send.\nRemote Server returned '550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients'")), sender=_OUTLOOK, subject="Undeliverable: Hello"), failed=((BO, False),), reason="sending_limit", sender=True),
    _said("Exchange, tenant's limit", "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to external recipients", "sending_limit", status="5.7.233"),
    _said("Exchange, code alone", "550 5.1.90", "sending_limit", status="5.1.90"),
    _said("Exchange, blocked sender", "550 5.1.8 Access denied, bad outbound sender AS(42004)", "sender_blocked", status="5.1.8"),
    _said("Exchange, young tenant", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. AS(7230)", "sender_blocked", status="5.7.708"),
    _said("Exchange, blocked tenant", "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold.", "sender_blocked", status="5.7.705"),
    Case("Gmail, limit", mail(f"You have reached a limit for sending mail. Your message was not sent.\n\nThe message to {BO} was not delivered.\n", sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>", subject="Delivery Status Notification (Failure)"), failed=((BO, False),), reason="sending_limit", sender=True),
    _said("Gmail, quota", "550 5.4.5 Daily user sending quota exceeded. 4fb4d7f45d1cf-gsmtp", "sending_limit", status="5.4.5"),
    _said("Gmail, code alone", "550 5.4.5", "sending_limit", status="5.4.5"),
    _said("a host's hourly limit", "550 Domain example.com has exceeded the max emails per hour (150/150) allowed. Message discarded.", "sending_limit"),
    _said("blocklist", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org", "network_blocked", status="5.7.1"),
    _said("banned network", "550 5.7.606 Access denied, banned sending IP [192.0.2.7]. To request removal from this list please visit the portal", "network_blocked", status="5.7.606"),
    _said("reputation", "421 4.7.0 Messages from 192.0.2.7 temporarily deferred due to poor reputation", "network_blocked", status="4.7.0"),
    _said("SPF", "550 5.7.23 The message was rejected because of Sender Policy Framework violation", "authentication", status="5.7.23"),
    _said("DMARC", "550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy", "authentication", status="5.7.26"),
    _said("reverse DNS", "550 5.7.25 The IP address sending this message does not have a PTR record setup", "reverse_dns", status="5.7.25"),
    _said("sender's domain", "553 5.1.8 <ana@example.com>... Domain of sender address ana@example.com does not exist (in reply to MAIL FROM command)", "sender_refused", status="5.1.8"),
    _said("sender's address", "550 5.1.0 <ana@example.com>: Sender address rejected: User unknown in virtual mailbox table", "sender_refused", status="5.1.0"),
    _said("Exchange, code against the words", "550 5.7.501 Access denied, spam abuse detected from example.com", "sender_blocked", status="5.7.501"),
    # The recipient's own, though they sound alike.
    _said("full, not a limit of sending", "552 5.2.2 The recipient's mailbox has exceeded its storage quota", "mailbox_full", status="5.2.2", sender=False),
    _said("unknown, not the sender", "550 5.1.1 <bo.berg@example.org>: Recipient address rejected: User unknown in local recipient table", "no_such_address", status="5.1.1", sender=False, hard=True),
    _said("disabled", "550 5.2.1 The email account that you tried to reach is disabled", "mailbox_disabled", status="5.2.1", sender=False),
    _said("closed at Yahoo", "554 delivery error: dd Sorry your message to bo.berg@example.org cannot be delivered. This account has been disabled or discontinued [#102].", "mailbox_disabled", status="5.0.0", sender=False),
    _said("a limit of receiving", "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages", "too_fast", status="4.2.1", sender=False),
    _said("a limit of connections", "421 4.7.0 your host has exceeded the hourly limit of connections", "too_fast", status="4.7.0", sender=False),
    _said("a full store", "552 user has reached their storage limit", "mailbox_full", status="5.0.0", sender=False),
    _said("null MX", "556 5.1.10 The domain example.org has a null MX record", "takes_no_mail", status="5.1.10", sender=False, hard=True),
    _said("moved", "551 5.1.6 User has moved; please try bo@example.net", "moved", status="5.1.6", sender=False, hard=True),
    _said("spam", "554 5.7.1 Message rejected as spam by content scanner", "spam", status="5.7.1", sender=False),
    _said("virus", "550 5.7.1 Message contains a virus", "virus", status="5.7.1", sender=False),
    _said("size", "552 5.3.4 Message size exceeds fixed maximum message size", "too_large", status="5.3.4", sender=False),
    _said("loop", "554 5.4.6 Too many hops", "loop", status="5.4.6", sender=False),
    _said("relaying", "550 5.7.1 Relaying denied", "relay_denied", status="5.7.1", sender=False),
    _said("carrier's filter", "550 Unknown user bo.berg@example.org", "filtered", status="5.2.0", sender=False),
    _said("timeout", "connect to mx.example.org[192.0.2.9]:25: Connection timed out", "unreachable", status="4.4.1", sender=False),
)  # fmt: skip
