"""The tools that fetch pages."""

from __future__ import annotations

from typing import Any

import pytest

from backends.database import in_database
from chat.models import Internet, OutsideContact
from chat.tools.base import Caller, Source, ToolError
from chat.tools.pages import FetchUrl, ReadUrl
from tests.chat.outbound.world import PUBLIC, Names, answering, reply, serving
from tests.chat.tools.conftest import Outside
from tests.chat.tools.test_reading import PAGE

NAMES = {"www_example_org": [PUBLIC], "inside_example": ["192.168.1.1"]}


async def test_a_page_is_read_with_title_address_and_source(
    caller: Caller, internet: Internet, outside: Outside
) -> None:
    async with serving(answering(reply(body=PAGE.encode()))) as world:
        outside(world, Names(**NAMES))
        read = await ReadUrl().run({"url": "http://www.example.org/bees"}, caller)
        whole = await FetchUrl().run({"url": "http://www.example.org/bees"}, caller)
    assert read.text.startswith(
        "Title: About bees\nAddress: http://www.example.org/bees\nCite as: [1]\n\n# Bees\n"
    )
    assert "Imprint" in whole.text
    assert "Imprint" not in read.text
    assert read.sources == (Source("http://www.example.org/bees", "About bees", "example.org", 1),)
    assert whole.sources == read.sources
    contacts = await in_database(lambda: list(OutsideContact.objects.values_list("tool", "host", "user_id")))
    assert contacts == [(name, "www.example.org", caller.user_id) for name in ("fetch_url", "read_url")]


async def test_the_address_told_is_the_one_after_redirects(
    caller: Caller, internet: Internet, outside: Outside
) -> None:
    async def lead(target: str, headers: dict[str, str], writer: Any) -> None:
        writer.write(reply("301 Moved", location="/new") if target == "/old" else reply(body=b"here"))

    async with serving(lead) as world:
        outside(world, Names(**NAMES))
        result = await FetchUrl().run({"url": "http://www.example.org/old"}, caller)
    assert result.text == "Address: http://www.example.org/new\nCite as: [1]\n\nhere"


async def test_long_pages_are_cut(caller: Caller, internet: Internet, outside: Outside) -> None:
    async with serving(answering(reply(body=b"word " * 5000, content_type="text/plain"))) as world:
        outside(world, Names(**NAMES))
        result = await FetchUrl().run({"url": "http://www.example.org/"}, caller)
    assert len(result.text) < 8200
    assert result.text.endswith("(Cut: 8000 of 24999 characters.)")


@pytest.mark.parametrize(
    "url", ["http://inside.example/", "http://127.0.0.1/", "file:///etc/passwd", "bees", ""]
)
async def test_what_the_guard_refuses_is_told(
    url: str, caller: Caller, internet: Internet, outside: Outside
) -> None:
    async with serving(answering(reply(body=b"x"))) as world:
        outside(world, Names(**NAMES))
        with pytest.raises(ToolError):
            await ReadUrl().run({"url": url}, caller)
    assert world.requests == []


async def test_nothing_is_fetched_while_the_internet_is_off(caller: Caller, outside: Outside) -> None:
    async with serving(answering(reply(body=b"x"))) as world:
        outside(world, Names(**NAMES))
        with pytest.raises(ToolError, match="administrator"):
            await FetchUrl().run({"url": "http://www.example.org/"}, caller)
    assert world.requests == []
