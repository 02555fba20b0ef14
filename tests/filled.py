"""An organization with a row in every table that has one to it, and what the database holds of it.

What is left of it is asked of every table there is: by counting, and by its ids and addresses in the text of each row.
So a table that is new is looked through without anybody's remembering.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection as database
from tests.copies import Copy, email_of, mailbox

from truesend import clock
from truesend.alerts.models import Ask, Letter, Trouble
from truesend.billing.models import BillingAccount, BillingSubscription
from truesend.connections.models import Connection, Consent, LedgerEntry, Token
from truesend.connections.secretbox import seal
from truesend.crm.models import Recorder, Recording
from truesend.exports.models import Export
from truesend.inbox.models import Arrival, Mailbox, Push
from truesend.organizations import access, audit, invitations
from truesend.organizations.models import Member, Organization, SeenFrom, User
from truesend.organizations.second_factor import MFAAdapter
from truesend.organizations.session_models import SignedIn
from truesend.privacy.models import History
from truesend.providers.contract import Capability
from truesend.sending.models import Attachment, AttachmentPiece, Email, IdempotencyKey
from truesend.sending.people_models import MailboxBudget, PeopleList
from truesend.suppression.models import Footer, LeftOut, Suppression
from truesend.tracking.models import Forgotten, Hit, Signal
from truesend.writing.models import Sender, SendersRead, Signature, Template

PASSWORD = "correct-horse-9"
_PASSWORD = make_password(PASSWORD)
SECRETS = ("the access key", "the refresh key", "the verifier", "the app's secret")
"""What is sealed, and never written anywhere open."""


@dataclass
class Filled:
    """An organization, its people and the words by which a row of it is known."""

    organization: Organization
    owner: Member
    user: Member
    box: Connection
    email: Email
    words: set[str] = field(default_factory=set)

    @property
    def users(self) -> list[int]:
        return [self.owner.user_id, self.user.user_id]


def organization(name: str = "Northwind", emails: int = 1) -> Filled:
    """With an owner, a user, and at least one row of everything."""
    host = f"{name.lower()}.example"
    made = Organization.objects.create(name=name)
    owner, user = person(made, f"ana@{host}", "owner"), person(made, f"ben@{host}", "user")
    now = clock.now()
    box = _box(owner)
    for number in range(emails):
        email = _email(owner, box, host, f"Contract {number}")
    _email(user, box, host, "Of Ben")
    draft = Email.objects.create(
        organization=made, member=user, connection=box, status="draft", subject="Later"
    )
    PeopleList.objects.create(
        email=draft, name="people.csv", columns=[["email", "Email"]], people=[[1, f"eve@{host}"]]
    )
    Email.objects.filter(pk=draft.pk).update(corrects=email, reply_to=email.deliveries.first())
    Ask.objects.create(asker=user, asked=owner, provider="google", connection=box)
    BillingAccount.objects.create(organization=made, trial_ends_at=now, state="trial", tier="premium")
    BillingSubscription.objects.create(
        account_id=made.pk, external_id=f"sub_{host}", status="canceled", tier="premium", ends_at=now
    )
    Consent.objects.create(
        state_digest=uuid4().bytes + uuid4().bytes, session_digest=b"s" * 32, member=owner, connection=box,
        provider="google", kind="personal", capabilities=["send"], verifier=_sealed("consent.verifier", SECRETS[2]),
        nonce="n", next_path="/integration",
    )  # fmt: skip
    Export.objects.create(
        organization=made, member=owner, scope="member", status="ready", look_at=now + timedelta(days=7)
    )
    Footer.objects.create(organization=made, sentence=f"{name}, Bergen")
    History.objects.create(organization=made, total=1, started_at=now, finished_at=now)
    Suppression.objects.create(
        organization=made,
        key=f"board@{host}",
        domain=host,
        address=f"board@{host}",
        reason="by_hand",
        source="=1+1",
    )
    Template.objects.create(organization=made, member=owner, kind="template", name="Offer", shared=True)
    Template.objects.create(organization=made, member=user, kind="snippet", name="Ben's own")
    invitations.invite(owner, "user")
    access.create_token(owner, "script")
    audit.record(made.pk, owner, "organization.name", about=f'=HYPERLINK("http://{host}")')
    Letter.objects.create(
        about=f"due {box.pk} now", kind="due", address=owner.user.email, subject=name, body=name
    )
    told = Filled(made, owner, user, box, email)
    told.words = {str(made.pk), str(owner.pk), str(user.pk), str(box.pk), str(email.pk), host}
    told.words |= {str(one) for one in email.deliveries.values_list("pk", flat=True)}
    told.words |= {one.data["secret"] for one in Authenticator.objects.filter(user__in=told.users)}
    told.words |= set(SignedIn.objects.filter(user__in=told.users).values_list("session_key", flat=True))
    return told


def person(organization: Organization, address: str, role: str) -> Member:
    """Somebody who signs in, from a browser, with a second factor."""
    user = User(email=address, name=address.partition("@")[0].title(), password=_PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    Authenticator.objects.create(
        user=user, type="totp", data={"secret": MFAAdapter().encrypt(SECRETS[3]), "name": "phone"}
    )
    session = SessionStore()
    session.create()
    SignedIn.objects.create(
        user=user, session_key=str(session.session_key), ip="203.0.113.7", user_agent="Firefox"
    )
    made = Member.objects.create(organization=organization, user=user, role=role)
    SeenFrom.objects.create(member=made, ip="203.0.113.7", user_agent="Firefox")
    return made


def _sealed(place: str, text: str) -> bytes:
    return seal(text, place=f"{place}:{uuid4()}")


def _box(owner: Member) -> Connection:
    box = mailbox(owner, [Capability.SEND, Capability.READ])
    Connection.objects.filter(pk=box.pk).update(address=owner.user.email)
    box.address = owner.user.email
    Token.objects.filter(pk=box.pk).update(
        access=seal(SECRETS[0], place=f"token.access:{box.pk}"),
        refresh=seal(SECRETS[1], place=f"token.refresh:{box.pk}"),
    )
    LedgerEntry.objects.create(connection=box, kind="consent", trigger=owner.user.email, result="ok")
    Mailbox.objects.create(connection=box)
    Push.objects.create(connection=box, renew_at=clock.now() + timedelta(days=1))
    MailboxBudget.objects.create(connection=box, messages=100)
    Sender.objects.create(connection=box, address=f"sales@{owner.user.email.partition('@')[2]}")
    SendersRead.objects.create(connection=box, read_at=clock.now())
    Signature.objects.create(member=owner, connection=box, html="<p>Ana</p>")
    Recorder.objects.create(connection=box, organization=owner.organization, place="x")
    Trouble.objects.get_or_create(connection=box, defaults={"look_at": clock.now() + timedelta(days=1)})
    return box


def _email(member: Member, box: Connection, host: str, subject: str) -> Email:
    email = email_of(member, box, Copy("accepted"), Copy("accepted"))
    Email.objects.filter(pk=email.pk).update(subject=subject, html=f"<p>{subject}</p>", text=subject)
    copy = email.deliveries.order_by("position")[0]
    who = copy.recipients.get()
    now = clock.now()
    file = Attachment.objects.create(
        email=email, position=0, name="../../=prices 2026.csv", content_type="text/csv", size=6
    )
    AttachmentPiece.objects.create(attachment=file, position=0, content=b"abc")
    AttachmentPiece.objects.create(attachment=file, position=1, content=b"def")
    Arrival.objects.create(
        connection=box, delivery=copy, provider_message_id=uuid4().hex, kind="reply", at=now, found_at=now
    )
    Recording.objects.create(
        connection=box, delivery=copy, recipient=who, place="x", status="recorded", settled_at=now
    )
    hit = Hit.objects.create(
        at=now, kind="open", delivery=copy.pk, method="GET", ip="198.51.100.4", user_agent="Firefox",
        classified_at=now,
    )  # fmt: skip
    Signal.objects.create(
        organization=member.organization_id, email=email.pk, delivery=copy.pk, hit_id=hit.pk, kind="open",
        klass="person", confidence=0.9, reason="Person: Firefox.", rule="browser", rules_version="1", at=now,
        changed_at=now, recipient=who.address,
    )  # fmt: skip
    Forgotten.objects.create(
        delivery=email.deliveries.order_by("position")[1].pk, organization=member.organization_id, at=now
    )
    LeftOut.objects.create(
        organization=member.organization_id, email=email.pk, address=f"left@{host}", reason="asked", since=now
    )
    IdempotencyKey.objects.create(member=member, key=uuid4().hex, body_digest=b"d" * 32, email=email)
    return email


# -- what the database holds ------------------------------------------------------------------------------------


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def tables() -> list[str]:
    """Every table of the schema."""
    return [one for (one,) in _rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]


def totals() -> dict[str, int]:
    """How many rows every table has."""
    return {one: _rows(f"SELECT count(*) FROM {one}")[0][0] for one in tables()}


def naming(words: Iterable[str]) -> dict[str, int]:
    """How many rows of each table have one of the words anywhere in them."""
    patterns = [f"%{one}%" for one in words]
    found = {}
    for table in tables():
        ((count,),) = _rows(f"SELECT count(*) FROM {table} AS t WHERE t::text ILIKE ANY(%s)", patterns)
        if count:
            found[table] = count
    return found


def contents(words: Iterable[str]) -> dict[str, list[str]]:
    """What stands in the rows that have one of the words in them."""
    patterns = [f"%{one}%" for one in words]
    return {
        table: [
            one
            for (one,) in _rows(
                f"SELECT t::text FROM {table} AS t WHERE t::text ILIKE ANY(%s) ORDER BY 1", patterns
            )
        ]
        for table in naming(words)
    }
