"""What the owner may set: defaults that work, and a plain sentence for what cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from privatechathub import env
from privatechathub.values import BadValue
from tests.live.process import ROOT

NAMES = (
    "DEBUG", "HOST", "PORT", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIALS_KEY", "ALLOWED_HOSTS",
    "TRUSTED_ORIGINS", "BEHIND_HTTPS", "LANGUAGE_CODE", "TIME_ZONE", "HUB_ADMIN_USERNAME",
    "HUB_ADMIN_USERNAME_FILE", "HUB_ADMIN_PASSWORD", "HUB_ADMIN_PASSWORD_FILE", "HUB_BUILTIN",
    "HUB_BUILTIN_MODEL", "MCP_COMMANDS",
)  # fmt: skip

Read = Callable[..., env.Env]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Read:
    """Read an environment that holds nothing but the given values, and no ``.env``."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(env.environ.Env, "read_env", lambda *_args, **_more: None)

    def read_with(**values: str) -> env.Env:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return env.read()

    return read_with


def test_nothing_has_to_be_set(read: Read, tmp_path: Path) -> None:
    values = read()

    assert (values.host, values.port, values.debug, values.behind_https) == (
        "127.0.0.1", 8000, False, False,
    )  # fmt: skip
    assert values.database_url == f"sqlite:///{tmp_path}/data/hub.sqlite3"
    assert (values.redis_url, values.allowed_hosts, values.trusted_origins) == ("", ("*",), ())
    assert (values.admin_username, values.admin_password) == ("", "")
    assert (values.builtin, values.builtin_model, values.language) == (True, "", "en")
    assert values.time_zone


def test_an_empty_value_is_as_good_as_none(read: Read) -> None:
    assert read() == read(**dict.fromkeys(NAMES, ""))


def test_what_is_set_is_taken(read: Read) -> None:
    values = read(
        HOST="0.0.0.0", PORT="9000", DATABASE_URL="postgres://hub:pw@127.0.0.1:5432/hub",
        REDIS_URL="redis://127.0.0.1:6379/0", TRUSTED_ORIGINS="https://a.example, https://b.example",
        ALLOWED_HOSTS="a.example", BEHIND_HTTPS="on", TIME_ZONE="Europe/Berlin", HUB_BUILTIN="OFF", DEBUG="1",
    )  # fmt: skip

    assert (values.host, values.port) == ("0.0.0.0", 9000)
    assert values.trusted_origins == ("https://a.example", "https://b.example")
    assert values.allowed_hosts == ("a.example",)
    assert (values.behind_https, values.builtin, values.debug) == (True, False, True)
    assert (values.redis_url, values.time_zone) == ("redis://127.0.0.1:6379/0", "Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "PORT is 'http', but must be a number from 1 to 65535."),
        ("PORT", "0", "PORT is '0', but must be a number from 1 to 65535."),
        ("PORT", "65536", "PORT is '65536', but must be a number from 1 to 65535."),
        ("PORT", "-1", "PORT is '-1', but must be a number from 1 to 65535."),
        ("PORT", "٨٠", "PORT is '٨٠', but must be a number from 1 to 65535."),
        ("PORT", "9" * 5000, "but must be a number from 1 to 65535."),
        ("DEBUG", "maybe", "DEBUG is 'maybe', but must be on or off."),
        ("BEHIND_HTTPS", "https", "BEHIND_HTTPS is 'https', but must be on or off."),
        ("HUB_BUILTIN", "of", "HUB_BUILTIN is 'of', but must be on or off."),
        ("DATABASE_URL", "mysql://h/d", "DATABASE_URL must look like postgres://"),
        ("DATABASE_URL", "hub.sqlite3", "DATABASE_URL must look like postgres://"),
        ("DATABASE_URL", "postgres://hub:s3cret@h:port/d", "DATABASE_URL must look like postgres://"),
        ("REDIS_URL", "127.0.0.1:6379", "REDIS_URL must look like redis://"),
        ("TIME_ZONE", "Berlin", "TIME_ZONE is 'Berlin', but must be the name of a time zone"),
        ("TIME_ZONE", "../../etc/passwd", "but must be the name of a time zone"),
        ("DATA_DIR", "/dev/null/data", "DATA_DIR is /dev/null/data, but that folder cannot be made"),
        ("HUB_ADMIN_PASSWORD_FILE", "/no/such", "HUB_ADMIN_PASSWORD_FILE is /no/such, but that file cannot"),
        ("HUB_ADMIN_USERNAME_FILE", "/", "HUB_ADMIN_USERNAME_FILE is /, but that file cannot be read"),
    ],
)
def test_a_value_that_cannot_be_is_named(read: Read, name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadValue) as error:
        read(**{name: value})

    assert sentence in str(error.value)
    assert "s3cret" not in str(error.value)


def test_the_command_line_says_it_without_a_traceback(tmp_path: Path) -> None:
    changed = {
        "DATA_DIR": str(tmp_path),
        "PORT": "http",
        "DJANGO_SETTINGS_MODULE": "privatechathub.settings",
    }
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | changed, check=False, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr == "PORT is 'http', but must be a number from 1 to 65535.\n"


# --- secrets --------------------------------------------------------------------------------------


def test_keys_are_made_once_and_are_their_owners_alone(read: Read, tmp_path: Path) -> None:
    first, second = read(), read()

    assert (first.secret_key, first.credentials_key) == (second.secret_key, second.credentials_key)
    assert len(first.secret_key) >= 43
    Fernet(first.credentials_key)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    for name in ("secret.key", "credentials.key"):
        assert (tmp_path / "data" / name).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["credentials.key", "secret.key"]


def test_keys_that_are_set_are_not_written_down(read: Read, tmp_path: Path) -> None:
    values = read(SECRET_KEY="of the owner", CREDENTIALS_KEY="too")

    assert (values.secret_key, values.credentials_key) == ("of the owner", "too")
    assert not list((tmp_path / "data").iterdir())


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    barrier, keys, numbers = threading.Barrier(8), [], iter(range(100))

    def make() -> str:
        barrier.wait(5)  # nobody has written yet
        return f"key {next(numbers)}"

    threads = [
        threading.Thread(target=lambda: keys.append(env.key_file(tmp_path / "key", make))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert len(keys) == 8
    assert set(keys) == {(tmp_path / "key").read_text()}
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_secret_may_come_from_a_file(read: Read, tmp_path: Path) -> None:
    name, password = tmp_path / "name", tmp_path / "password"
    name.write_text("root\n")
    password.write_text("$ix long words\n")

    values: Any = read(HUB_ADMIN_USERNAME_FILE=str(name), HUB_ADMIN_PASSWORD_FILE=str(password))

    assert (values.admin_username, values.admin_password) == ("root", "$ix long words")


def test_a_dollar_in_a_password_is_a_dollar(read: Read) -> None:
    values = read(HUB_ADMIN_USERNAME="root", HUB_ADMIN_PASSWORD="$HOME sweet home")

    assert values.admin_password == "$HOME sweet home"


def test_programs_are_listed_by_a_word_each(read: Read) -> None:
    values = read(MCP_COMMANDS='files=/usr/bin/mcp-files --root "/srv/my files"; time = /usr/bin/mcp-time;')

    assert values.mcp_commands == {
        "files": ("/usr/bin/mcp-files", "--root", "/srv/my files"),
        "time": ("/usr/bin/mcp-time",),
    }


@pytest.mark.parametrize("typed", ["/usr/bin/mcp-files", "files=", "two words=/bin/x", 'files="/bin/x'])
def test_a_list_of_programs_that_cannot_be_read_is_named(read: Read, typed: str) -> None:
    with pytest.raises(BadValue, match="MCP_COMMANDS must look like files="):
        read(MCP_COMMANDS=typed)
