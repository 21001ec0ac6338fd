"""Where a search may look: names and addresses as people type them, on their own network only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

Address = IPv4Address | IPv6Address

#: Networks that belong to a home: RFC 1918, RFC 4193 and loopback.
HOME = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128"))
)
#: Addresses of the largest range: a /22.
MAX_ADDRESSES = 1024
MAX_PORTS = 20
#: Where the known servers listen unless told otherwise: Ollama, LM Studio, llama.cpp (old and new),
#: vLLM and oLLM, OpenCode, Olla.
USUAL_PORTS = (11434, 1234, 8080, 9931, 8000, 4096, 40114)

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_ROUTES = Path("/proc/net/route")


@dataclass(frozen=True, slots=True)
class Places:
    """Single addresses and host names, each once, in the order they were typed."""

    addresses: tuple[Address, ...] = ()
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.addresses) + len(self.names)


def is_home(address: Address) -> bool:
    """Whether it is on this machine or on a private network."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped is None and any(address in network for network in HOME)


def read_places(typed: str) -> Places:
    """Ranges, addresses and names, with spaces, commas or lines between them. Raises ValidationError."""
    addresses: dict[Address, None] = {}
    names: dict[str, None] = {}
    for word in filter(None, re.split(r"[\s,;]+", typed)):
        if found := in_word(word):
            addresses |= dict.fromkeys(found)
        else:
            names[name_in(word)] = None
        if len(addresses) + len(names) > MAX_ADDRESSES:
            raise ValidationError(too_many())
    if not addresses and not names:
        raise ValidationError(_("Enter a range, an address or a name."))
    return Places(tuple(addresses), tuple(names))


def in_word(word: str) -> list[Address]:
    """The addresses of one range, without network and broadcast; empty where the word is a name."""
    if "/" not in word and not looks_like_address(word):
        return []
    try:
        network = ip_network(word.strip("[]"), strict=False)
    except ValueError:
        raise ValidationError(_("%(word)s is not an address or a range.") % {"word": word[:60]}) from None
    if network.num_addresses > MAX_ADDRESSES:
        raise ValidationError(too_many())
    if not is_home(network[0]) or not is_home(network[-1]):
        raise ValidationError(
            _("%(word)s is not a private network. Only your own network is searched.") % {"word": word[:60]}
        )
    return list(network.hosts())


def looks_like_address(word: str) -> bool:
    """Whether it can be nothing but an address, right or wrong."""
    return ":" in word or re.fullmatch(r"[0-9.]+", word) is not None


def name_in(word: str) -> str:
    """A host name in its one form. Raises ValidationError."""
    if not _NAME.fullmatch(word):
        raise ValidationError(_("%(word)s is not an address or a range.") % {"word": word[:60]})
    return word.lower().rstrip(".")


def too_many() -> str:
    """What to say of a range that is too large."""
    return _("At most %(count)d addresses at a time, which is a /22.") % {"count": MAX_ADDRESSES}


def read_ports(typed: str) -> tuple[int, ...]:
    """Port numbers. Raises ValidationError."""
    words = [word for word in re.split(r"[\s,;]+", typed) if word]
    if not all(re.fullmatch(r"[0-9]{1,5}", word) and 0 < int(word) < 65536 for word in words):
        raise ValidationError(_("Enter port numbers with commas between them."))
    ports = tuple(dict.fromkeys(map(int, words)))
    if not 0 < len(ports) <= MAX_PORTS:
        raise ValidationError(_("Enter 1 to %(count)d ports.") % {"count": MAX_PORTS})
    return ports


def proposed(visitor: str, routes: Path = _ROUTES) -> str:
    """This machine, and the /24 of whoever asks, or else of the router. Contacts nobody."""
    networks = (network_around(word) for word in (visitor, *gateways(routes)))
    near = next((network for network in networks if network), "")
    return f"127.0.0.1\n{near}".strip()


def network_around(word: str) -> str:
    """The /24 of a private IPv4 address; empty for any other."""
    try:
        address = ip_address(word)
    except ValueError:
        return ""
    if not isinstance(address, IPv4Address) or address.is_loopback or not is_home(address):
        return ""
    return str(ip_network(f"{address}/24", strict=False))


def gateways(routes: Path) -> Iterator[str]:
    """The default routes of a Linux machine: hexadecimal, lowest byte first."""
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return
    for fields in map(str.split, lines):
        if len(fields) > 2 and fields[1] == "00000000":
            yield str(IPv4Address(bytes.fromhex(fields[2])[::-1]))
