"""The first start, the second, and starts that cannot be."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable

import pytest

from tests.bench.pages import read_form
from tests.live.hub import Hub
from tests.live.person import Person
from tests.live.process import wait_for

pytestmark = pytest.mark.xdist_group("live")

LINK = re.compile(r"http://127\.0\.0\.1:\d+(/setup/[\w-]+/)")


def test_health_tells_that_all_is_well_and_nothing_else(live_hub: Hub) -> None:
    page = Person(live_hub.origin).get("/healthz")

    assert page.status == 200
    assert page.headers["content-type"] == "application/json"
    assert json.loads(page.text).keys() == {"status", "version", "database", "channel_layer"}


def test_from_the_first_start_to_the_first_account(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(like="bare").start()
    first = wait_for(lambda: LINK.search(hub.output), "the set-up link")
    before = prepared_files(hub)
    assert "static/collected" in before
    hub.stop()
    hub.start()

    links = wait_for(lambda: found if len(found := LINK.findall(hub.output)) > 1 else None, "the link again")
    assert links == [first[1], first[1]]
    assert prepared_files(hub) == before, "the second start prepared something again"

    stranger, owner = Person(hub.origin), Person(hub.origin)
    assert stranger.get("/setup/guess/").status == 404
    assert stranger.get("/", follow=False).headers["location"].startswith("/accounts/login/")
    form = read_form(owner.get(first[1]).text)
    secrets = dict.fromkeys(("password", "repeated"), "a long enough passphrase")
    page = owner.post(first[1], form.fields | {"username": "owner"} | secrets)

    assert page.url.endswith("/setup/servers/"), page.text
    assert owner.get("/backends/").status == 200
    assert stranger.get(first[1]).status == 404
    assert hub.sign_in("owner", "a long enough passphrase").get("/people/").status == 200

    hub.stop()
    hub.start()
    assert len(LINK.findall(hub.output)) == 2, "the link was shown although there is an administrator"


def prepared_files(hub: Hub) -> dict[str, tuple[int, int]]:
    """Everything in the data folder but the database, with what changes when it is made again."""
    files = (path for path in hub.data_dir.rglob("*") if path.is_file() and "sqlite" not in path.name)
    return {
        str(path.relative_to(hub.data_dir)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files
    }


def test_the_environment_makes_the_administrator(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(like="new", HUB_ADMIN_USERNAME="root-admin", HUB_ADMIN_PASSWORD="from the environment")
    hub.start()

    assert hub.sign_in("root-admin", "from the environment").get("/people/").status == 200
    assert not LINK.search(hub.output)
    assert "from the environment" not in hub.output


def test_keys_and_database_are_nobody_elses_business(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub(like="bare")
    hub.shell("from django.db import connection; connection.ensure_connection()")

    assert hub.database.exists()
    assert hub.data_dir.stat().st_mode & 0o077 == 0
    for name in ("secret.key", "credentials.key"):
        assert (hub.data_dir / name).stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_named_and_the_exit_code_tells(make_hub: Callable[..., Hub]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        hub = make_hub()
        hub.port = port
        hub.launch()
        code = hub.program.wait()

    assert code == 1
    assert f"Cannot listen on 127.0.0.1 port {port}" in hub.output
    assert "PORT=" in hub.output
    assert "Traceback" not in hub.output


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    make_hub: Callable[..., Hub],
) -> None:
    hub = make_hub(DATABASE_URL="postgres://hub:s3cret-word@127.0.0.1:9/hub")
    hub.launch()

    assert hub.program.wait() == 1
    assert "database cannot be used" in hub.output
    assert "s3cret-word" not in hub.output
    assert "Traceback" not in hub.output
