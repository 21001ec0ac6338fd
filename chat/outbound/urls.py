"""URLs as the guard takes them: http or https, a host, no credentials, nothing that parsers read differently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urljoin, urlsplit

import idna
from django.utils.translation import gettext as _

from chat.outbound.errors import Refused

MAX_URL = 4096
_PORTS = {"http": 80, "https": 443}
#: Ports at which no web server is, but something that obeys lines of text (mail, IRC, printers, databases …).
#: Of the list in the Fetch standard only those above 1023: below, only the usual web ports pass.
_BAD_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6679, 6697, 10080, 11211}
) | frozenset(range(6665, 6670))
_LOW_PORTS = frozenset({80, 81, 443, 591})
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_BRACKETS = re.compile(r"\[[0-9a-fA-F:.]+\](:\d*)?")
_NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
#: What may stand in a path or a query; everything else is percent-encoded.
_KEPT = "/?%:@!$&'()*+,;=~[]-._"


@dataclass(frozen=True, slots=True)
class Url:
    """One place on the web. ``host`` is ASCII in lower case, without brackets; ``target`` path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def netloc(self) -> str:
        """Host and port as a URL and a Host header have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return (self.scheme, self.host, self.port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"

    def join(self, location: str) -> Url:
        """Where a redirect leads. Raises Refused."""
        try:
            return read_url(urljoin(str(self), location.strip()))
        except ValueError:
            raise Refused(_("That is not a web address.")) from None


def read_url(text: str) -> Url:
    """The address in its one form. Raises Refused."""
    text = text.strip()
    if len(text) > MAX_URL:
        raise Refused(_("The address is too long."))
    if _UNSAFE.search(text):
        raise Refused(_("The address holds characters that no address has."))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused(_("That is not a web address.")) from None
    if "[" in parts.netloc and not _BRACKETS.fullmatch(parts.netloc):
        raise Refused(_("That is not a web address."))
    if parts.scheme not in _PORTS:
        raise Refused(_("Only http and https addresses are fetched."))
    if "@" in parts.netloc:
        raise Refused(_("An address with a user name or password in it is not fetched."))
    target = quote(parts.path or "/", safe=_KEPT) + (
        f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    )
    return Url(parts.scheme, _host(host), _port(port, parts.scheme), target)


def _port(port: int | None, scheme: str) -> int:
    if port is None:
        return _PORTS[scheme]
    if port in _BAD_PORTS or (port < 1024 and port not in _LOW_PORTS):
        raise Refused(_("Nothing is fetched from port %(port)d.") % {"port": port})
    return port


def _host(host: str) -> str:
    """An address or a name in ASCII. Numbers that only old resolvers read as addresses are refused."""
    if ":" in host:
        return _ipv6(host)
    name = _ascii(host)
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2] or "x"):
        try:
            return str(IPv4Address(name))
        except AddressValueError:
            raise Refused(_("That is not a web address.")) from None
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise Refused(_("That is not a web address."))
    return name.rstrip(".")


def _ipv6(host: str) -> str:
    try:
        address = IPv6Address(host)
    except AddressValueError:
        raise Refused(_("That is not a web address.")) from None
    if address.scope_id:
        raise Refused(_("An address of one network card is not fetched."))
    return str(address)


def _ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode().lower()
    except idna.IDNAError:
        raise Refused(_("That is not a web address.")) from None
