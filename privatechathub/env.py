"""The only module that reads the environment. Everything has a working default."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import environ
from cryptography.fernet import Fernet

from privatechathub import values

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASES = ("postgres://USER:PASSWORD@HOST:5432/NAME", "postgresql://…", "sqlite:///FILE")
REDIS = ("redis://HOST:6379/0", "rediss://…", "unix://…")


@dataclass(frozen=True, slots=True)
class Env:
    """What the owner set, with defaults filled in."""

    debug: bool
    host: str
    port: int
    data_dir: Path
    database_url: str
    redis_url: str
    secret_key: str
    credentials_key: str
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    behind_https: bool
    language: str
    time_zone: str
    admin_username: str
    admin_password: str
    builtin: bool
    builtin_model: str
    mcp_commands: dict[str, tuple[str, ...]]


def read() -> Env:
    """Read `.env` and the environment, make the data folder and its keys on the first start.

    Raises BadValue, whose text tells the owner which value is wrong.
    """
    environ.Env.read_env(str(BASE_DIR / ".env"), overwrite=False)
    data_dir = values.folder(
        "DATA_DIR", Path(text("DATA_DIR") or str(BASE_DIR / "data")).expanduser().resolve()
    )
    return Env(
        debug=values.switch("DEBUG", text("DEBUG"), False),
        host=text("HOST") or "127.0.0.1",
        port=values.port("PORT", text("PORT"), 8000),
        data_dir=data_dir,
        database_url=values.address("DATABASE_URL", text("DATABASE_URL"), *DATABASES)
        or f"sqlite:///{data_dir / 'hub.sqlite3'}",
        redis_url=values.address("REDIS_URL", text("REDIS_URL"), *REDIS),
        secret_key=text("SECRET_KEY") or key_file(data_dir / "secret.key", secrets.token_urlsafe),
        credentials_key=text("CREDENTIALS_KEY")
        or key_file(data_dir / "credentials.key", lambda: Fernet.generate_key().decode()),
        allowed_hosts=values.words(text("ALLOWED_HOSTS")) or ("*",),
        trusted_origins=values.words(text("TRUSTED_ORIGINS")),
        behind_https=values.switch("BEHIND_HTTPS", text("BEHIND_HTTPS"), False),
        language=text("LANGUAGE_CODE") or "en",
        time_zone=values.time_zone("TIME_ZONE", text("TIME_ZONE")) or local_time_zone(),
        admin_username=text_or_file("HUB_ADMIN_USERNAME"),
        admin_password=text_or_file("HUB_ADMIN_PASSWORD"),
        builtin=values.switch("HUB_BUILTIN", text("HUB_BUILTIN"), True),
        builtin_model=text("HUB_BUILTIN_MODEL"),
        mcp_commands=values.commands("MCP_COMMANDS", text("MCP_COMMANDS")),
    )


def text(name: str) -> str:
    """The value as it was typed: no ``$`` in a password stands for another variable."""
    return os.environ.get(name, "")


def text_or_file(name: str) -> str:
    """NAME, or the content of the file that NAME_FILE points to (secrets of containers)."""
    path = text(f"{name}_FILE")
    return values.content(f"{name}_FILE", path) if path else text(name)


def key_file(path: Path, make: Callable[[], str]) -> str:
    """The key kept in that file, made once, readable by its owner only.

    The file appears complete or not at all (link() fails where it exists), so that two processes
    that start at the same time end up with the same key.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def local_time_zone() -> str:
    """The machine's time zone by its IANA name, or UTC where it cannot be told."""
    link = Path("/etc/localtime")
    target = str(link.resolve()) if link.is_symlink() else ""
    name = target.partition("zoneinfo/")[2].removeprefix("posix/")
    return name or "UTC"
