"""What addresses name, and one where nothing listens."""

from __future__ import annotations

from tests.backends.conftest import refusing
from tests.chat.test_access import places

__all__ = ["places", "refusing"]
