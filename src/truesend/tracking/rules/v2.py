"""Rules, version 2 (November 2026): version 1, and what its errors on whole sequences of hits taught.

Sources: those of version 1, and
[D] matomo-org/device-detector, regexes/client/pim.yml: the names of mail programs.
[O] Microsoft, KB 899927 (learn.microsoft.com, click-hyperlink-to-sso-website): Office asks a link's server itself,
by Hlink.dll, before a browser gets the address; the browser's own visit follows.
[G] ankane/ahoy_email#139, mssola/user_agent#71: by one exact agent Gmail fetches ahead, by another it samples.
[A] developer.chrome.com, WebView user agent: "; wv" marks a page inside an app, such as a mail program on Android.
[F] fastmail.help, Blocking remote images: Fastmail's servers load them when the reader shows them.
[S] Fetch Metadata and the speculation rules: ``Sec-Purpose: prefetch`` says that nobody looks yet.
[I] peter.upfold.org.uk, 2019/02: Messages makes previews by the names of three others, and not by its own.
[B] matomo-org/device-detector, regexes/client/mobile_apps.yml: apps that show a page in a browser of their own.
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
        "crowd": 0.5,
    },
    previews=(
        # Two that name others, too: Messages on a Mac or iPhone [I], Telegram "(like TwitterBot)".
        ("facebookexternalhit/1.1 facebot twitterbot/1.0", "Apple Messages"),
        ("telegrambot", "Telegram"),
        ("skypeuripreview", "Skype or Microsoft Teams"),  # one service makes both’s
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
    app_browsers=(  # [B]
        ("linkedinapp", "LinkedIn"),
        ("instagram", "Instagram"),
        ("fban/", "Facebook"),
        ("fbav/", "Facebook"),
        ("micromessenger/", "WeChat"),
        ("gsa/", "Google’s app"),
    ),
    gateway_networks=networks_v2.GATEWAYS,
    mail_services=networks_v2.MAIL_SERVICES,
    clouds=networks_v2.CLOUDS,
    link_checkers=frozenset({"Outlook", "Microsoft Office"}),  # [O]
    quick_gap=1.0,
    quick_open=900.0,
    ahead_first=True,  # [S]
    unsure_address=True,
    crowd_addresses=20,  # a reader has a handful in a minute: home, telephone, a VPN. So many are a link that was
    crowd_seconds=60.0,  # passed on or published, or a scanner behind ever new addresses; which, nobody can tell.
    known_apart=True,  # a gateway scans what a person reads, often while they read it
)
