"""What is asked of a person at one process can be answered at the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.live.hub import Hub, prepare
from tests.live.pagesocket import PageSocket
from tests.live.process import wait_for
from tests.services.fixtures import Pair
from tests.services.servers import Redis

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.xdist_group("services")]

#: The address of the card's form.
FORM = r'action="(/asks/[0-9a-f-]+/answer/)"'


@pytest.fixture(scope="module")
def asking_pair(
    prepared_hub: Hub,
    with_tables: Callable[[str], str],
    redis: Redis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Two processes of a hub whose model asks."""
    folder = tmp_path_factory.mktemp("asking")
    env = {
        "DATABASE_URL": with_tables("asking"),
        "REDIS_URL": redis.url,
        "DJANGO_SETTINGS_MODULE": "tests.live.scripted_settings",
    }
    one = Hub(folder / "one", env=env).prepared_like(prepared_hub)
    prepare(one)
    one.add_backend("scripted:cards", "Cards", "scripted")
    other = Hub(folder / "other", env=env).prepared_like(one)
    try:
        yield Pair(one.start(), other.start())
    finally:
        one.end()
        other.end()


def test_a_word_given_at_the_other_process_reaches_the_run_at_once(asking_pair: Pair) -> None:
    here, there = asking_pair.tabs("alice")
    path = here.ask("permission", "cards/cards")

    with PageSocket(here, path) as one, PageSocket(there, path) as other:
        form = other.wait_for(FORM)[1]
        there.post(form, {"verdict": "once"}, follow=False)
        for page in (one, other):
            page.wait_for("You said: once", seconds=3)  # less than a look without being told takes
            page.wait_for('hx-swap="delete"')
            page.wait_for('assistant" data-status="completed"')

    assert not asking_pair.other.person("bob").get(path).articles


def test_tools_show_at_the_other_process(asking_pair: Pair) -> None:
    here, there = asking_pair.tabs("alice")
    path = here.ask("tools", "cards/cards")

    with PageSocket(there, path) as page:
        page.wait_for('class="activity" data-state="running"')
        page.wait_for('class="activity" data-state="done"')
        page.wait_for("The name nowhere.invalid is unknown")
        page.wait_for('assistant" data-status="completed"')


def test_what_a_killed_process_had_asked_is_closed(asking_pair: Pair) -> None:
    here, there = asking_pair.tabs("alice")
    path = here.ask("permission", "cards/cards")
    assert wait_for(lambda: "/asks/" in there.get(path).text, "the card", 20)

    asking_pair.one.kill()

    try:
        there.wait_for_status(path, "interrupted")
        assert "/asks/" not in there.get(path).text
    finally:
        asking_pair.one.start()
