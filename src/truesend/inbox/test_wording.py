"""What servers say, each in its own way: hard only where nothing will arrive, and the sender's kept apart."""

from __future__ import annotations

import pytest

from truesend.inbox.causes import CAUSES, About
from truesend.inbox.wording import cause_of

HARD = """
550 5.1.1 User unknown
Unrouteable address
unknown local-part "bo" in domain "example.org"
550 No such user here
550 sorry, no mailbox here by that name (#5.1.1 - chkusr)
550 Invalid recipient bo@example.org
550 mailbox not found
550-5.1.1 The email account that you tried to reach does not exist
554 5.1.1 bo@example.org is not a known user
550 5.0.0 Mail rejected: recipient unknown
550 That mailbox is not recognised
550 Account not available
550 5.1.1 bo: user lookup error - not exist
The name was not found at the remote site: user not found
RESOLVER.ADR.RecipNotFound; not found
550 5.1.0 Address rejected.
User bo (bo@example.org) not listed in Domino Directory
no such domain
Host unknown (Name server: example.org: host not found)
DNS domain example.org does not exist
responded with code NXDOMAIN
all relevant MX records point to non-existent hosts
Domain example.org has no MX records
null MX record
an MX or SRV record indicated no SMTP service
recipient has moved
550 5.1.6 recipient no longer on server
Benutzer unbekannt
L'adresse est introuvable
El usuario no existe
utente sconosciuto
endereço não encontrado
Nie znaleziono adresu
Пользователь не найден
ユーザが見つかりません
该用户不存在
사용자를 찾을 수 없습니다
"""
SOFT = """
552 5.2.2 mailbox is over quota
The number of messages in recipient's mailbox exceeded the local limit.
user's inbox is out of storage space
Das Postfach des Empfängers ist voll
550 5.2.1 account disabled
554 This account has been disabled or discontinued
550 user's mailbox is locked
550 Relaying denied
554 message rejected as spam
550 This message contains a virus
451 Temporary local problem - please try later
450 4.2.0 Recipient address rejected: Greylisted
retry timeout exceeded
connection timed out
554 5.4.0 Error: too many hops
550 Message size exceeds maximum size
550 rejected by policy
550 Recipient has blocked you
550 This user does not accept mail from you
550 You are not allowed to post to this list
550 5.7.1 message rejected: attachment name not valid
550 Message-ID header is invalid
421 too many invalid recipients
550 Too many unknown users in one session
host not found, try again
unknown mailer error 1
454 4.7.5 certificate not found
The user you are trying to contact is receiving mail too quickly
552 user has reached their storage limit
"""
SENDER = """
550 rejected because 192.0.2.1 is in a black list at zen.spamhaus.org
550 5.7.1 Client host rejected: cannot find your reverse hostname
550 5.7.1 SPF check failed
550 5.7.26 This mail is unauthenticated
553 sorry, your envelope sender domain must exist (#5.7.1)
450 4.1.8 <ana@example.com>: Sender address rejected: Domain not found
550 Sender verify failed
550 5.7.27 sender domain has null MX
554 Your email address is not recognised as a sender
550 Address ana@example.com is not valid as sender
550 5.7.1 You have exceeded your daily sending limit
You have reached a limit for sending mail.
550 5.1.8 Access denied, bad outbound sender
550 Your account has been suspended for sending spam
"""


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("said", _lines(HARD))
def test_what_is_hard(said: str) -> None:
    assert CAUSES[cause_of(said)].hard


@pytest.mark.parametrize("said", [*_lines(SOFT), *_lines(SENDER)])
def test_what_is_soft(said: str) -> None:
    assert not CAUSES[cause_of(said)].hard


@pytest.mark.parametrize("said", _lines(SENDER))
def test_what_is_about_the_sender(said: str) -> None:
    assert CAUSES[cause_of(said)].about is About.SENDER


@pytest.mark.parametrize("said", [*_lines(HARD), *_lines(SOFT)])
def test_what_is_about_the_recipient(said: str) -> None:
    assert CAUSES[cause_of(said)].about is About.RECIPIENT


def test_an_address_or_a_link_is_no_word() -> None:
    assert cause_of("see https://example.org/no-such-user/mailbox-full for <spam@user-unknown.example>") == ""


def test_what_a_command_was_tells_whose_address_it_is() -> None:
    assert cause_of("550 no such user (in reply to MAIL FROM command)") == "sender_refused"
    assert cause_of("550 no such user (in reply to RCPT TO command)") == "no_such_address"
    assert cause_of("550 user unknown (in reply to end of DATA command)") == "filtered"
    assert (
        cause_of("550 user unknown", "host said: 550 user unknown (in reply to end of DATA command)")
        == "filtered"
    )


def test_of_all_causes_only_these_are_hard() -> None:
    hard = {code for code, cause in CAUSES.items() if cause.hard}

    assert hard == {"no_such_address", "no_such_domain", "takes_no_mail", "moved"}
    assert all(cause.about is About.RECIPIENT for cause in CAUSES.values() if cause.hard)
    assert all(cause.about is About.SENDER for cause in CAUSES.values() if cause.stops)
