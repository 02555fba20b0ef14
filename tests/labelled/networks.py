"""Public address ranges of the networks that hits come from.

Ranges are facts about who holds an address: the registries' records, Apple's published egress list
(mask-api.icloud.com/egress-ip-ranges.csv), Microsoft's published endpoints, and addresses named in the issues
that the sources cite (104.47.x and 40.94.x for Safe Links, 108.177.x for Gmail's prefetch, 150.70.x for Trend Micro).
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from random import Random

RANGES: dict[str, tuple[str, ...]] = {
    "home": (
        "73.158.0.0/16", "71.183.0.0/16", "86.150.0.0/15", "91.32.0.0/12", "90.0.0.0/12", "120.144.0.0/13",
        "99.224.0.0/12", "188.96.0.0/12", "118.0.0.0/12", "189.122.0.0/16",
    ),
    "home6": ("2601:600::/24", "2003:c0::/26", "2a00:23c0::/28", "2a01:cb00::/24", "2a01:e00::/26", "2804:10b4::/32"),
    "mobile": ("172.58.0.0/16", "92.40.0.0/16", "82.132.208.0/20", "49.32.0.0/13", "80.187.64.0/18"),
    "mobile6": ("2607:fb90::/32", "2409:4000::/22", "2a01:598::/29"),
    "office": ("50.200.0.0/16", "213.123.0.0/16", "62.153.0.0/16", "12.180.0.0/16", "193.128.0.0/16"),
    "google": ("66.249.80.0/20", "66.102.0.0/20", "64.233.172.0/24", "74.125.208.0/22"),
    "google6": ("2001:4860:4000::/36", "2a00:1450:4000::/37"),
    "google prefetch": ("108.177.0.0/17", "66.249.80.0/20", "66.102.0.0/20"),
    "google crawl": ("66.249.64.0/20", "64.233.160.0/21", "74.125.212.0/23"),
    "yahoo": ("98.136.0.0/14", "67.195.0.0/16", "66.163.160.0/19", "74.6.0.0/16", "87.248.96.0/19", "188.125.64.0/18"),
    "relay": ("172.224.224.0/19", "172.225.0.0/16", "104.28.0.0/16", "146.75.128.0/17"),
    "relay6": ("2a02:26f7::/32", "2606:54c0::/32", "2a04:4e41::/32", "2a09:bac2::/32"),
    "exchange": ("104.47.0.0/17", "40.92.0.0/15", "40.107.0.0/16", "40.94.0.0/16"),
    "exchange6": ("2a01:111:f400::/48",),
    "azure": ("20.72.0.0/14", "13.64.0.0/13", "52.224.0.0/12", "40.112.0.0/14"),
    "teams": ("52.112.0.0/14",),
    "bing": ("40.77.160.0/19", "157.55.39.0/24", "65.55.210.0/24"),
    "aws": ("3.80.0.0/13", "18.204.0.0/15", "34.192.0.0/13", "52.4.0.0/14", "54.144.0.0/14", "18.184.0.0/15"),
    "aws6": ("2600:1f18::/33", "2a05:d014::/36"),
    "gcp": ("34.76.0.0/14", "35.184.0.0/14", "104.196.0.0/15"),
    "barracuda": ("209.222.80.0/21", "64.235.144.0/20"),
    "proofpoint": ("67.231.144.0/20", "148.163.128.0/19", "205.220.160.0/19", "185.132.180.0/22"),
    "mimecast": ("205.139.110.0/24", "207.211.30.0/23", "195.130.217.0/24", "91.220.42.0/24"),
    "cisco": ("68.232.128.0/19", "216.71.128.0/19", "139.138.32.0/19"),
    "trend": ("150.70.0.0/16",),
    "fortinet": ("208.91.112.0/22", "173.243.128.0/20"),
    "messagelabs": ("67.219.240.0/20", "85.158.136.0/21"),
    "zscaler": ("165.225.0.0/17", "136.226.0.0/16", "147.161.128.0/17"),
    "facebook": ("31.13.24.0/21", "173.252.64.0/18"),
    "facebook6": ("2a03:2880:10ff::/48",),
    "linkedin": ("108.174.0.0/20", "144.2.0.0/19"),
    "telegram": ("149.154.160.0/20",),
    "hosting": ("159.69.0.0/16", "51.68.0.0/16", "159.65.0.0/16", "45.79.0.0/16"),
    "hosting6": ("2a01:4f8::/32", "2a03:b0c0::/32"),
    "vpn": ("146.70.0.0/16", "193.138.218.0/24", "185.156.46.0/23"),
    "fastmail": ("103.168.172.0/24", "66.111.4.0/24"),
    "proton": ("185.70.40.0/22",),
}  # fmt: skip

_PARSED: dict[str, tuple[IPv4Network | IPv6Network, ...]] = {
    name: tuple(ip_network(one) for one in ranges) for name, ranges in RANGES.items()
}


def address(rng: Random, network: str) -> str:
    """A host in one of the network's ranges."""
    drawn = rng.choice(_PARSED[network])
    return str(drawn[rng.randrange(1, drawn.num_addresses - 1)])


def someone(rng: Random, mobile: bool = False) -> str:
    """Where a person's own device is: at home, at work or under way, in either version of IP."""
    places = ("mobile", "mobile6", "home", "home6") if mobile else ("home", "home", "home6", "office")
    return address(rng, rng.choice(places))
