"""Which addresses are public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.outbound.addresses import is_listed, is_public, read_networks

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
]
PUBLIC += ["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2400:cb00::1"]
SPECIAL = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1"),
    *("127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1"),
    *("192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8"),
    *("::ffff:127.0.0.1", "::ffff:0:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1"),
    *("2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1"),
    *("fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_not(address: str) -> None:
    assert not is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_form_that_holds_an_ipv4_address_passes(inner: IPv4Address) -> None:
    number = int(inner)
    forms = [
        number,
        0xFFFF << 32 | number,
        0xFFFF << 48 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
    ]
    forms.append(0x20010000 << 96 | (number ^ 0xFFFFFFFF))
    assert not any(is_public(IPv6Address(form)) for form in forms)


@given(st.ip_addresses())
def test_what_python_calls_local_is_never_public(address: IPv4Address | IPv6Address) -> None:
    local = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    assert not (is_public(address) and (local or address.is_reserved or address.is_unspecified))


def test_networks_are_read_in_any_layout() -> None:
    networks = read_networks("127.0.0.0/8, 192.168.1.7\nfd00::/8  10.1.2.3/24")
    assert networks == tuple(map(ip_network, ("127.0.0.0/8", "192.168.1.7/32", "fd00::/8", "10.1.2.0/24")))
    assert is_listed(ip_address("10.1.2.200"), networks)
    assert not is_listed(ip_address("::ffff:127.0.0.1"), networks)


def test_the_wrong_word_is_told() -> None:
    with pytest.raises(ValueError, match=r"^example\.org$"):
        read_networks("10.0.0.0/8 example.org")
