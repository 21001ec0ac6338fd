"""Where a search may look: nothing but this machine and private networks, and not too much of them.

Only texts are read here; no address is contacted.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from backends.searches.places import is_home, network_around, proposed, read_places, read_ports
from tests.backends.network import watched


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("127.0.0.0/30", 2),
        ("127.0.0.5", 1),
        ("127.0.0.5/32", 1),
        ("127.0.0.0/24", 254),
        ("10.0.0.0/22", 1022),
        ("192.168.1.17/24", 254),
        ("::1", 1),
        ("[::1]", 1),
        ("fd00::/120", 255),
        ("localhost, box.local;box", 3),
        ("127.0.0.1\n127.0.0.1 localhost localhost.", 2),
    ],
)
def test_what_may_be_searched(typed: str, count: int) -> None:
    places = read_places(typed)

    assert len(places) == count
    assert all(map(is_home, places.addresses))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a range"),
        (" , ", "Enter a range"),
        ("8.8.8.8", "not a private network"),
        ("0.0.0.0", "not a private network"),
        ("172.32.0.0/24", "not a private network"),
        ("192.169.0.0/24", "not a private network"),
        ("169.254.0.0/24", "not a private network"),
        ("100.64.0.1", "not a private network"),
        ("2001:db8::1", "not a private network"),
        ("::ffff:8.8.8.8", "not a private network"),
        ("::ffff:10.0.0.1", "not a private network"),
        ("10.0.0.0/21", "a /22"),
        ("127.0.0.0/8", "a /22"),
        ("fd00::/64", "a /22"),
        ("0.0.0.0/0", "a /22"),
        ("10.0.0.0/22 10.0.4.0/24", "a /22"),
        ("10.0.0.0/33", "not an address or a range"),
        ("10.0.0", "not an address or a range"),
        ("999.1.1.1", "not an address or a range"),
        ("http://box:1", "not an address or a range"),
        ("user@box", "not an address or a range"),
        ("-box", "not an address or a range"),
        ("b%x", "not an address or a range"),
        ("a" * 64, "not an address or a range"),
        ("box..local", "not an address or a range"),
    ],
)
def test_what_may_not(typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        read_places(typed)


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f.:/\s]{0,40}"))
def test_whatever_is_typed_is_refused_or_at_home(typed: str) -> None:
    try:
        places = read_places(typed)
    except ValidationError:
        return
    assert 0 < len(places) <= 1024
    assert all(map(is_home, places.addresses))


@pytest.mark.parametrize(
    ("typed", "ports"), [("80", (80,)), ("1, 65535 1", (1, 65535)), ("11434;1234\n8080", (11434, 1234, 8080))]
)
def test_ports(typed: str, ports: tuple[int, ...]) -> None:
    assert read_ports(typed) == ports


@pytest.mark.parametrize(
    "typed", ["", "0", "65536", "http", "-1", "1.5", "²", " ".join(map(str, range(1, 22)))]
)
def test_what_is_no_port(typed: str) -> None:
    with pytest.raises(ValidationError):
        read_ports(typed)


ROUTES = """Iface Destination Gateway Flags
eth0 0000007F 00000000 0001
eth0 00000000 0101A8C0 0003
"""


@pytest.mark.parametrize(
    ("visitor", "shown"),
    [
        ("10.1.2.3", "127.0.0.1\n10.1.2.0/24"),
        ("127.0.0.1", "127.0.0.1\n192.168.1.0/24"),
        ("", "127.0.0.1\n192.168.1.0/24"),
        ("203.0.113.9", "127.0.0.1\n192.168.1.0/24"),
    ],
)
def test_the_network_is_proposed_without_a_word_to_it(visitor: str, shown: str, tmp_path: Path) -> None:
    (tmp_path / "route").write_text(ROUTES)
    with watched() as contacts:
        assert proposed(visitor, tmp_path / "route") == shown
        assert proposed("", tmp_path / "missing") == "127.0.0.1"

    assert (contacts.addresses, contacts.names) == (set(), set())


def test_the_network_around() -> None:
    assert network_around("127.0.0.7") == network_around("::1") == network_around("8.8.8.8") == ""
    assert is_home(ip_address("127.0.0.7"))
