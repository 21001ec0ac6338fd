"""Which addresses are the public internet, and which ones only an administrator can open.

What is special: IANA's registries of special-purpose IPv4 and IPv6 addresses (RFC 6890 and its updates).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, and the metadata services of clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and the broadcast address
        ),
    )
)
#: All of IPv6 that is given out. Outside lie loopback, link-local, unique local, site-local, multicast,
#: and the forms that hold an IPv4 address: mapped, compatible, translated (::ffff:0:0:0/96), NAT64.
_GIVEN_OUT_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo (holds an IPv4 address), ORCHID, benchmarks
            "2001:db8::/32",
            "2002::/16",  # 6to4: holds an IPv4 address
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the internet."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _SPECIAL_V4)
    return address in _GIVEN_OUT_V6 and not any(address in network for network in _SPECIAL_V6)


def is_listed(address: Address, networks: Iterable[Network]) -> bool:
    """Whether it lies in one of the networks, in the form in which it is written."""
    return any(address in network for network in networks)


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks and addresses, separated by blanks, commas or lines. Raises ValueError with the wrong word."""
    networks = []
    for word in text.replace(",", " ").split():
        try:
            networks.append(ip_network(word, strict=False))
        except ValueError:
            raise ValueError(word) from None
    return tuple(networks)
