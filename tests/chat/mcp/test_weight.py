"""The SDK is heavy; a hub that has no use for it does not load it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, django
django.setup()
import privatechathub.urls, privatechathub.asgi, chat.generation.runtime, chat.generation.tools_offered
heavy = {"mcp", "mcp_types", "pydantic", "httpx2", "starlette"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


def test_the_sdk_is_not_loaded_before_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.rpartition("loaded")[2]) == (0, "")
