"""What can be set for a server beyond its address: declared by its adapter, checked, kept, sent."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from backends.adapters.messages import ChatMessage, ChatRequest, Role, SamplingOptions
from backends.adapters.ollama_wire import chat_body, kept_alive
from backends.adapters.options import MAX_VALUE, Option, OptionType
from backends.adapters.registry import KINDS, adapter_class
from backends.models import Backend
from backends.options import clean_option, clean_options, options_of, read_lines, write_lines
from tests.chat.page import Page, faults, read
from tests.fakes.thread import FakeServerThread

ADAPTERS = Path(__file__).parents[2] / "backends" / "adapters"
PUBLIC = [kind for kind, facts in KINDS.items() if facts.public]


def fields(url: str, **more: str) -> dict[str, str]:
    return {"name": "Box", "kind": "ollama", "base_url": url, "access": "everyone", "enabled": "on", **more}


@pytest.fixture
def box(db: None, fake: FakeServerThread) -> Backend:
    return Backend.objects.create(name="Box", kind="ollama", base_url=fake.url, options={"keep_alive": "30m"})


def shown(page: Page) -> set[str]:
    """The options that a page has fields for."""
    named = {tag.attributes.get("name", "") for tag in page.tags}
    return {name.removeprefix("option_") for name in named if name.startswith("option_")}


# --- declared -------------------------------------------------------------------------------------


def test_every_option_that_an_adapter_looks_for_is_declared_and_no_other() -> None:
    code = "\n".join(path.read_text() for path in ADAPTERS.glob("*.py"))
    looked_for = set(re.findall(r'(?:\boptions|settings)\.get\(\s*"(\w+)"', code))
    declared = {option.name for kind in KINDS for option in options_of(kind)}

    assert declared == looked_for
    assert len(declared) >= 12


@pytest.mark.parametrize("kind", PUBLIC)
def test_options_of_a_kind_can_be_told_apart(kind: str) -> None:
    options = adapter_class(kind).options

    assert (
        len({option.name for option in options}) == len({option.label for option in options}) == len(options)
    )
    for option in options:
        assert bool(option.choices) is (option.type is OptionType.CHOICE)
        assert len(option.name) <= 20


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("ollama", {"think_tags", "keep_alive", "num_ctx"}),
        ("lmstudio", {"store", "integrations", "think_tags"}),
        ("opencode", {"tools", "asks", "agent", "variant", "directory"}),
        ("openai", {"think_tags", "progress"}),
        ("openai-responses", {"store", "think_tags"}),
        ("ollm", {"api", "store", "think_tags"}),
        ("olla", {"think_tags", "progress", "keep_alive", "num_ctx"}),
    ],
)
def test_each_kind_has_its_own(kind: str, names: set[str]) -> None:
    assert {option.name for option in options_of(kind)} == names


def test_an_unknown_kind_has_none() -> None:
    assert options_of("telnet") == ()


# --- checked --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("ollama", "keep_alive", "30m"),
        ("ollama", "keep_alive", "1h30m"),
        ("ollama", "keep_alive", "-1"),
        ("ollama", "keep_alive", "0"),
        ("ollama", "num_ctx", "8192"),
        ("ollm", "api", "session"),
        ("lmstudio", "integrations", "mcp/files, mcp/web"),
        ("opencode", "directory", "/home/me/a project"),
        ("opencode", "tools", "ask"),
    ],
)
def test_what_a_server_takes_is_kept(kind: str, name: str, value: str) -> None:
    assert clean_options(kind, {name: f" {value} "}) == {name: value}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("ollama", "keep_alive", "soon"),
        ("ollama", "keep_alive", "5 m"),
        ("ollama", "num_ctx", "12"),
        ("ollama", "num_ctx", "8k"),
        ("ollama", "num_ctx", "1" * 12),
        ("ollama", "truncate", "on"),
        ("ollm", "api", "telepathy"),
        ("lmstudio", "integrations", "files"),
        ("lmstudio", "integrations", "mcp/a,,mcp/b"),
        ("opencode", "directory", "/a\nb"),
        ("opencode", "agent", "x" * (MAX_VALUE + 1)),
        ("opencode", "tools", "everything"),
        ("opencode", "keep_alive", "30m"),
        ("telnet", "speed", "9600"),
    ],
)
def test_what_it_does_not_take_is_refused_by_name(kind: str, name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        clean_options(kind, {name: value})


def test_an_empty_value_is_none() -> None:
    assert clean_options("ollama", {"keep_alive": "  "}) == {}
    assert clean_option(Option("a", "A"), " ") == ""


def test_lines_are_read_as_they_are_written() -> None:
    options = {"directory": "/a=b", "tools": "ask"}

    assert read_lines(write_lines(options).splitlines()) == options
    assert read_lines(["", " agent = plan "]) == {"agent": "plan"}
    with pytest.raises(ValidationError, match="agent: write name=value"):
        read_lines(["agent"])


# --- sent -----------------------------------------------------------------------------------------

HELLO = ChatRequest(model="m", messages=(ChatMessage.of(Role.USER, "Hello"),))


@pytest.mark.parametrize(
    ("value", "wire"), [("30m", "30m"), ("300", 300), ("-1", -1), ("0", 0), ("-1m", "-1m"), ("", None)]
)
def test_ollama_takes_seconds_only_as_a_number(value: str, wire: object) -> None:
    assert kept_alive({"keep_alive": value}) == wire
    assert chat_body(HELLO, {"keep_alive": value}).get("keep_alive") == wire


def test_a_conversation_s_own_window_beats_that_of_the_server() -> None:
    own = ChatRequest(model="m", messages=HELLO.messages, sampling=SamplingOptions(context_length=4096))

    assert chat_body(HELLO, {"num_ctx": "8192"})["options"] == {"num_ctx": 8192}
    assert chat_body(own, {"num_ctx": "8192"})["options"] == {"num_ctx": 4096}
    assert "options" not in chat_body(HELLO, {})


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", PUBLIC)
def test_the_form_has_a_field_for_each_option_of_the_kind(as_ada: Client, kind: str) -> None:
    page = as_ada.get(f"/backends/add/?kind={kind}")

    assert shown(read(page)) == {option.name for option in options_of(kind)}
    assert faults(page) == []


@pytest.mark.django_db
def test_another_kind_brings_its_own_fields_and_takes_nothing_along(as_ada: Client) -> None:
    choosing = read(as_ada.get("/backends/add/")).one("select", id="id_kind").attributes
    assert choosing["hx-get"] == "/backends/add/options/"
    assert "hx-include" not in choosing  # a typed key must not stand in an address

    fragment = read(as_ada.get("/backends/add/options/?kind=opencode", headers={"HX-Request": "true"}))
    assert shown(fragment) == {option.name for option in options_of("opencode")}
    assert fragment.faults == []
    assert shown(read(as_ada.get("/backends/add/options/?kind=telnet"))) == set()


def test_options_are_stored_shown_and_taken_back(as_ada: Client, box: Backend) -> None:
    page = read(as_ada.get("/backends/box/"))
    assert page.one(id="id_option_keep_alive").attributes["value"] == "30m"

    as_ada.post("/backends/box/", fields(box.base_url, option_num_ctx="8192", option_keep_alive="5m"))
    assert Backend.objects.get().options == {"num_ctx": "8192", "keep_alive": "5m"}
    assert Backend.objects.get().endpoint().options == {"num_ctx": "8192", "keep_alive": "5m"}


def test_a_value_that_does_not_fit_is_explained_and_not_stored(as_ada: Client, box: Backend) -> None:
    response = as_ada.post("/backends/box/", fields(box.base_url, option_keep_alive="soon"))

    assert response.status_code == 422
    page = response.content.decode()
    assert "For example 30m or 2h" in page
    assert 'value="soon"' in page
    assert Backend.objects.get().options == {"keep_alive": "30m"}


def test_options_of_the_kind_before_do_not_stay(as_ada: Client, box: Backend) -> None:
    change = fields(box.base_url, kind="openai", option_keep_alive="30m", option_think_tags="off")

    as_ada.post("/backends/box/", change)

    assert Backend.objects.get().options == {"think_tags": "off"}


def test_the_built_in_model_keeps_what_the_hub_set(as_ada: Client, db: None) -> None:
    Backend.objects.create(
        name="Built-in", kind="openai", managed=True, base_url="builtin:", options={"progress": "on"}
    )

    assert shown(read(as_ada.get("/backends/built-in/"))) == set()
    as_ada.post("/backends/built-in/", {"name": "Small", "access": "everyone", "enabled": "on"})
    assert (Backend.objects.get().name, Backend.objects.get().options) == ("Small", {"progress": "on"})


# --- Django's admin, and a shell ------------------------------------------------------------------


def admin_values(box: Backend, **more: str) -> dict[str, str]:
    limits = {"connect_timeout": "5", "first_byte_timeout": "330", "stall_timeout": "120"}
    return {"name": "Box", "kind": box.kind, "base_url": box.base_url, "access": "everyone", **limits, **more}


def test_the_admin_shows_and_stores_them_as_lines(as_ada: Client, box: Backend) -> None:
    path = f"/admin/backends/backend/{box.pk}/change/"
    page = read(as_ada.get(path))
    assert page.one(id="id_option_lines").text.strip() == "keep_alive=30m"

    as_ada.post(path, admin_values(box, option_lines="num_ctx=4096\nkeep_alive=5m"))
    assert Backend.objects.get().options == {"num_ctx": "4096", "keep_alive": "5m"}

    refused = as_ada.post(path, admin_values(box, option_lines="colour=red")).content.decode()
    assert "colour: no such option. There are: keep_alive, num_ctx" in refused
    assert Backend.objects.get().options == {"num_ctx": "4096", "keep_alive": "5m"}


def run(url: str, *more: str, kind: str = "ollama") -> str:
    out = io.StringIO()
    call_command("add_backend", "Box", "--kind", kind, "--url", url, *more, stdout=out)
    return out.getvalue()


def test_a_shell_sets_adds_and_takes_back(box: Backend) -> None:
    run(box.base_url, "--option", "num_ctx=8192")
    assert Backend.objects.get().options == {"keep_alive": "30m", "num_ctx": "8192"}

    run(box.base_url, "--option", "keep_alive=", "--option", "num_ctx=4096")
    assert Backend.objects.get().options == {"num_ctx": "4096"}

    run(box.base_url, "--option", "think_tags=off", kind="openai")
    assert Backend.objects.get().options == {"think_tags": "off"}


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("num_ctx=much", "num_ctx: Enter a whole number from 256."),
        ("shift=on", "shift: no such option. There are: keep_alive, num_ctx, think_tags."),
        ("colour", "colour: write name=value."),
    ],
)
def test_a_shell_hears_what_is_wrong(box: Backend, option: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run(box.base_url, "--option", option)

    assert Backend.objects.get().options == {"keep_alive": "30m"}
