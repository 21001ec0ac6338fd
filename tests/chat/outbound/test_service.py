"""Off until allowed; and every host is written down before it is contacted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from backends.database import in_database
from backends.models import Backend
from chat.models import Internet, OutsideContact
from chat.outbound.client import Request
from chat.outbound.errors import InternetOff, OutsideError, Refused
from chat.outbound.service import Errand, current_policy, fetch
from privatechathub.accounts.models import User
from tests.chat.outbound.world import answering, reply, serving

PAGE = reply(body=b"hello")


def allow(networks: str = "127.0.0.0/8") -> None:
    Internet.objects.create(pk=1, allowed=True, networks=networks)


async def rows() -> list[tuple[int, str, str, bool]]:
    return await in_database(
        lambda: list(OutsideContact.objects.values_list("user_id", "tool", "host", "refused"))
    )


@pytest.mark.django_db(transaction=True)
async def test_nothing_is_contacted_until_an_administrator_allows_it(alice: User) -> None:
    async with serving(answering(PAGE)) as world:
        with pytest.raises(InternetOff):
            await fetch(Errand(alice.pk, "fetch_url"), Request(f"http://127.0.0.1:{world.port}/"))
    assert world.requests == []
    assert await rows() == []


@pytest.mark.django_db(transaction=True)
async def test_every_host_is_noted_before_it_is_contacted(alice: User) -> None:
    await in_database(allow)
    async with serving(answering(reply("302 Found", location="http://10.0.0.1/"))) as world:
        with pytest.raises(Refused):
            await fetch(Errand(alice.pk, "fetch_url"), Request(f"http://127.0.0.1:{world.port}/"))
    assert await rows() == [
        (alice.pk, "fetch_url", "10.0.0.1", True),
        (alice.pk, "fetch_url", "127.0.0.1", False),
    ]


@pytest.mark.django_db(transaction=True)
async def test_a_backend_is_out_of_reach_even_in_a_listed_network(alice: User) -> None:
    async with serving(answering(PAGE)) as world:
        url = f"http://127.0.0.1:{world.port}"
        await in_database(allow)
        await in_database(Backend.objects.create, name="Ollama", kind="ollama", base_url=url)
        for host in ("127.0.0.1", "127.0.0.2"):
            with pytest.raises(OutsideError):
                await fetch(Errand(alice.pk, "fetch_url"), Request(f"http://{host}:{world.port}/api/delete"))
    assert world.requests == []


def test_a_trusted_address_is_no_secret_way_elsewhere(db: None) -> None:
    allow(networks="")
    policy = current_policy("http://searx.home:8888/search")
    assert policy.trusted == {("searx.home", 8888)}
    assert policy.networks == ()


def test_people_see_their_own_contacts_and_administrators_all(alice: User, bob: User, ada: User) -> None:
    for user in (alice, bob):
        OutsideContact.objects.note(user_id=user.pk, tool="t", host=f"{user}.example", port=80, refused=False)
    seen = {user: [row.host for row in OutsideContact.objects.visible_to(user)] for user in (alice, bob, ada)}
    assert seen == {alice: ["alice.example"], bob: ["bob.example"], ada: ["bob.example", "alice.example"]}


def test_old_contacts_go(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.models.outside_contact._SWEEP", 1)
    note = OutsideContact.objects.note
    old = note(user_id=alice.pk, tool="t", host="old.example", port=80, refused=False)
    OutsideContact.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=200))
    note(user_id=alice.pk, tool="t", host="new.example", port=80, refused=False)
    assert [row.host for row in OutsideContact.objects.all()] == ["new.example"]
