"""Credentials at rest, and what happens when the key that wrote them is gone."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from backends.crypto import CannotDecrypt, decrypt, encrypt
from backends.models import Backend
from backends.service import look_now
from privatechathub.checks import credentials_key_is_usable
from tests.fakes.thread import FakeServerThread

KEY = "sk-v3ry-s3cret"


@given(st.text(min_size=1))
def test_whatever_is_stored_comes_back(value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    stored = encrypt(value)

    assert decrypt(stored).reveal() == value
    assert encrypt(value) != stored


def test_nothing_stays_nothing() -> None:
    assert encrypt("") == ""
    assert not decrypt("")


@pytest.mark.parametrize("damage", [lambda s: s[:-4], lambda s: s[::-1], lambda s: "é", lambda s: KEY])
def test_what_was_changed_is_not_read(damage: Any) -> None:
    with pytest.raises(CannotDecrypt):
        decrypt(damage(encrypt(KEY)))


def test_another_key_reads_nothing_and_says_nothing(settings: Any) -> None:
    stored = encrypt(KEY)
    settings.CREDENTIALS_KEY = Fernet.generate_key().decode()

    with pytest.raises(CannotDecrypt) as error:
        decrypt(stored)

    assert KEY not in repr(error.value)
    assert error.value.__cause__ is None


@pytest.fixture
def rotated(db: None, fake: FakeServerThread, settings: Any) -> Backend:
    """A backend whose key was stored before somebody replaced the key file."""
    fake.server.api_key = KEY
    backend = Backend(name="Fake", kind="ollama", base_url=fake.url)
    backend.set_api_key(KEY)
    backend.save()
    settings.CREDENTIALS_KEY = Fernet.generate_key().decode()
    return backend


def test_after_a_rotation_the_server_is_not_asked_and_the_way_out_is_said(
    rotated: Backend, fake: FakeServerThread, as_ada: Client
) -> None:
    look = look_now(rotated)

    assert not look.ok
    assert str(look.error) == "The stored key or password cannot be read; enter it again."
    assert fake.requests == []
    for path in ("/", "/backends/", "/backends/fake/"):
        assert as_ada.get(path).status_code == 200


def test_typed_again_it_works(rotated: Backend, as_ada: Client) -> None:
    fields = {"name": "Fake", "kind": "ollama", "base_url": rotated.base_url, "api_key": KEY}

    as_ada.post("/backends/fake/", fields)

    assert look_now(Backend.objects.get()).ok


def test_a_key_that_is_none_is_said_at_the_start(settings: Any) -> None:
    assert credentials_key_is_usable() == []

    settings.CREDENTIALS_KEY = "not a key"

    (error,) = credentials_key_is_usable()
    assert error.id == "hub.E002"
    assert "not a key" not in str(error)
