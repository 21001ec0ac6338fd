"""What the tools of MCP servers are called here."""

from __future__ import annotations

import re
from hashlib import sha256

#: Parts the server's slug from the tool's name. No slug and no tool of the hub's own holds it.
SEPARATOR = "__"
#: Characters that OpenAI takes in a name.
LONGEST = 64
_DIGEST = 6
_ODD = re.compile(r"[^a-zA-Z0-9_-]+")


def offered_name(slug: str, name: str) -> str:
    """The server's slug, then the tool's own name. Where that has to be changed, a digest keeps it unmistakable."""
    plain = _ODD.sub("_", name)
    full = f"{slug}{SEPARATOR}{plain}"
    if plain == name and len(full) <= LONGEST:
        return full
    digest = sha256(name.encode("utf-8", "replace")).hexdigest()[:_DIGEST]
    return f"{full[: LONGEST - _DIGEST - 1]}_{digest}"
