"""People who read in a mail program: it loads the images itself, links open in the person's browser."""

from __future__ import annotations

from tests.labelled import agents
from tests.labelled.agents import BLINK, WEBKIT, Browser
from tests.labelled.networks import address, someone
from tests.labelled.shape import Headers, Mail, Source

SHOWN = "the program loaded the images for a reader"
FOLLOWED = "a link opened in the reader's browser"


def _reads(
    mail: Mail,
    agent: str,
    headers: Headers,
    browser: Browser,
    mobile: bool = False,
    clicks: bool | None = None,
) -> None:
    """Opens at some time, perhaps again, and follows a link every second time."""
    rng, at = mail.rng, mail.later()
    ip = someone(rng, mobile)
    mail.open(at, ip, agent, "person", SHOWN, headers)
    if mail.number % 4 == 2:
        mail.open(at + rng.uniform(600, 500_000), ip, agent, "person", "looked again", headers)
    if mail.number % 2 if clicks is None else clicks:
        mail.click(
            at + rng.uniform(1.5, 300),
            rng.randrange(8),
            ip,
            browser.agent,
            "person",
            FOLLOWED,
            browser.page(),
        )


def outlook_classic(mail: Mail) -> None:
    """Outlook for Windows blocks images until allowed, then names itself and Office (device-detector, pim.yml)."""
    agent = mail.rng.choice(agents.OUTLOOK_CLASSIC)
    headers = {"accept": "*/*", "accept-encoding": "gzip, deflate", "ua-cpu": "AMD64"}
    _reads(mail, agent, headers, Browser.draw(mail.rng, ("edge", "chrome"), "windows"))


def outlook_new(mail: Mail) -> None:
    """New Outlook is an Edge web view that adds OneOutlook to its agent and names itself in x-native-host.

    nextauthjs/next-auth#1840 (October 2023) shows both headers, there on Safe Links' own check of a link.
    """
    browser = Browser.draw(mail.rng, ("edge",), "windows")
    version = f"OneOutlook/1.{mail.rng.choice(('2023.927.100', '2024.1023.0', '2025.416.200'))}"
    headers = browser.image("https://outlook.office.com/") | {"x-native-host": version}
    _reads(mail, f"{browser.agent} {version}", headers, browser)


def outlook_mac(mail: Mail) -> None:
    """Outlook for Mac (device-detector, pim.yml)."""
    rng = mail.rng
    agent = rng.choice((
        "MacOutlook/16.46.21021202 (Intelx64 Mac OS X 11.2.2 (Build 20D80))",
        "MacOutlook/16.78.23100802 (Arm64 Mac OS X 14.0 (Build 23A344))",
        f"Mozilla/5.0 ({agents.PLATFORMS['mac']}) {WEBKIT} Outlook/16.89.24091630",
        "Outlook/16.16.18071205 CFNetwork/902.1 Darwin/17.7.0 (x86_64)",
    ))  # fmt: skip
    _reads(mail, agent, {"accept": "*/*", "accept-language": "en-GB,en;q=0.9"}, Browser.draw(rng, (), "mac"))


def outlook_mobile(mail: Mail) -> None:
    """Outlook for iOS and Android (learn.microsoft.com, Outlook-iOS/2.0 and Outlook-Android/2.0; pim.yml)."""
    rng = mail.rng
    platform = ("ios", "android")[mail.number % 2]
    if platform == "ios":
        agent = rng.choice((
            "Outlook-iOS/711.3061168.prod.iphone",
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {WEBKIT} Mobile/15E148 Outlook-iOS/4.2531.0",
            agents.apple_mail(rng),
        ))  # fmt: skip
    else:
        agent = agents.webview(rng, token=rng.choice(("Outlook-Android/2.0", "")))
    headers = {"accept": agents.WEBKIT_IMAGE, "accept-language": rng.choice(agents.LANGUAGES)}
    if platform == "android":
        headers["x-requested-with"] = "com.microsoft.office.outlook"
    _reads(mail, agent, headers, Browser.draw(rng, (), platform), mobile=True, clicks=mail.number % 3 != 0)


def thunderbird(mail: Mail) -> None:
    """Thunderbird asks first, then fetches as itself (support.mozilla.org/kb/remote-content-in-messages)."""
    headers = {"accept": "image/avif,image/webp,*/*", "accept-language": mail.rng.choice(agents.LANGUAGES)}
    if mail.rng.random() < 0.3:
        headers["dnt"] = "1"  # blog.mozilla.org/netpolicy/2012/05/16/do-not-track-for-email-too
    browser = Browser.draw(mail.rng, ("firefox", "firefox", "chrome"))
    _reads(mail, agents.thunderbird(mail.rng, browser.platform), headers, browser)


def ios_mail(mail: Mail) -> None:
    """iOS Mail with "Don't protect Mail activity": the telephone fetches itself (freshinbox.com on iOS 15's MPP)."""
    headers = {"accept": agents.WEBKIT_IMAGE, "accept-language": mail.rng.choice(agents.LANGUAGES)}
    _reads(mail, agents.apple_mail(mail.rng), headers, Browser.draw(mail.rng, (), "ios"), mobile=True)


def mac_mail(mail: Mail) -> None:
    """Mail on macOS without privacy protection: WebKit without a version and without Safari."""
    headers = {"accept": agents.WEBKIT_IMAGE, "accept-language": mail.rng.choice(agents.LANGUAGES)}
    _reads(mail, agents.apple_mail(mail.rng, "mac"), headers, Browser.draw(mail.rng, (), "mac"))


def samsung_email(mail: Mail) -> None:
    """Samsung Email shows mail in Android's web view; x-requested-with is the app's package (Android WebView docs)."""
    rng = mail.rng
    headers = {"accept": agents.CHROME_IMAGE, "accept-language": rng.choice(agents.LANGUAGES)}
    headers["x-requested-with"] = "com.samsung.android.email.provider"
    agent = agents.webview(rng, rng.choice(("SM-G991B", "SM-S911U", "SM-A546E", "SM-S928B")))
    _reads(mail, agent, headers, Browser.draw(rng, ("chrome",), "android"), mobile=True)


def android_apps(mail: Mail) -> None:
    """K-9, Spark, Aqua Mail, Nine and Naver on Android: web view, or the app's own name (pim.yml)."""
    rng = mail.rng
    app = ("com.fsck.k9", "com.readdle.spark", "org.kman.AquaMail", "com.ninefolders.hd3", "")[
        mail.number % 5
    ]
    agent = agents.webview(rng) if app else "NaverMailApp/2.2.2 (Android 10; SM-G986N)"
    headers = {"accept": agents.CHROME_IMAGE} | ({"x-requested-with": app} if app else {})
    _reads(mail, agent, headers, Browser.draw(rng, (), "android"), mobile=True)


def desktop_programs(mail: Mail) -> None:
    """eM Client, Mailspring, Mailbird, Postbox, Airmail, Foxmail, BlueMail, Windows Mail, The Bat! (pim.yml)."""
    windows, mac = agents.PLATFORMS["windows"], agents.PLATFORMS["mac"]
    named = (
        "eMClient/9.3.6041.0",
        f"Mozilla/5.0 ({windows}) {BLINK} Chrome/55.0.2883.87 Safari/537.36 eM Client/8.2.1659.0",
        f"Mozilla/5.0 (Windows NT 10.0; WOW64) {BLINK} Mailspring/1.13.3 Chrome/108.0.5359.215 Electron/22.3.27 "
        "Safari/537.36",
        f"Mozilla/5.0 (Windows NT 10.0) {BLINK} Chrome/91.0.4472.164 Safari/537.36 Mailbird/2.9.70.0/",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:78.0) Gecko/20100101 Postbox/7.0.60",
        "Airmail 5.6.12 rv:770 (Macintosh; Mac OS X 13.6.0; en_US)",
        f"Mozilla/5.0 (Windows NT 6.2; WOW64) {BLINK} Chrome/101.0.4951.67 Safari/537.36 Foxmail/7.2.25.213",
        f"Mozilla/5.0 ({mac}) {BLINK} BlueMail/1.140.8 Chrome/114.0.5735.289 Electron/25.8.4 Safari/537.36",
        "WindowsMail/17.5.9600.22013",
        "The Bat! 10.5.2",
    )
    _reads(mail, named[mail.number % len(named)], {"accept": "image/*,*/*;q=0.5"}, Browser.draw(mail.rng))


def linux_programs(mail: Mail) -> None:
    """Evolution, Geary and KMail: WebKitGTK or QtWebEngine, some with their name, some without."""
    version = mail.rng.choice(("16.0", "17.4", "18.3"))
    named = (
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Evolution/3.52.3",
        f"Mozilla/5.0 (X11; Ubuntu; Linux x86_64) {WEBKIT} Version/{version} Safari/605.1.15",
        f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} QtWebEngine/6.6.2 Chrome/112.0.5615.213 Safari/537.36",
    )
    headers = {"accept": agents.WEBKIT_IMAGE, "accept-language": mail.rng.choice(agents.LANGUAGES)}
    _reads(mail, named[mail.number % 3], headers, Browser.draw(mail.rng, ("firefox", "chrome"), "linux"))


def behind_a_proxy(mail: Mail) -> None:
    """A person behind a company's filtering proxy (Zscaler, Squid): its address and a via header, a real browser."""
    rng, at = mail.rng, mail.later()
    browser = Browser.draw(rng, ("edge", "chrome", "firefox"), "windows")
    ip = address(rng, rng.choice(("zscaler", "office")))
    via = {
        "via": rng.choice(
            ("1.1 zscaler", "1.1 squid/5.7", "1.1 proxy.kanzlei.example (Apache/2.4)", "1.1 webdefence")
        )
    }
    if mail.number % 2:
        agent = mail.rng.choice(agents.OUTLOOK_CLASSIC)
        mail.open(at, ip, agent, "person", "Outlook at a desk behind the proxy", {"accept": "*/*"} | via)
    else:
        shown = browser.image("https://outlook.office.com/") | via
        mail.open(at, ip, browser.agent, "person", "webmail at a desk behind the proxy", shown)
    if mail.number % 3:
        mail.click(
            at + rng.uniform(2, 200),
            rng.randrange(8),
            ip,
            browser.agent,
            "person",
            FOLLOWED,
            browser.page() | via,
        )


SOURCES: dict[str, Source] = {
    "outlook-classic": outlook_classic,
    "outlook-new": outlook_new,
    "outlook-mac": outlook_mac,
    "outlook-mobile": outlook_mobile,
    "thunderbird": thunderbird,
    "ios-mail": ios_mail,
    "mac-mail": mac_mail,
    "samsung-email": samsung_email,
    "android-apps": android_apps,
    "desktop-programs": desktop_programs,
    "linux-programs": linux_programs,
    "behind-a-proxy": behind_a_proxy,
}
