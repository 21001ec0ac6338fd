"""A page that is just being closed."""

from __future__ import annotations

from autobahn.exception import Disconnected

from chat.realtime.consumer import ConversationConsumer
from chat.realtime.room import Room


async def test_a_page_that_goes_away_keeps_nothing_from_the_others() -> None:
    heard: list[str] = []

    async def refuse(event: dict[str, str]) -> None:
        raise Disconnected("Attempt to send on a closed protocol")

    async def hear(event: dict[str, str]) -> None:
        heard.append(event["text"])

    room = Room("c")
    for send in (refuse, hear, refuse, hear):
        page = ConversationConsumer()
        page.base_send = send
        room.watchers.add(page)

    await room.send("<hx-partial></hx-partial>")

    assert heard == ["<hx-partial></hx-partial>"] * 2
