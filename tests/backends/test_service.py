"""One look at a server: what it showed, what is kept of it, and the next step where it failed."""

from __future__ import annotations

import pytest

from backends.adapters.base import Capability, Endpoint, Health, ModelInfo, Secret
from backends.adapters.errors import (
    AuthFailed,
    CannotConnect,
    ErrorKind,
    Overloaded,
    RateLimited,
    WrongService,
)
from backends.adapters.http import Http
from backends.models import Backend, CatalogueModel, State
from backends.service import Look, hint_for, look_alone, look_at, record_look, refresh_now, replace_models
from tests.fakes.server import FakeServer
from tests.fakes.thread import FakeServerThread


def make(url: str = "http://127.0.0.1:9", kind: str = "ollama") -> Backend:
    return Backend.objects.create(name="Box", kind=kind, base_url=url)


# --- looking --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "path"), [("ollama", ""), ("openai", "/v1")])
async def test_a_look_shows_health_models_and_latency(kind: str, path: str) -> None:
    async with FakeServer() as fake:
        look = await look_alone(kind, Endpoint(fake.url + path))

    assert look.ok
    assert look.health is not None
    assert {info.id for info in look.models} == set(fake.models)
    assert 0 < look.latency_ms < 5000
    assert (look.error, look.hint) == (None, "")


@pytest.mark.parametrize("kind", ["ollama", "openai"])
async def test_a_refusal_is_a_look_too(kind: str, refusing: str) -> None:
    look = await look_alone(kind, Endpoint(refusing))

    assert not look.ok
    assert isinstance(look.error, CannotConnect)
    assert look.models == ()
    assert look.hint == hint_for(kind, look.error)


async def test_a_rejected_key_is_told(refusing: str) -> None:
    async with FakeServer(api_key="right") as fake:
        http = Http()
        wrong = await look_at("ollama", Endpoint(fake.url, api_key=Secret("wrong")), http)
        right = await look_at("ollama", Endpoint(fake.url, api_key=Secret("right")), http)
        await http.aclose()

    assert isinstance(wrong.error, AuthFailed)
    assert wrong.error.status == 401
    assert right.ok


@pytest.mark.parametrize("kind", ["ollama", "openai"])
async def test_a_web_page_is_not_taken_for_a_server(kind: str, printer: str) -> None:
    assert isinstance((await look_alone(kind, Endpoint(printer))).error, WrongService)


# --- the next step --------------------------------------------------------------------------------


def test_the_kinds_own_hint_beats_the_general_one() -> None:
    assert "OLLAMA_HOST" in hint_for("ollama", CannotConnect())
    assert "not Ollama" in hint_for("ollama", WrongService())
    assert "/v1" in hint_for("openai", WrongService())


def test_what_the_kind_knows_nothing_of_has_the_general_one() -> None:
    assert hint_for("ollama", RateLimited()) == RateLimited.default_hint


def test_the_hint_of_this_very_error_beats_both() -> None:
    assert hint_for("ollama", CannotConnect(hint="Look at the cable.")) == "Look at the cable."


# --- keeping --------------------------------------------------------------------------------------


def test_what_was_seen_is_kept(db: None, fake: FakeServerThread) -> None:
    backend = make(fake.url)

    assert refresh_now(backend).ok

    stored = Backend.objects.get()
    assert (stored.state, stored.version, stored.state_error, stored.state_message) == (
        State.ONLINE, "0.9.3", "", "",
    )  # fmt: skip
    assert stored.checked_at is not None
    thinking = stored.models.get(model_id="thinking")
    assert thinking.can(Capability.REASONING)
    assert thinking.context_length or thinking.max_context_length


def test_a_failure_keeps_the_models_and_the_version(db: None, fake: FakeServerThread) -> None:
    backend = make(fake.url)
    refresh_now(backend)
    fake.stop()

    refresh_now(backend)

    stored = Backend.objects.get()
    assert (stored.state, stored.state_error, stored.version) == (State.OFFLINE, ErrorKind.CONNECT, "0.9.3")
    assert stored.models.count() == 7


def test_a_state_is_as_old_as_its_first_look(db: None, fake: FakeServerThread) -> None:
    backend = make(fake.url)
    refresh_now(backend)
    online_since = Backend.objects.get().state_since
    refresh_now(backend)
    assert online_since is not None
    assert Backend.objects.get().state_since == online_since
    fake.stop()

    refresh_now(backend)
    offline_since = Backend.objects.get().state_since
    refresh_now(backend)

    assert offline_since is not None
    assert online_since < offline_since == Backend.objects.get().state_since


@pytest.mark.parametrize(
    ("state", "kind", "managed", "away"),
    [
        (State.OFFLINE, "connect", False, True),
        (State.OFFLINE, "timeout", False, True),
        (State.OFFLINE, "overloaded", False, True),
        (State.OFFLINE, "auth", False, False),
        (State.OFFLINE, "wrong_service", False, False),
        (State.OFFLINE, "connect", True, False),
        (State.ONLINE, "", False, False),
        (State.UNKNOWN, "", False, False),
    ],
)
def test_away_is_who_does_not_answer_and_may_come_back(
    state: State, kind: str, managed: bool, away: bool
) -> None:
    assert Backend(state=state, state_error=kind, managed=managed).is_away is away


def test_a_look_overwrites_nothing_that_was_changed_meanwhile(db: None) -> None:
    backend = make()
    Backend.objects.update(name="Renamed", enabled=False, base_url="http://127.0.0.1:10")

    record_look(backend, Look(health=Health(version="1", slots=4)))

    stored = Backend.objects.get()
    assert (stored.name, stored.enabled, stored.base_url) == ("Renamed", False, "http://127.0.0.1:10")
    assert (stored.reported_slots, stored.state) == (4, State.ONLINE)


def test_a_backend_that_was_deleted_meanwhile_stays_deleted(db: None) -> None:
    backend = make()
    Backend.objects.all().delete()

    record_look(backend, Look(health=Health(), models=(ModelInfo(id="m"),)))

    assert not Backend.objects.exists()
    assert not CatalogueModel.objects.exists()


def test_long_words_of_a_server_are_cut(db: None) -> None:
    backend = make()

    record_look(backend, Look(error=Overloaded("x" * 5000)))
    record_look(backend, Look(health=Health(version="v" * 5000)))

    stored = Backend.objects.get()
    assert len(stored.version) == 80
    backend.refresh_from_db()
    record_look(backend, Look(error=Overloaded("x" * 5000)))
    assert len(Backend.objects.get().state_message) == 400


def test_the_catalogue_follows_the_list(db: None) -> None:
    backend = make()
    replace_models(backend, (ModelInfo(id="a", family="old"), ModelInfo(id="b"), ModelInfo(id="c")))
    before = dict(backend.models.values_list("model_id", "pk"))

    replace_models(backend, (ModelInfo(id="c"), ModelInfo(id="a", family="new"), ModelInfo(id="d")))

    assert list(backend.models.order_by("position").values_list("model_id", flat=True)) == ["c", "a", "d"]
    assert backend.models.get(model_id="a").family == "new"
    assert backend.models.get(model_id="a").pk == before["a"]


def test_odd_lists_are_borne(db: None) -> None:
    backend = make()

    replace_models(
        backend,
        (
            ModelInfo(id="twice", name="first"),
            ModelInfo(id="twice", name="second"),
            ModelInfo(id=""),
            ModelInfo(id="x" * 251),
            ModelInfo(id="long", name="n" * 999, family="f" * 999, quantization="q" * 999, digest="d" * 999),
        ),
    )

    assert sorted(backend.models.values_list("model_id", flat=True)) == ["long", "twice"]
    replace_models(backend, ())
    assert not backend.models.exists()


def test_another_backends_models_are_left_alone(db: None) -> None:
    other = Backend.objects.create(name="Other", kind="ollama", base_url="http://127.0.0.1:9")
    replace_models(other, (ModelInfo(id="a"),))

    replace_models(make(), (ModelInfo(id="b"),))

    assert list(other.models.values_list("model_id", flat=True)) == ["a"]
