"""Requests to AI servers: one client, bounded reads, and errors told apart.

The only place that imports httpx.
"""

from __future__ import annotations

from backends.adapters.http.client import Http, join
from backends.adapters.http.credentials import auth_headers
from backends.adapters.http.reply import Reply
from backends.adapters.http.stream import Stream
from backends.adapters.http.transport import Transport, certificates

__all__ = ["Http", "Reply", "Stream", "Transport", "auth_headers", "certificates", "join"]
