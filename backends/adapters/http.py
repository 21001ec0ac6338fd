"""The only module that imports httpx: one client, bounded reads, and errors told apart."""

from __future__ import annotations

import httpx


class Http:
    """A connection pool for all backends of this process. Bound to the event loop that uses it."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()
