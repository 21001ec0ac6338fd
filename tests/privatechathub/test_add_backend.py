"""``manage.py add_backend``: the page "Backends" for a shell, with secrets from files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from backends.models import Backend, State
from tests.fakes.thread import FakeServerThread

pytestmark = pytest.mark.django_db

KEY = "sk-v3ry-s3cret-key"
Add = Callable[..., str]


@pytest.fixture
def add(capfd: pytest.CaptureFixture[str]) -> Add:
    """Run it; gives everything that was printed or logged."""

    def run(name: str, url: str, *more: str, kind: str = "ollama") -> str:
        out, err = io.StringIO(), io.StringIO()
        call_command("add_backend", name, "--kind", kind, "--url", url, *more, stdout=out, stderr=err)
        printed = capfd.readouterr()
        return out.getvalue() + err.getvalue() + printed.out + printed.err

    return run


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    return path


@pytest.fixture
def nowhere() -> str:
    """An address that refuses at once."""
    with FakeServerThread() as gone:
        pass
    return gone.url


def test_a_server_is_stored_and_its_models_are_listed(add: Add, fake: FakeServerThread) -> None:
    said = add("Big box", f"{fake.url}/")

    backend = Backend.objects.get()
    assert (backend.name, backend.slug, backend.kind, backend.base_url) == (
        "Big box", "big-box", "ollama", fake.url,
    )  # fmt: skip
    assert (backend.enabled, backend.access, backend.state) == (True, "everyone", State.ONLINE)
    assert backend.models.filter(model_id="fast").exists()
    assert said.startswith("Big box is stored as big-box. It answers in ")
    assert "version 0.9.3, 7 models." in said


def test_the_key_is_used_stored_encrypted_and_never_printed(
    add: Add, fake: FakeServerThread, secret: Path
) -> None:
    fake.server.api_key = KEY

    said = add("Fake", f"{fake.url}/v1", "--api-key-file", str(secret), kind="openai")

    backend = Backend.objects.get()
    assert "7 models" in said
    assert KEY not in said
    assert KEY not in str(Backend.objects.values_list().get())
    assert backend.endpoint().api_key.reveal() == KEY


def test_a_key_that_is_refused_is_stored_said_and_not_printed(
    add: Add, fake: FakeServerThread, secret: Path
) -> None:
    fake.server.api_key = "another"

    said = add("Fake", f"{fake.url}/v1", "--api-key-file", str(secret), kind="openai")

    assert "401: The key or password was rejected" in said
    assert KEY not in said
    assert "another" not in said
    assert Backend.objects.get().state == State.OFFLINE


def test_name_and_password_go_as_basic(add: Add, fake: FakeServerThread, secret: Path) -> None:
    add("Fake", fake.url, "--username", "hub", "--password-file", str(secret))

    assert Backend.objects.get().endpoint().password.reveal() == KEY
    assert fake.requests[0].headers["authorization"].startswith("Basic ")


def test_a_server_that_is_off_is_stored_and_the_next_step_is_said(add: Add, nowhere: str) -> None:
    said = add("Later", nowhere)

    assert "Nothing answers at this address" in said
    assert "OLLAMA_HOST" in said
    assert Backend.objects.get().state == State.OFFLINE


def test_the_same_name_changes_what_is_typed_and_keeps_the_rest(
    add: Add, fake: FakeServerThread, secret: Path
) -> None:
    add("Fake", fake.url, "--slots", "3", "--username", "hub", "--api-key-file", str(secret))
    group = Group.objects.create(name="family")
    backend = Backend.objects.get()
    backend.access, backend.stall_timeout = "groups", 33.0
    backend.save()
    backend.groups.add(group)

    add("Fake", f"{fake.url}/v1", kind="openai")

    changed = Backend.objects.get()
    assert (changed.pk, changed.slug, changed.kind) == (backend.pk, "fake", "openai")
    assert (changed.slots, changed.username, changed.access, changed.stall_timeout) == (
        3,
        "hub",
        "groups",
        33,
    )
    assert list(changed.groups.all()) == [group]
    assert changed.endpoint().api_key.reveal() == KEY
    add("Fake", f"{fake.url}/v1", "--slots", "5", "--username", "", kind="openai")
    assert Backend.objects.values_list("slots", "username").get() == (5, "")


def test_a_stored_key_is_not_sent_to_another_server(
    add: Add, fake: FakeServerThread, secret: Path, nowhere: str
) -> None:
    add("Fake", fake.url, "--api-key-file", str(secret))

    with pytest.raises(CommandError, match="The address changed") as error:
        add("Fake", nowhere)

    assert KEY not in str(error.value)
    assert Backend.objects.get().base_url == fake.url


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("Name", "ftp://127.0.0.1", ()), "base_url: Enter an address like http://"),
        (("Name", "http://me:pw@127.0.0.1", ()), "User name and password have their own fields"),
        (("Name", "http://", ()), "base_url: Enter an address"),
        (("x" * 61, "http://127.0.0.1", ()), "name: Ensure this value has at most 60 characters"),
        (("", "http://127.0.0.1", ()), "name: This field is required."),
        (("Name", "http://127.0.0.1", ("--slots", "-1")), "slots: Ensure this value is greater than"),
        (("Name", "http://127.0.0.1", ("--slots", "many")), "argument --slots: invalid int value: 'many'"),
        (("Name", "http://127.0.0.1", ("--api-key-file", "/no/such")), "/no/such: No such file or directory"),
        (("Name", "http://127.0.0.1", ("--password-file", "/")), "/: Is a directory"),
        (("Name", "http://127.0.0.1", ("--kind", "telnet")), "invalid choice: 'telnet'"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_stored(
    add: Add, arguments: tuple[str, str, tuple[str, ...]], sentence: str
) -> None:
    name, url, more = arguments

    with pytest.raises(CommandError) as error:
        add(name, url, *more)

    assert sentence in str(error.value)
    assert "pw@" not in str(error.value)
    assert not Backend.objects.exists()


def test_a_key_that_is_no_text_is_said(add: Add, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(CommandError, match="not text"):
        add("Name", "http://127.0.0.1", "--api-key-file", str(tmp_path / "key"))
