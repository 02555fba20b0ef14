"""What is neither bounce, delay nor automatic reply, though much of it looks like one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.inbox_mails import systems
from tests.inbox_mails.cases import BO, ORIGINAL, SENDER, in_base64, mail, parted, report

_PERSON = f"Bo Berg <{BO}>"
_NOTE = (
    "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could not\n"
    "be delivered to one or more recipients.\n\n<cy@example.net>: host mx.example.net[192.0.2.9] said: 550 5.1.1\n    <cy@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO command)\n"
)
_QUOTED = "".join(f"> {line}\n" for line in _NOTE.split("\n"))
_SUBJECTS = (
    "Hello",
    "Undelivered Mail Returned to Sender",
    "Delivery Status Notification (Failure)",
    "failure notice",
    "Returned mail: see transcript for details",
    "Undeliverable: Hello",
    "Unzustellbar: Hallo",
    "Mail delivery failed: returning message to sender",
)
_ABOUT = (
    ("Why your emails bounce", "Here is what “550 5.1.1 User unknown” means: the message could not be delivered to user@example.net because no such mailbox exists."),
    ("Your weekly bounce report", "12 messages could not be delivered this week. Top address: gone@example.net (550 5.1.1 user unknown)."),
    ("Mailbox full?", "Your mailbox is almost full. Buy more storage to avoid that messages cannot be delivered."),
    ("Undelivered parcel", "Your parcel could not be delivered. We will try again tomorrow. Questions: help@parcels.example"),
    ("Delivery failed", "The driver failed to deliver your order 550-11 to 5 Main Street. Choose another day."),
    ("Question about the returned mail", "Ana, my mail to cy@example.net was returned: 550 5.1.1 user unknown. Do you have the new address?"),
    ("Zustellung fehlgeschlagen", "Ihr Paket konnte nicht zugestellt werden. Bitte wählen Sie einen neuen Termin."),
    ("Avis de passage", "Votre colis n'a pas pu être livré. Choisissez une nouvelle date."),
    ("Out of office season", "Who is out of the office over the holidays? Please fill in the list until Friday."),
    ("Delayed", "The train is delayed, I will be back on Monday."),
)  # fmt: skip


def mails() -> Iterator[tuple[str, str]]:
    """``(name, raw)`` of each."""
    yield from _replies()
    yield from _forwards()
    yield from _about()
    yield from _receipts()
    yield from _lists()


def _replies() -> Iterator[tuple[str, str]]:
    for number, subject in enumerate(_SUBJECTS):
        for prefix in ("Re", "AW", "RE", "SV"):
            yield (
                f"{prefix}, quoting a bounce {number}",
                mail(
                    f"Ana, did you see this? Use another address.\n\nOn Tue, 3 Nov 2026 Ana wrote:\n{_QUOTED}",
                    sender=_PERSON,
                    subject=f"{prefix}: {subject}",
                    more="In-Reply-To: <sent-1@example.com>\n",
                ),
            )
        yield (
            f"top-posted {number}",
            mail(
                f"See below.\n\n-----Original Message-----\nFrom: MAILER-DAEMON@mx.example.net\nSent: Tuesday\nTo: {SENDER}\nSubject: {subject}\n\n{_NOTE}",
                sender=_PERSON,
                subject=f"RE: {subject}",
                more="In-Reply-To: <sent-1@example.com>\n",
            ),
        )
    for number in range(12):
        yield (
            f"ordinary reply {number}",
            mail(
                f"Thank you, {number} is fine. Call me at 550 1234 or write to cy{number}@example.net.\n\nBo\n\n> The mail to cy{number}@example.net failed: 550 5.1.1\n",
                sender=_PERSON,
                subject="Re: Hello",
                more="In-Reply-To: <sent-1@example.com>\nReferences: <sent-1@example.com>\n",
            ),
        )
    yield (
        "a person who is postmaster",
        mail(
            f"Hello Ana,\n\nI looked at the log: your message to cy@example.net could not be delivered on Monday because the mailbox was full. It works again.\n\nDee\n\n{_QUOTED}",
            sender="Dee Dahl <postmaster@example.org>",
            subject="Re: my mail to Cy",
            more="In-Reply-To: <sent-1@example.com>\n",
        ),
    )


def _forwards() -> Iterator[tuple[str, str]]:
    for number, case in enumerate(systems.CASES[:24]):
        subject = _SUBJECTS[number % len(_SUBJECTS)]
        inline = "\n".join(case.raw.split("\n")[:40])
        ways = (
            f"FYI\n\n---------- Forwarded message ---------\n{inline}",
            "FYI\n\nBegin forwarded message:\n\n" + "".join(f"> {line}\n" for line in inline.split("\n")),
        )
        yield f"forward {number}", mail(ways[number % 2], sender=_PERSON, subject=f"Fwd: {subject}")
        yield (
            f"forward as a file {number}",
            parted(
                ("text/plain; charset=utf-8", "See the attached bounce."),
                ("message/rfc822\nContent-Disposition: attachment", case.raw),
                sender=_PERSON,
                subject=f"Fwd: {subject}",
            ).replace("Return-Path: <>", "Return-Path: <bo.berg@example.org>", 1),
        )


def _about() -> Iterator[tuple[str, str]]:
    for number, (subject, text) in enumerate(_ABOUT):
        yield f"about {number}, a person", mail(text, sender=_PERSON, subject=subject)
        yield (
            f"about {number}, a service",
            mail(text, sender="Service <no-reply@service.example>", subject=subject),
        )
        yield (
            f"about {number}, a newsletter",
            mail(
                text,
                sender="News <news@service.example>",
                subject=subject,
                more="List-Unsubscribe: <https://service.example/u>\nPrecedence: bulk\nAuto-Submitted: auto-generated\n",
            ),
        )
        yield (
            f"about {number}, in base64",
            parted(
                ("text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", in_base64(text)),
                ("text/html; charset=utf-8", f"<p>{text}</p>"),
                sender="Service <hello@service.example>",
                subject=subject,
                kind="alternative",
            ).replace("Return-Path: <>", "Return-Path: <b@service.example>", 1),
        )

    yield (
        "forged, own mailbox",
        mail(
            f"Dear ana,\n\n(5) incoming messages could not be delivered to:\n\n{SENDER}\n\nYour mailbox is full. Sign in to release them.\n",
            sender="Mail Delivery System <support@phish.example>",
            subject="Undelivered mails for ana@example.com",
        ),
    )
    yield (
        "a shop's mailer",
        mail(
            "Your parcel could not be delivered to:\n\nBo Berg, bo.berg@example.org\n",
            sender="mailer@shop.example",
            subject="Delivery failed",
            more="List-Unsubscribe: <https://shop.example/u>\n",
        ),
    )
    yield (
        "a build's mailer",
        mail(
            "Delivery of the artefact failed, see the log. Reported by: bo.berg@example.org",
            sender="Builds <no-reply@builds.example>",
            subject="Deployment failed",
            more="Auto-Submitted: auto-generated\n",
        ),
    )
    yield (
        "quota warning",
        mail(
            f"The mailbox {SENDER} is 95 % full. Once it is full, mail to it cannot be delivered.",
            sender="no-reply@host.example",
            subject="Quota warning",
            more="Auto-Submitted: auto-generated\nReturn-Path: <>\n",
        ),
    )
    yield (
        "a form's mail",
        mail(
            "Name: Bo\nE-mail: bo.berg@example.org\nMessage: my last mail was not delivered, why?\n",
            sender="www-data <no-reply@site.example>",
            subject="Contact form",
            more="Auto-Submitted: auto-generated\n",
        ),
    )


def _receipts() -> Iterator[tuple[str, str]]:
    for action in ("delivered", "relayed", "expanded"):
        for subject in (
            "Delivered: Hello",
            "Relayed: Hello",
            "Successful Mail Delivery Report",
            "Zugestellt: Hallo",
        ):
            yield (
                f"receipt {action} {subject}",
                report(
                    f"Your message has been delivered to the following recipients:\n\n{BO}\n",
                    f"Final-Recipient: rfc822; {BO}\nAction: {action}\nStatus: 2.0.0\n",
                    sender="postmaster@example.org",
                    subject=subject,
                ),
            )
    for mode in ("displayed", "deleted", "dispatched", "denied", "failed"):
        yield (
            f"read receipt {mode}",
            parted(
                ("text/plain", f"Your message to {BO} was {mode}. This is no guarantee that it was read."),
                (
                    "message/disposition-notification",
                    f"Final-Recipient: rfc822; {BO}\nOriginal-Message-ID: <sent-1@example.com>\nDisposition: automatic-action/MDN-sent-automatically; {mode}\n",
                ),
                ("message/rfc822", ORIGINAL),
                sender=_PERSON,
                subject="Read: Hello",
                kind="report; report-type=disposition-notification",
            ),
        )
    for kind in ("abuse", "fraud", "not-spam", "opt-out"):
        yield (
            f"complaint {kind}",
            parted(
                ("text/plain", "This is an abuse report. The message could not be delivered to the inbox."),
                (
                    "message/feedback-report",
                    f"Feedback-Type: {kind}\nUser-Agent: Loop/1.0\nVersion: 1\nOriginal-Rcpt-To: {BO}\n",
                ),
                ("message/rfc822", ORIGINAL),
                sender="fbl@feedback.example",
                subject="complaint",
                kind="report; report-type=feedback-report",
            ),
        )
    for method in ("REQUEST", "REPLY", "CANCEL"):
        yield (
            f"calendar {method}",
            parted(
                (
                    "text/plain",
                    "Bo has accepted. If the invitation cannot be delivered to a guest, you will be told.",
                ),
                (f"text/calendar; method={method}", "BEGIN:VCALENDAR\nEND:VCALENDAR"),
                sender=_PERSON,
                subject="Accepted: Hello",
                kind="alternative",
            ),
        )


def _lists() -> Iterator[tuple[str, str]]:
    more = "List-Id: <talk.lists.example>\nList-Post: <mailto:talk@lists.example>\nPrecedence: list\n"
    for subject in (*_SUBJECTS, "Out of office, anybody?", "Automatic replies considered harmful"):
        yield (
            f"list {subject}",
            mail(
                f"My server says 550 5.1.1 for user@example.net, what is wrong?\n\n{_QUOTED}",
                sender="Somebody <somebody@example.net>",
                subject=f"[talk] {subject}",
                more=more,
            ),
        )
        yield (
            f"list, digest {subject}",
            mail(
                f"Today's topics:\n\n1. {subject} (somebody@example.net)\n\n{_QUOTED}",
                sender="talk-request@lists.example",
                subject="talk Digest, Vol 1, Issue 2",
                more=more,
            ),
        )
    yield (
        "held by a list",
        mail(
            "Your mail to 'talk' with the subject Hello is being held until the list moderator can review it for approval.",
            sender="talk-owner@lists.example",
            subject="Your message to talk awaits moderator approval",
            more="Auto-Submitted: auto-generated\nPrecedence: bulk\n",
        ),
    )
    yield (
        "subscribed",
        mail(
            "Welcome to the talk list. Mail that bounces too often ends your subscription.",
            sender="talk-bounces@lists.example",
            subject="Welcome to the “talk” mailing list",
            more="Precedence: list\n",
        ),
    )
