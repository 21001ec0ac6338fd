"""Hostile URLs never get as far as a name's resolution; the others have one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.outbound.errors import Refused
from chat.outbound.urls import read_url

HOSTILE = [
    *("", "example.org", "//example.org/", "/etc/passwd", "file:///etc/passwd", "ftp://example.org/"),
    *("gopher://example.org/_x", "javascript:alert(1)", "data:text/html,x", "unix:///run/docker.sock"),
    *(
        "ws://example.org/",
        "jar:http://example.org!/",
        "http://",
        "http:///path",
        "http://:80/",
        "https://?q",
    ),
    *(
        "http://user@example.org/",
        "http://user:pass@example.org/",
        "http://@example.org/",
        "http://:@example.org",
    ),
    *("http://example.org@127.0.0.1/", "http://127.0.0.1\\@example.org/", "http://example.org\\.evil/"),
    *(
        "http://exa mple.org/",
        "http://example.org/a b",
        "http://example.org/\r\nHost: x",
        "http://example.org\t/",
    ),
    *(
        "http://example.org/\x00",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
    ),
    *(
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.01/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
    ),
    *("http://0/", "http://0x/", "http://127.0.0.1./", "http://foo.0x7f/", "http://[::1/", "http://::1/"),
    *(
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[127.0.0.1]/",
        "http://[::1]x/",
        "http://[v1.x]/",
    ),
    *(
        "http://example.org:0/",
        "http://example.org:22/",
        "http://example.org:25/",
        "http://example.org:6379/",
    ),
    *(
        "http://example.org:99999/",
        "http://example.org:x/",
        "http://example.org:-80/",
        "http://example..org/",
    ),
    *("http://.example.org/", "http://-x.example.org/", "http://exa$mple.org/", "http://exa%6dple.org/"),
    *("http://[::ffff:7f00:1%251]/", "http://" + "a" * 64 + ".org/", "http://" + "a." * 130 + "org/"),
    "http://example.org/" + "x" * 5000,
]


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_urls_are_refused(url: str) -> None:
    with pytest.raises(Refused):
        read_url(url)


def test_there_are_many_of_them() -> None:
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTPS://EXAMPLE.org:443/A?b=c#d", "https://example.org/A?b=c"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("http://example.org./x", "http://example.org/x"),
        ("http://bücher.example/ä?ö=ü", "http://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        ("http://example.org/%2e%2e/?u=a%20b", "http://example.org/%2e%2e/?u=a%20b"),
    ],
)
def test_one_form(url: str, form: str) -> None:
    assert str(read_url(url)) == form
    assert str(read_url(form)) == form


@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("/b", "https://example.org/b"),
        ("c", "https://example.org/a/c"),
        ("//other.example/x", "https://other.example/x"),
        ("http://10.0.0.1/", "http://10.0.0.1/"),
    ],
)
def test_a_redirect_leads_on(location: str, to: str) -> None:
    assert str(read_url("https://example.org/a/b").join(location)) == to


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://u:p@example.org/", "http://["])
def test_a_hostile_redirect_is_refused(location: str) -> None:
    with pytest.raises(Refused):
        read_url("https://example.org/").join(location)


@given(
    st.text()
    | st.text().map(lambda text: f"http://{text}")
    | st.text(alphabet="0x7f.:[]@/\\%").map("http://".__add__)
)
def test_anything_is_read_or_refused(text: str) -> None:
    try:
        url = read_url(text)
    except Refused:
        return
    assert read_url(str(url)) == url
    assert str(url).isascii()
    assert url.scheme in {"http", "https"}
    assert "@" not in url.netloc
