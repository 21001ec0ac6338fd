"""The only module that reads the environment. Everything has a working default."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import environ
from cryptography.fernet import Fernet

BASE_DIR = Path(__file__).resolve().parent.parent


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


def read() -> Env:
    """Read `.env` and the environment, make the data folder and its keys on the first start."""
    env = environ.Env()
    env.read_env(str(BASE_DIR / ".env"), overwrite=False)
    data_dir = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).expanduser().resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Env(
        debug=env.bool("DEBUG", default=False),
        host=env.str("HOST", default="127.0.0.1"),
        port=env.int("PORT", default=8000),
        data_dir=data_dir,
        database_url=env.str("DATABASE_URL", default="") or f"sqlite:///{data_dir / 'hub.sqlite3'}",
        redis_url=env.str("REDIS_URL", default=""),
        secret_key=env.str("SECRET_KEY", default="")
        or key_file(data_dir / "secret.key", secrets.token_urlsafe),
        credentials_key=env.str("CREDENTIALS_KEY", default="")
        or key_file(data_dir / "credentials.key", lambda: Fernet.generate_key().decode()),
        allowed_hosts=tuple(env.list("ALLOWED_HOSTS", default=["*"])),
        trusted_origins=tuple(env.list("TRUSTED_ORIGINS", default=[])),
        behind_https=env.bool("BEHIND_HTTPS", default=False),
        language=env.str("LANGUAGE_CODE", default="en"),
        time_zone=env.str("TIME_ZONE", default=local_time_zone()),
        admin_username=env.str("HUB_ADMIN_USERNAME", default=""),
        admin_password=value_or_file(env, "HUB_ADMIN_PASSWORD"),
        builtin=env.str("HUB_BUILTIN", default="on").lower() not in {"off", "0", "false", "no"},
        builtin_model=env.str("HUB_BUILTIN_MODEL", default=""),
    )


def key_file(path: Path, make: object) -> str:
    """The key kept in that file, made once, readable by its owner only.

    The file appears complete or not at all (link() fails where it exists), so that two processes
    that start at the same time end up with the same key.
    """
    assert callable(make)  # noqa: S101
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


def value_or_file(env: environ.Env, name: str) -> str:
    """NAME, or the content of the file that NAME_FILE points to (secrets of containers)."""
    path = env.str(f"{name}_FILE", default="")
    if path:
        return Path(path).read_text().strip()
    return str(env.str(name, default=""))


def local_time_zone() -> str:
    """The machine's time zone by its IANA name, or UTC where it cannot be told."""
    link = Path("/etc/localtime")
    target = str(link.resolve()) if link.is_symlink() else ""
    name = target.partition("zoneinfo/")[2].removeprefix("posix/")
    return name or "UTC"
