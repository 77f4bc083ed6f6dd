"""Where a webhook may lead: the grammar of its address, and which network addresses are public.

A member chooses the address that the service then calls from inside the operator's network. So nothing
but the public Internet is reachable that way, whatever a name resolves to at the time.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from clearinghouse.domain.errors import WebhookUrlRefused

URL_MAX = 2000

#: Ranges of IPv4 that are not the public Internet, and addresses in it behind which a cloud's metadata stand.
_NOT_PUBLIC_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers; 100.100.100.200 is a metadata service
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a cloud's agent, at a public address
            "169.254.0.0/16",  # link-local; 169.254.169.254 is a metadata service
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata service
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays to IPv6
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
#: Of IPv6 only global unicast is public, and of that not what carries or stands for something else.
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, tunnels
            "2001:db8::/32",  # documentation
            "2002::/16",  # carries an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)


class Destination(NamedTuple):
    """An address taken apart; ``target`` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Return host and port as the Host header states them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


def parse_destination(url: str, *, allow_http: bool = False) -> Destination:
    """Take the address of a webhook apart.

    Raises:
        WebhookUrlRefused: it is not ``https``, names a user or a fragment, or is no address at all.
    """
    if not url.isascii() or not url.isprintable() or len(url) > URL_MAX or set(url) & set(' "<>\\'):
        raise WebhookUrlRefused(
            f"a webhook's address has at most {URL_MAX} ASCII characters, and no spaces"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise WebhookUrlRefused("a webhook's address is not a URL") from None
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http"):
        raise WebhookUrlRefused("a webhook's address begins with https://")
    if "@" in parts.netloc:
        raise WebhookUrlRefused("a webhook's address names no user and no password")
    if "#" in url:
        raise WebhookUrlRefused("a webhook's address has no fragment")
    if not host or "%" in host or port == 0:
        raise WebhookUrlRefused("a webhook's address names a host, and a port from 1 to 65535")
    target = parts.path or "/"
    target += f"?{parts.query}" if parts.query else ""
    return Destination(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)


def is_public(address: str) -> bool:
    """Tell whether a network address is one of the public Internet.

    IPv6 addresses that carry an IPv4 address are none, whatever they carry.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    return ip in _GLOBAL_6 and not any(ip in network for network in _NOT_PUBLIC_6)
