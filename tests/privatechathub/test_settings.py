"""What Django is told when the owner sets nothing, and what each of their settings changes."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from typing import Any

import pytest

from privatechathub import env

Settings = dict[str, Any]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[..., Settings]:
    """The settings module as it comes out with these values in the environment."""
    monkeypatch.setattr(env.environ.Env, "read_env", lambda *_args, **_more: None)
    for name in ("DEBUG", "ALLOWED_HOSTS", "TRUSTED_ORIGINS", "BEHIND_HTTPS", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(**values: str) -> Settings:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(settings.BASE_DIR / "privatechathub" / "settings.py"))

    return run


def test_by_default_nothing_but_a_folder_is_needed(load: Callable[..., Settings]) -> None:
    settings = load()

    database = settings["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert database["NAME"] == str(settings["DATA_DIR"] / "hub.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert settings["CHANNEL_LAYERS"]["default"]["BACKEND"] == "channels.layers.InMemoryChannelLayer"
    assert "locmem" in settings["CACHES"]["default"]["BACKEND"]
    assert settings["DEBUG"] is False
    for folder in ("STATIC_ROOT", "MEDIA_ROOT"):
        assert settings[folder].parent == settings["DATA_DIR"]


def test_what_protects_people_is_on_by_default(load: Callable[..., Settings]) -> None:
    settings = load()

    assert settings["SESSION_COOKIE_HTTPONLY"]
    assert settings["CSRF_COOKIE_HTTPONLY"]
    assert settings["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert settings["X_FRAME_OPTIONS"] == "DENY"
    assert settings["SECURE_REFERRER_POLICY"] == "same-origin"
    assert settings["ACCOUNT_LOGOUT_ON_GET"] is False
    assert len(settings["AUTH_PASSWORD_VALIDATORS"]) == 3
    assert "SESSION_COOKIE_SECURE" not in settings  # plain http on the home network must work


def test_postgresql_and_redis_take_their_places(load: Callable[..., Settings]) -> None:
    settings = load(
        DATABASE_URL="postgres://hub:pw@127.0.0.1:5433/chat", REDIS_URL="redis://127.0.0.1:6379/1"
    )

    database = settings["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("127.0.0.1", 5433, "chat")
    assert "OPTIONS" not in database or "init_command" not in database["OPTIONS"]
    assert "redis" in settings["CHANNEL_LAYERS"]["default"]["BACKEND"]
    assert "redis" in settings["CACHES"]["default"]["BACKEND"]


def test_behind_https_cookies_never_go_without(load: Callable[..., Settings]) -> None:
    settings = load(BEHIND_HTTPS="on", TRUSTED_ORIGINS="https://chat.example.org")

    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://chat.example.org"]


def test_the_logs_hold_no_addresses_of_requests(load: Callable[..., Settings]) -> None:
    loggers = load()["LOGGING"]["loggers"]

    assert loggers["httpx"]["level"] == "WARNING"
    assert loggers["daphne"]["level"] == "WARNING"
