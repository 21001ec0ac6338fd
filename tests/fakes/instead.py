"""Whole replies in place of an answer: errors, empty bodies and web pages."""

from __future__ import annotations

from tests.fakes import http1
from tests.fakes.commands import Instead
from tests.fakes.wire import Wire

_HEADERS = {
    307: ("Location", "http://203.0.113.1/elsewhere"),
    401: ("WWW-Authenticate", 'Basic realm="fake"'),
    429: ("Retry-After", "7"),
    503: ("Retry-After", "7"),
}
_PAGE = "<!doctype html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
_PROXY_PAGE = (
    "<html>\r\n<head><title>{line}</title></head>\r\n<body>\r\n<center><h1>{line}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def instead_of(wire: Wire, instead: Instead) -> bytes:
    """The whole response that a plan asks for in place of a stream."""
    if instead.kind == "error":
        return wire.error(instead.status, instead.message)
    body = _page(instead.status) if instead.kind == "html" else b""
    headers = [http1.date_header()]
    if instead.kind == "html":
        headers.append(("Content-Type", "text/html; charset=utf-8"))
    elif instead.status in _HEADERS:
        headers.append(_HEADERS[instead.status])
    headers.append(("Content-Length", str(len(body))))
    if wire.close:
        headers.append(("Connection", "close"))
    return http1.head(instead.status, headers) + body


def _page(status: int) -> bytes:
    if status == 200:
        return _PAGE.encode()
    line = http1.status_line(status).removeprefix("HTTP/1.1 ")
    return _PROXY_PAGE.replace("{line}", line).encode()
