"""Marks like [1] in an answer: small links that a keyboard reaches, and words that are copied as they were written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.browser.tab import Tab, Window
from tests.browser.test_tools import switch_tools_on
from tests.chat.mcp.serving import served
from tests.live.hub import Hub

pytestmark = pytest.mark.xdist_group("browser-tools")

TITLES = ["How bees dance", '"Quoted" <b>title</b> \u202egnp.exe', "رقصة النحل"]
ANSWER = (
    "Bees waggle to tell the others where to fly [1]. The angle is that to the sun [2, 4], and nobody knows "
    "[9] why. In code `bees[1]` stays as it is:\n\n```python\nbees[1] = wax[2]\n```\n\n"
    "- The length of a run tells the distance [3][5]\n\n| Dance | Meaning |\n|---|---|\n| waggle | far [6] |\n"
)


async def found(request: Request) -> JSONResponse:
    """What SearXNG finds: three pages for each word, the last of them always the same."""
    word = request.query_params["q"]
    urls = [
        f"https://{word}.example/1",
        f"https://{word}.example/2",
        f"https://a-very-long-name-of-{word}.example/",
    ]
    rows = [{"title": title, "url": url, "content": "Text."} for title, url in zip(TITLES, urls, strict=True)]
    return JSONResponse({"results": rows})


def picture(page: Page, name: str) -> None:
    """For whoever wants to look."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"citations-{name}.png", full_page=True)


def let_search(office: Tab, origin: str) -> None:
    """An administrator allows the internet, and tells who searches."""
    page = office.page
    page.goto("/internet/")
    page.get_by_label("Models may use the internet").check()
    page.locator("[name=search_engine]").select_option("searxng")
    page.get_by_label("Address of the SearXNG server").fill(origin)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_marks_of_an_answer_lead_to_its_sources(fresh_hub: Hub, open_window: Callable[..., Window]) -> None:
    with served(Starlette(routes=[Route("/search", found)])) as origin:
        let_search(open_window(fresh_hub, "ada").open(), origin)
        tab = open_window(fresh_hub, "alice").open()
        switch_tools_on(tab)
        calls = " !then ".join(f'!call web_search {{"query": "{word}"}}' for word in ("bees", "wax"))
        tab.ask(f"{calls} !then !echo {ANSWER}", "tools")
        tab.mark()
        tab.answer.get_by_role("button", name="Allow in this conversation").click()
        tab.wait_until("completed")

    marks = tab.body.locator(".cite a")
    expect(marks).to_have_text(["[1]", "2", "4", "[3]", "[5]", "[6]"])
    assert tab.is_same_page()
    expect(tab.answer.locator(".source")).to_have_count(6)
    first = tab.body.get_by_role("link", name="Source 1: How bees dance · bees.example")
    expect(first).to_have_attribute("href", "https://bees.example/1")
    expect(first).to_have_attribute("target", "_blank")
    assert "fly [1]. The angle is that to the sun [2, 4], and nobody knows [9]" in tab.text()
    copied = tab.page.evaluate(
        "() => { getSelection().selectAllChildren(document.querySelector('[data-role=assistant] .message-body p'));"
        " return getSelection().toString(); }"
    )
    assert copied.startswith(
        "Bees waggle to tell the others where to fly [1]. The angle is that to the sun [2, 4],"
    )

    first.focus()
    tab.page.keyboard.press("Tab")
    expect(marks.nth(1)).to_be_focused()
    assert marks.nth(1).evaluate("(link) => getComputedStyle(link).outlineStyle") == "solid"
    assert marks.nth(1).get_attribute("title") == 'Source 2: "Quoted" <b>title</b> gnp.exe · bees.example'

    tab.page.evaluate("getSelection().empty()")
    for scheme in ("light", "dark"):
        for width in (1280, 360):
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            tab.page.set_viewport_size({"width": width, "height": 800})
            assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            picture(tab.page, f"{scheme}-{width}")
