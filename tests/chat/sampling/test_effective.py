"""Which options a run is sent, and what pages say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from backends.adapters.messages import SamplingOptions
from backends.models import Backend, CatalogueModel
from chat.generation.sampling import Source, options_for, sampling_options, settings_for, taken_by
from chat.models import Conversation, Generation, Status
from chat.presenting.sent_options import sent_view
from chat.services.sending import Sent, send_message
from privatechathub.accounts.models import User
from tests.chat.page import Page, faults, read

Ask = Callable[..., Sent]
EVERY = set(SamplingOptions.__slots__)
COMMON = {"temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens"}


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("unused")]):
        yield


def model_at(kind: str, url: str = "http://127.0.0.1:9", **values: object) -> CatalogueModel:
    """A model of a new server."""
    options = values.pop("server", {})
    backend = Backend.objects.create(name=f"{kind} {url}", kind=kind, base_url=url, options=options)
    return CatalogueModel.objects.create(backend=backend, model_id="m", **values)


def talk_with(user: User, model: CatalogueModel, **values: object) -> Conversation:
    return Conversation(owner=user, backend=model.backend, model_id=model.model_id, **values)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "url", "server", "names"),
    [
        ("ollama", "http://h", {}, EVERY),
        ("openai", "http://h/v1", {}, COMMON | {"seed", "stop", "reasoning"}),
        ("openai-responses", "http://h/v1", {}, {"temperature", "top_p", "max_tokens", "reasoning"}),
        ("lmstudio", "http://h", {}, COMMON | {"seed", "stop", "context_length", "reasoning"}),
        ("opencode", "http://h", {}, {"reasoning"}),
        ("olla", "http://h/olla/ollama", {}, EVERY),
        ("olla", "http://h/olla/ollama/v1", {}, COMMON | {"seed", "stop", "reasoning"}),
        ("olla", "http://h", {}, COMMON | {"seed", "stop", "reasoning"}),
        ("ollm", "http://h", {}, {"temperature", "top_p", "max_tokens", "seed"}),
        ("ollm", "http://h", {"api": "session"}, {"temperature", "top_p", "top_k", "max_tokens", "seed"}),
        ("ollm", "http://h", {"api": "responses"}, {"temperature", "top_p", "max_tokens"}),
        ("telnet", "http://h", {}, set()),
    ],
)
def test_what_a_server_takes(kind: str, url: str, server: dict[str, str], names: set[str]) -> None:
    assert taken_by(model_at(kind, url, server=server)) == names


@pytest.mark.django_db
def test_a_model_that_does_not_think_is_not_told_how_much() -> None:
    assert "reasoning" not in taken_by(model_at("ollama", capabilities=["chat", "tools"]))
    assert "reasoning" in taken_by(model_at("lmstudio", capabilities=["chat", "reasoning"]))
    assert "reasoning" in taken_by(model_at("openai", capabilities=["chat"]))  # such servers seldom tell


def test_the_administrator_s_come_first_then_the_preset_then_the_conversation_s(alice: User) -> None:
    model = model_at("ollama", sampling={"temperature": 0.1, "top_k": 1, "seed": 7})
    talk = talk_with(alice, model, builtin_preset="balanced", options={"temperature": 1.5})

    assert options_for(talk, model) == {"temperature": 1.5, "top_k": 40, "top_p": 0.9, "seed": 7}
    assert {name: setting.source for name, setting in settings_for(talk, model).items()} == {
        "temperature": Source.OWN,
        "top_k": Source.PRESET,
        "top_p": Source.PRESET,
        "seed": Source.MODEL,
    }
    assert settings_for(talk, model, own=False)["temperature"].value == 0.7


def test_only_what_the_server_takes_is_sent_and_nothing_is_lost(alice: User) -> None:
    talk = talk_with(alice, model_at("ollama"), options={"top_k": 3, "reasoning": "off", "keep_alive": 60.0})
    elsewhere = model_at("opencode")

    assert options_for(talk, elsewhere) == {"reasoning": "off"}
    assert talk.options["top_k"] == 3


def test_a_preset_is_no_hotter_than_the_server_allows(alice: User) -> None:
    model = model_at("lmstudio")

    assert options_for(talk_with(alice, model, builtin_preset="creative"), model)["temperature"] == 1.0
    assert options_for(talk_with(alice, model, builtin_preset="precise"), model)["temperature"] == 0.3


@pytest.mark.parametrize(
    ("model_s", "server_s", "sent", "source"),
    [
        (
            {"context_length": 8192, "keep_alive": -1.0},
            {},
            {"context_length": 8192, "keep_alive": -1.0},
            Source.MODEL,
        ),
        ({}, {"num_ctx": "8192", "keep_alive": "30m"}, {}, Source.SERVER),
        (
            {"context_length": 4096},
            {"num_ctx": "8192"},
            {"context_length": 4096, "keep_alive": 0.0},
            Source.MODEL,
        ),
        ({}, {}, {"context_length": 1024, "keep_alive": 0.0}, Source.OWN),
    ],
)
def test_what_a_model_is_loaded_for_is_the_administrator_s_where_they_set_it(
    alice: User, model_s: dict[str, object], server_s: dict[str, str], sent: dict[str, object], source: Source
) -> None:
    model = model_at("ollama", sampling=model_s, server=server_s)
    talk = talk_with(alice, model, options={"context_length": 1024, "keep_alive": 0.0})

    assert options_for(talk, model) == sent
    assert settings_for(talk, model)["context_length"].source is source


def test_stored_options_become_those_of_a_request() -> None:
    options = sampling_options(
        {"stop": ["END"], "reasoning": "low", "keep_alive": -1.0, "top_k": None, "x": 1}
    )

    assert options == SamplingOptions(stop=("END",), reasoning="low", keep_alive=-1.0)


# --- pages ----------------------------------------------------------------------------------------


@pytest.fixture
def talk(ask: Ask) -> Conversation:
    sent = ask()
    Generation.objects.update(status=Status.COMPLETED)
    return sent.conversation


def settings_page(browser: Client, talk: Conversation) -> Page:
    response = browser.get(f"{talk.get_absolute_url()}settings/")
    assert faults(response) == []
    return read(response)


def fields(page: Page) -> set[str]:
    """The options that a page has fields for."""
    return EVERY & {tag.attributes.get("name", "") for tag in page.tags}


def move(talk: Conversation, model: CatalogueModel) -> None:
    Conversation.objects.filter(pk=talk.pk).update(backend=model.backend, model_id=model.model_id)


def test_the_page_shows_what_the_model_s_server_takes_and_changes_with_the_model(
    as_alice: Client, talk: Conversation
) -> None:
    url = f"{talk.get_absolute_url()}settings/"
    move(talk, model_at("ollama"))
    assert fields(settings_page(as_alice, talk)) == EVERY
    as_alice.post(url, {"top_k": "3", "keep_alive": "1800", "reasoning": "high", "preset": "code"})

    move(talk, model_at("opencode"))
    page = settings_page(as_alice, talk)
    assert fields(page) == {"reasoning"}
    assert [tag.attributes["data-option"] for tag in page.tags if "data-option" in tag.attributes] == [
        "reasoning"
    ]
    assert "Top-k" in page.one(id="left-out").text
    as_alice.post(url, {"reasoning": "low", "preset": "code"})

    stored = Conversation.objects.get(pk=talk.pk)
    assert stored.options == {"top_k": 3, "keep_alive": 1800.0, "reasoning": "low"}
    assert stored.builtin_preset == "code"


def test_the_page_says_what_is_really_sent_and_whose_it_is(as_alice: Client, talk: Conversation) -> None:
    move(
        talk,
        model_at("ollama", sampling={"seed": 1000, "context_length": 8192}, server={"keep_alive": "30m"}),
    )
    as_alice.post(f"{talk.get_absolute_url()}settings/", {"preset": "creative", "temperature": "0.5"})

    page = settings_page(as_alice, talk)
    rows = [tag for tag in page.tags if {"dl", "dd"} <= tag.inside and tag.name == "span"]
    said = [tag.text for tag in rows]
    assert said == [
        "0.5", "set here", "0.95", "from “Creative”", "60", "from “Creative”", "1000",
        "an administrator’s, for this model", "8192", "an administrator’s, for this model", "30m",
        "an administrator’s, for the whole server",
    ]  # fmt: skip
    assert "Context window, Stays loaded" in page.one(id="fixed-options").text
    assert not {"context_length", "keep_alive"} & fields(page)
    assert page.one("input", name_="seed").attributes["placeholder"] == "1000"


def test_the_page_tells_the_window_that_the_hub_asks_for(as_alice: Client, talk: Conversation) -> None:
    model = model_at("ollama", max_context_length=4096)
    move(talk, model)
    window = [
        tag
        for tag in settings_page(as_alice, talk).tags
        if tag.attributes.get("data-option") == "context_length"
    ]
    assert len(window) == 1
    seen = sent_view(Conversation.objects.get(pk=talk.pk), model).options
    assert [(option.value, option.source) for option in seen] == [("4096", "the hub’s usual one")]

    as_alice.post(f"{talk.get_absolute_url()}settings/", {"context_length": "100000"})
    seen = sent_view(Conversation.objects.get(pk=talk.pk), model).options
    assert [(option.value, option.source) for option in seen] == [("4096", "as far as the model can")]


def test_a_person_cannot_send_another_window_than_the_administrator_s(
    as_alice: Client, alice: User, ask: Ask, talk: Conversation
) -> None:
    CatalogueModel.objects.update(sampling={"context_length": 8192})

    as_alice.post(f"{talk.get_absolute_url()}settings/", {"context_length": "512", "top_k": "3"})
    sent = ask("And?", Conversation.objects.get(pk=talk.pk))

    assert sent.generation.options == {"context_length": 8192, "top_k": 3}
    assert Conversation.objects.get(pk=talk.pk).options == {"top_k": 3}


def test_another_model_is_sent_its_own(alice: User, ask: Ask, talk: Conversation) -> None:
    CatalogueModel.objects.update(sampling={"temperature": 0.1})
    other = model_at("opencode", sampling={"temperature": 0.2, "reasoning": "low"})

    sent = send_message(alice, talk, "And?", other.ref, "key")

    assert sent.generation.options == {"reasoning": "low"}


def test_an_administrator_sets_the_defaults_of_a_model(as_ada: Client, as_bob: Client, demo: Backend) -> None:
    model = CatalogueModel.objects.get()
    page = as_ada.get(f"/models/{model.pk}/")
    assert faults(page) == []
    assert fields(read(page)) == EVERY

    saved = as_ada.post(f"/models/{model.pk}/sampling/", {"context_length": "8192", "keep_alive": "-1"})
    assert saved["Location"] == f"/models/{model.pk}/"
    model.refresh_from_db()
    assert model.sampling == {"context_length": 8192, "keep_alive": -1.0}

    wrong = as_ada.post(f"/models/{model.pk}/sampling/", {"temperature": "9"})
    assert wrong.status_code == 422
    assert as_bob.post(f"/models/{model.pk}/sampling/", {"temperature": "1"}).status_code == 403
    assert not fields(read(as_bob.get(f"/models/{model.pk}/")))
    model.refresh_from_db()
    assert model.sampling == {"context_length": 8192, "keep_alive": -1.0}


def test_a_model_with_defaults_is_kept_when_its_server_loses_it(demo: Backend) -> None:
    assert CatalogueModel.objects.undecided().exists()
    CatalogueModel.objects.update(sampling={"seed": 1})
    assert not CatalogueModel.objects.undecided().exists()


def test_a_waiting_message_that_goes_to_another_model_takes_that_one_s_options(
    as_alice: Client, ask: Ask, demo: Backend
) -> None:
    sent = ask()
    Generation.objects.update(awaits_server=True, options={"temperature": 0.1})
    CatalogueModel.objects.create(backend=demo, model_id="other", sampling={"seed": 5})

    as_alice.post(f"/messages/{sent.answer.pk}/waiting/model/", {"other": "demo/other"})

    generation = Generation.objects.get()
    assert (generation.model_id, generation.options) == ("other", {"seed": 5})
