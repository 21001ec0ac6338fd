"""Two people on one hub never reach each other's conversations, by no address and no socket."""

from __future__ import annotations

import pytest

from tests.live.hub import Hub
from tests.live.pagesocket import PageSocket, Refused
from tests.live.person import Person

pytestmark = pytest.mark.xdist_group("live")


def test_a_stranger_gets_404_for_everything_about_a_conversation(live_hub: Hub) -> None:
    alice, bob = live_hub.person("alice"), live_hub.person("bob")
    path = alice.ask("Nobody else may read this secret")
    answer = alice.wait_for_status(path, "completed")

    assert bob.get(path).status == 404
    assert bob.get(f"{path}settings/").status == 404
    assert bob.get(f"{path}delete/").status == 404
    for action in ("messages/", "stop/", "rename/", "delete/", "settings/"):
        fields = {"text": "mine", "title": "mine", "model": "fake/fast", "key": "k"}
        assert bob.post(path + action, fields).status == 404, action
    assert bob.get(f"/messages/{answer.id}/raw/").status == 404
    for action in ("retry", "continue", "delete"):
        assert bob.post(f"/messages/{answer.id}/{action}/").status == 404, action
    assert "secret" not in bob.get("/").text
    assert [article.status for article in alice.get(path).articles] == ["completed", "completed"]


def test_a_stranger_cannot_stop_what_is_being_written(live_hub: Hub) -> None:
    alice, bob = live_hub.person("alice"), live_hub.person("bob")
    path = alice.ask("!tokens 40 rate 40")

    assert bob.post(f"{path}stop/").status == 404

    assert alice.wait_for_status(path, "completed", "stopped").status == "completed"


def test_nobody_but_the_owner_may_listen(live_hub: Hub) -> None:
    alice, bob = live_hub.person("alice"), live_hub.person("bob")
    path = alice.ask("!tokens 100 rate 50")

    for stranger in (bob, Person(live_hub.origin)):
        with pytest.raises(Refused) as refused:
            PageSocket(stranger, path)
        assert refused.value.status == 403
    alice.stop(path)


def test_a_page_of_another_site_may_not_listen_with_the_owners_cookie(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("Hello")

    with pytest.raises(Refused) as refused:
        PageSocket(alice, path, origin="http://evil.example")

    assert refused.value.status == 403


def test_a_page_of_another_site_may_not_post(live_hub: Hub) -> None:
    alice = live_hub.person("alice")
    path = alice.ask("Hello")

    assert alice.post(f"{path}delete/", headers={"X-CSRFToken": ""}).status == 403
    assert alice.post(f"{path}delete/", headers={"Origin": "http://evil.example"}).status == 403
    assert alice.get(path).status == 200


def test_someone_who_is_not_signed_in_is_led_to_the_sign_in_page(live_hub: Hub) -> None:
    path = live_hub.person("alice").ask("Hello")
    stranger = Person(live_hub.origin)

    for address in ("/", "/chat/new/", path, "/backends/", "/people/", "/settings/", "/admin/"):
        page = stranger.get(address, follow=False)
        assert page.status == 302, address
        assert "/login/" in page.headers["location"], address


def test_only_administrators_reach_backends_and_people(live_hub: Hub) -> None:
    ada, bob = live_hub.person("ada"), live_hub.person("bob")

    for address in ("/backends/", "/backends/add/", "/backends/fake/", "/people/"):
        assert ada.get(address).status == 200, address
        assert bob.get(address).status == 403, address
    assert bob.post("/people/invite/").status == 403
    assert bob.post("/backends/fake/delete/").status == 403


def test_a_session_that_ended_may_not_listen_any_more(live_hub: Hub) -> None:
    alice = live_hub.sign_in("alice")
    path = alice.ask("Hello")
    before = alice.copy()
    alice.post("/accounts/logout/")

    with pytest.raises(Refused):
        PageSocket(before, path)
    assert "/login/" in before.get(path, follow=False).headers["location"]
