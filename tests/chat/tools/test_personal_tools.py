"""Tools about the person: place, inbox, earlier conversations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest

from backends.database import in_database
from chat.models import Internet, Notice
from chat.services.sending import Sent
from chat.tools import current_location
from chat.tools.base import Caller, ToolError
from chat.tools.current_location import LookedUpLocation, SavedLocation
from chat.tools.search_my_conversations import SearchMyConversations
from chat.tools.show_notification import ShowNotification
from privatechathub.accounts.models import User
from tests.chat.outbound.world import PUBLIC, Names, answering, reply, serving
from tests.chat.tools.conftest import Outside


async def test_the_saved_place_is_told(caller: Caller, alice: User) -> None:
    alice.place, alice.time_zone = "Reykjavík, Iceland", "Atlantic/Reykjavik"
    await in_database(alice.save)
    told = json.loads((await SavedLocation().run({}, caller)).text)
    assert told == {"place": "Reykjavík, Iceland", "timezone": "Atlantic/Reykjavik"}
    told = json.loads((await SavedLocation().run({"include_timezone": False}, caller)).text)
    assert told == {"place": "Reykjavík, Iceland"}


async def test_anothers_place_is_not_told(caller: Caller, bob: User) -> None:
    bob.place = "Hidden"
    await in_database(bob.save)
    with pytest.raises(ToolError):
        await SavedLocation().run({}, caller)


async def test_the_address_is_looked_up_where_none_is_saved(
    caller: Caller, internet: Internet, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_location, "LOOKUP", "http://ipapi.co/json/")
    known = {"city": "Oslo", "timezone": "Europe/Oslo", "latitude": 59.9, "org": "Cables Ltd", "region": None}
    async with serving(
        answering(reply(body=json.dumps(known).encode(), content_type="application/json"))
    ) as world:
        outside(world, Names(ipapi_co=[PUBLIC]))
        told = json.loads((await LookedUpLocation().run({"include_timezone": False}, caller)).text)
    assert told == {"city": "Oslo", "latitude": 59.9}


@pytest.mark.parametrize("body", [b"{}", b'{"error": true}', b"[1]", b"x"])
async def test_an_unknown_place_is_told(
    body: bytes, caller: Caller, internet: Internet, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_location, "LOOKUP", "http://ipapi.co/json/")
    async with serving(answering(reply(body=body, content_type="application/json"))) as world:
        outside(world, Names(ipapi_co=[PUBLIC]))
        with pytest.raises(ToolError, match="place"):
            await LookedUpLocation().run({}, caller)


async def test_a_notification_waits_in_the_inbox(caller: Caller, alice: User, bob: User) -> None:
    await ShowNotification().run({"title": " Tea ", "message": "It is\x00 ready."}, caller)
    notice = await in_database(Notice.objects.get)
    assert (notice.user_id, notice.title, notice.text) == (alice.pk, "Tea", "It is ready.")
    with pytest.raises(ToolError):
        await ShowNotification().run({"title": "x", "message": " "}, caller)


async def test_only_the_askers_own_conversations_are_searched(
    caller: Caller, bob: User, ask: Callable[..., Sent]
) -> None:
    sent = await in_database(ask, "The wifi password is on the FRIDGE door")
    tool = SearchMyConversations()
    result = await tool.run({"query": "fridge wifi"}, caller)
    assert result.text.startswith(f"1. {sent.conversation.title}, ")
    assert "user:\n   The wifi password is on the FRIDGE door" in result.text
    for query in ("fridge cellar", "nothing like it"):
        assert "Nothing was found" in (await tool.run({"query": query}, caller)).text
    stranger = Caller(bob.pk, uuid.uuid4(), uuid.uuid4())
    assert "Nothing was found" in (await tool.run({"query": "fridge"}, stranger)).text
    within = Caller(caller.user_id, sent.conversation.pk, uuid.uuid4())
    assert "Nothing was found" in (await tool.run({"query": "fridge"}, within)).text
    with pytest.raises(ToolError):
        await tool.run({"query": " "}, caller)


async def test_no_more_come_than_asked_for(caller: Caller, ask: Callable[..., Sent]) -> None:
    await in_database(ask, "bees one")
    await in_database(ask, "bees two")
    result = await SearchMyConversations().run({"query": "BEES", "num_results": 1}, caller)
    assert result.text.startswith("1. ")
    assert "2. " not in result.text
    assert (
        "Nothing was found" in (await SearchMyConversations().run({"query": "bees from:model"}, caller)).text
    )
