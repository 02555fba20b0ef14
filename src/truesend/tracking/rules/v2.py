"""Rules, version 2 (November 2026): version 1, and what its errors on whole sequences of hits taught.

Sources: those of version 1, and
[D] matomo-org/device-detector, regexes/client/pim.yml: the names of mail programs.
[O] Microsoft, KB 899927 (learn.microsoft.com, click-hyperlink-to-sso-website): Office asks a link's server itself,
by Hlink.dll, before a browser gets the address; the browser's own visit follows.
[G] ankane/ahoy_email#139, mssola/user_agent#71: by one exact agent Gmail fetches ahead, by another it samples.
[A] developer.chrome.com, WebView user agent: "; wv" marks a page inside an app, such as a mail program on Android.
[F] fastmail.help, Blocking remote images: Fastmail's servers load them when the reader shows them.
[S] Fetch Metadata and the speculation rules: ``Sec-Purpose: prefetch`` says that nobody looks yet.
Networks: :mod:`truesend.tracking.rules.networks_v2`.
"""

from __future__ import annotations

from dataclasses import replace

from truesend.tracking.rules import networks_v2
from truesend.tracking.rules.v1 import V1

V2 = replace(
    V1,
    version="2",
    confidence={
        **V1.confidence,
        "gateway_network": 0.9,
        "link_check": 0.85,  # [O]
        "mail_service": 0.9,  # [F]
        "browser_quick": 0.8,
        "cloud": 0.5,
        "sender_address": 0.5,
    },
    previews=(
        *V1.previews,
        ("edge/12.246 mozilla/5.0", "Gmail"),  # [G]
        ("gmail-content-sampling", "Gmail"),  # [G]
    ),
    mail_programs=(
        ("macoutlook", "Outlook"),  # [D] to android-gmail
        ("outlook-express", "Outlook Express"),
        *V1.mail_programs,
        ("outlook/", "Outlook"),
        ("windowsmail", "Windows Mail"),
        ("icedove", "Thunderbird"),
        ("spicebird", "Spicebird"),
        ("the bat!", "The Bat!"),
        ("mailbird", "Mailbird"),
        ("mailbar", "MailBar"),
        ("barca", "Barca"),
        ("foxmail", "Foxmail"),
        ("mailmaster", "Mail Master"),
        ("bluemail", "BlueMail"),
        ("navermailapp", "Naver Mail"),
        ("jp.co.yahoo.ymail", "Yahoo Mail"),
        ("yahoo%20mail", "Yahoo Mail"),
        ("ramboxpro", "Rambox"),
        ("franz/", "Franz"),
        ("android-gmail", "Gmail"),
        ("microsoft office", "Microsoft Office"),
        ("; wv)", "an app"),  # [A]
    ),
    gateway_networks=networks_v2.GATEWAYS,
    mail_services=networks_v2.MAIL_SERVICES,
    clouds=networks_v2.CLOUDS,
    link_checkers=frozenset({"Outlook", "Microsoft Office"}),  # [O]
    quick_gap=1.0,
    quick_open=900.0,
    ahead_first=True,  # [S]
    unsure_address=True,
    known_apart=True,  # a gateway scans what a person reads, often while they read it
)
