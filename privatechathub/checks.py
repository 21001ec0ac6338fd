"""System checks: what would break later is said at the start."""

from __future__ import annotations

import os
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks


@checks.register("hub")
def data_folder_is_writable(**kwargs: Any) -> list[checks.CheckMessage]:
    """Everything that must survive lives in the data folder."""
    if os.access(settings.DATA_DIR, os.W_OK):
        return []
    return [
        checks.Error(
            f"The data folder {settings.DATA_DIR} cannot be written.",
            hint="Give the hub's user write permission, or set DATA_DIR to another folder.",
            id="hub.E001",
        )
    ]


@checks.register("hub")
def credentials_key_is_usable(**kwargs: Any) -> list[checks.CheckMessage]:
    """Without the right key stored credentials cannot be read."""
    try:
        Fernet(settings.CREDENTIALS_KEY)
    except ValueError:
        return [
            checks.Error(
                "CREDENTIALS_KEY is not a Fernet key.",
                hint="Remove it to use the one in the data folder, or restore the one used before.",
                id="hub.E002",
            )
        ]
    return []
