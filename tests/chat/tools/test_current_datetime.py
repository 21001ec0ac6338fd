"""The clock."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from backends.database import in_database
from chat.tools.base import Caller, ToolError
from chat.tools.current_datetime import CurrentDatetime
from privatechathub.accounts.models import User


async def ask(caller: Caller, **arguments: Any) -> dict[str, Any]:
    return json.loads((await CurrentDatetime().run(arguments, caller)).text)


async def test_the_time_is_now_and_told_in_every_form(nobody: Caller) -> None:
    facts = await ask(nobody, timezone="UTC")
    told = datetime.fromisoformat(facts["datetime"])
    assert abs(facts["epoch_ms"] / 1000 - time.time()) < 5
    assert abs(told.timestamp() - facts["epoch_ms"] / 1000) < 1
    assert facts["weekday"] == f"{told:%A}"
    assert facts["utc_offset"] == "+00:00"


@pytest.mark.parametrize("name", ["Asia/Kathmandu", "asia/kathmandu", " ASIA/KATHMANDU "])
async def test_any_zone_in_any_case(name: str, nobody: Caller) -> None:
    facts = await ask(nobody, timezone=name)
    assert datetime.fromisoformat(facts["datetime"]).utcoffset() == timedelta(hours=5, minutes=45)
    assert facts["utc_offset"] == "+05:45"
    assert facts["timezone"] == "Asia/Kathmandu"


@pytest.mark.parametrize("name", ["", "local", "Local", None])
async def test_no_zone_means_the_persons_own_or_the_hubs(
    name: str | None, settings: LazySettings, caller: Caller, alice: User
) -> None:
    settings.TIME_ZONE = "America/St_Johns"
    assert (await ask(caller, timezone=name))["timezone"] == "America/St_Johns"
    alice.time_zone = "Pacific/Auckland"
    await in_database(alice.save)
    assert (await ask(caller, timezone=name))["timezone"] == "Pacific/Auckland"


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "/etc/localtime", "x" * 5000])
async def test_an_unknown_zone_is_told_to_the_model(name: str, nobody: Caller) -> None:
    with pytest.raises(ToolError, match="no time zone"):
        await ask(nobody, timezone=name)
