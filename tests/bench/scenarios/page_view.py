"""What the first page view costs on the wire: ``GET /`` after signing in, and all that it loads."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.httpclient import HttpClient, Response
from tests.bench.pages import assets_of_file, assets_of_page

GROUP = "First page view"
MAX_REQUESTS = 100


async def run(bench: Bench) -> None:
    """With ``Accept-Encoding: br, gzip`` and an empty cache."""
    http = bench.person.http
    page = await http.follow(await http.get("/"))
    responses, foreign = await load_all(http, page)
    total = sum(response.wire_body for response in responses)
    failed = [response.url for response in responses if response.status != 200]
    bench.add(GROUP, "requests", len(responses), bar=("<=", 12), note=_largest(responses))
    bench.add(GROUP, "compressed bytes", total / 1e3, "kB", bar=("<", 100.0), note=_split(responses))
    bench.add(GROUP, "with response headers", (total + sum(r.wire_head for r in responses)) / 1e3, "kB")
    note = ", ".join(sorted(foreign)[:3])
    bench.add(GROUP, "requests to other hosts", len(foreign), bar=("<=", 0), note=note)
    bench.add(GROUP, "files that did not load", len(failed), bar=("<=", 0), note=", ".join(failed[:3]))
    bench.add(GROUP, "server time of the page", page.seconds * 1e3, "ms")


async def load_all(http: HttpClient, page: Response) -> tuple[list[Response], set[str]]:
    """The page, every file it loads, and the addresses on other hosts."""
    seen, foreign = {page.url}, set()
    responses = [page]
    waiting = list(assets_of_page(page.text, page.url))
    while waiting and len(responses) < MAX_REQUESTS:
        url = waiting.pop(0)
        if url in seen:
            continue
        seen.add(url)
        if not url.startswith(http.origin + "/"):
            foreign.add(url)
            continue
        response = await http.get(url)
        responses.append(response)
        media_type = response.headers.get("content-type", "")
        waiting += assets_of_file(response.text, media_type, response.url)
    return responses, foreign


def _largest(responses: list[Response]) -> str:
    three = sorted(responses, key=lambda response: -response.wire_body)[:3]
    return "largest: " + ", ".join(
        f"{r.url.rpartition('/')[2] or '/'} {r.wire_body / 1e3:.1f}" for r in three
    )


def _split(responses: list[Response]) -> str:
    page, rest = responses[0].wire_body / 1e3, sum(r.wire_body for r in responses[1:]) / 1e3
    return f"page {page:.1f}, files {rest:.1f}"
