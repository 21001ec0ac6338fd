"""``manage.py serve``: what it says before it serves, when it cannot, and how it ends."""

from __future__ import annotations

import io
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from privatechathub.accounts import setup
from privatechathub.accounts.models import User
from privatechathub.management.commands import serve
from tests.live.hub import Hub


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def command() -> serve.Command:
    return serve.Command(stdout=io.StringIO())


def said(command: serve.Command) -> str:
    return command.stdout._out.getvalue()


def test_a_taken_port_is_named_with_a_way_out(taken: int) -> None:
    with pytest.raises(CommandError) as error:
        serve.refuse_taken_port("127.0.0.1", taken)

    assert str(error.value) == (
        f"Cannot listen on 127.0.0.1 port {taken}: Address already in use. "
        "Choose another port: PORT=8001 make run"
    )


def test_a_taken_port_prepares_nothing(taken: int, command: serve.Command) -> None:
    with pytest.raises(CommandError):  # a database would be touched next, which this test may not
        command.handle(host="127.0.0.1", port=taken)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(
        CommandError, match=r"192\.0\.2\.1 port 8000: .*HOST must be an address of this machine"
    ):
        serve.refuse_taken_port("192.0.2.1", 8000)


def test_a_port_that_was_just_left_is_free(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()  # the port now waits for late packets

    serve.refuse_taken_port("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("hub.local", "http://hub.local:8000"),
    ],
)
def test_it_says_where_it_is_and_how_to_begin(db: None, command: serve.Command, host: str, base: str) -> None:
    command.greet(host, 8000)

    assert f"    {base}/setup/{setup.token()}/\n" in said(command)
    assert f"is at {base}/ " in said(command)


def test_a_hub_with_an_administrator_shows_no_link(ada: User, command: serve.Command) -> None:
    command.greet("127.0.0.1", 8000)

    assert "setup" not in said(command)


@pytest.mark.django_db(transaction=True)
def test_the_environment_makes_the_administrator_at_the_start(
    command: serve.Command, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HUB_ADMIN_USERNAME, settings.HUB_ADMIN_PASSWORD = "root", "from the environment"
    monkeypatch.setattr(serve, "static_is_current", lambda: True)

    command.prepare()
    command.prepare()

    assert User.objects.get().username == "root"
    assert said(command) == "Administrator root was made.\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("code", "fails"), [("pass", False), ("raise SystemExit(3)", True)])
def test_what_is_missing_is_prepared_in_a_process_of_its_own(
    command: serve.Command,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    code: str,
    fails: bool,
) -> None:
    (tmp_path / "manage.py").write_text(
        f"import sys, pathlib\npathlib.Path(__file__).with_name('ran').write_text(sys.argv[1])\n{code}\n"
    )
    settings.BASE_DIR = tmp_path
    monkeypatch.setattr(serve, "static_is_current", lambda: False)

    if fails:
        with pytest.raises(CommandError, match="could not be prepared"):
            command.prepare()
    else:
        command.prepare()

    assert (tmp_path / "ran").read_text() == "prepare"


def test_pages_that_go_away_make_no_warning() -> None:
    def record(text: str) -> logging.LogRecord:
        return logging.LogRecord("daphne.server", logging.WARNING, "", 0, text, None, None)

    assert not serve.not_about_slow_closing(record("Application instance took too long to shut down"))
    assert serve.not_about_slow_closing(record("something else"))


@pytest.mark.xdist_group("live")
def test_sigterm_ends_it_cleanly(make_hub: Callable[..., Hub]) -> None:
    hub = make_hub().start()
    assert f"Private Chat Hub 0.1.0 is at {hub.origin}/" in hub.output

    hub.program.send(signal.SIGTERM)

    assert hub.program.wait(10) == 0
    assert "Traceback" not in hub.output
    serve.refuse_taken_port("127.0.0.1", hub.port)
