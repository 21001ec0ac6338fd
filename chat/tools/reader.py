"""Reads a page in a process of its own, which a hostile page can neither keep busy nor break out of."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE

from django.utils.translation import gettext as _

from chat.isolated import WORKERS, command
from chat.tools.base import ToolError
from chat.workers.web_page import Page

#: Seconds for all of it; the start takes some 50 ms.
MAX_SECONDS = 8.0


async def read_in_child(html: str, *, whole: bool) -> Page:
    """The page's title and text. Raises ToolError where it cannot be read in time and in bounds."""
    child = await asyncio.create_subprocess_exec(
        *command(WORKERS / "web_page.py", "whole" if whole else "main"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(MAX_SECONDS):
            output, _errors = await child.communicate(html.encode("utf-8", "replace"))
    except TimeoutError:
        raise ToolError(_("The page is built so oddly that it cannot be read.")) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise ToolError(_("The page is built so oddly that it cannot be read."))
    return Page(**json.loads(output))
