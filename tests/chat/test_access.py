"""Every address, by everybody, with every method. A new address without a line in the table fails here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from backends.models import Backend, CatalogueModel, Search
from backends.pulls.service import start_pull
from chat.models import (
    Activity,
    Ask,
    Conversation,
    Generation,
    Import,
    McpServer,
    Message,
    Notice,
    Project,
    ProjectRevision,
    SamplingPreset,
    Status,
    Step,
    SystemPrompt,
    Told,
    UpcomingQuestion,
)
from chat.services.comparing import Wish, begin_comparison
from chat.services.project_files import add as add_files
from chat.services.sending import Sent
from privatechathub.accounts import setup
from privatechathub.accounts.models import Invitation, User
from tests.chat.attachments.pictures import attach_picture, upload
from tests.conftest import signed_in

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READ = frozenset({"GET", "HEAD"})
FORM = READ | {"POST"}
POST = frozenset({"POST"})


class For(StrEnum):
    """Who may come in."""

    PERSON = "whoever is signed in"
    OWNER = "whom it belongs to"
    ADMIN = "administrators"
    ANYBODY = "whoever has the token"


@dataclass(frozen=True)
class Door:
    """One address: for whom, by which methods, and what is posted there."""

    who: For
    methods: frozenset[str]
    data: dict[str, str] = field(default_factory=dict)


QUESTION = {"text": "And?", "model": "demo/play"}
SERVER = {"name": "Other", "kind": "ollama", "base_url": "http://127.0.0.1:9", "access": "everyone"}
PROJECT = {"name": "Balcony", "colour": "red", "icon": "sun"}
MCP = {
    "name": "Tools",
    "kind": "http",
    "url": "http://127.0.0.1:9/mcp",
    "timeout": "5",
    "access": "everyone",
}

DOORS = {
    "chat:new": Door(For.PERSON, READ),
    "chat:new-alias": Door(For.PERSON, READ),
    "chat:create": Door(For.PERSON, POST, QUESTION),
    "chat:sidebar": Door(For.PERSON, READ),
    "chat:conversation": Door(For.OWNER, READ),
    "chat:send": Door(For.OWNER, POST, QUESTION),
    "chat:draft-new": Door(For.PERSON, POST, {"text": "Why"}),
    "chat:draft": Door(For.OWNER, POST, {"text": "Why"}),
    "chat:upcoming-send": Door(For.OWNER, POST),
    "chat:upcoming-edit": Door(For.OWNER, FORM, {"text": "What else?"}),
    "chat:upcoming-remove": Door(For.OWNER, POST),
    "chat:temporary": Door(For.PERSON, READ),
    "chat:compare": Door(For.PERSON, FORM, {"text": "Hi", "model-0": "demo/play", "model-1": "demo/play"}),
    "chat:comparison": Door(For.OWNER, READ),
    "chat:comparison-send": Door(For.OWNER, POST, QUESTION),
    "chat:comparison-stop": Door(For.OWNER, POST),
    "chat:comparison-vote": Door(For.OWNER, POST, {"best": "none"}),
    "chat:comparison-keep": Door(For.OWNER, FORM),
    "chat:comparison-export": Door(For.OWNER, READ),
    "chat:stop": Door(For.OWNER, POST),
    "chat:menu": Door(For.OWNER, READ),
    "chat:line": Door(For.OWNER, READ),
    "chat:pin": Door(For.OWNER, POST, {"on": "1"}),
    "chat:archive": Door(For.OWNER, POST, {"on": "1"}),
    "chat:tags": Door(For.OWNER, FORM, {"tags": "travel, France"}),
    "chat:conversations": Door(For.PERSON, READ),
    "chat:conversations-change": Door(For.PERSON, POST, {"action": "delete"}),
    "chat:restore": Door(For.PERSON, POST, {"moment": "2026-01-01T00:00:00+00:00"}),
    "chat:find": Door(For.OWNER, READ),
    "chat:search": Door(For.PERSON, READ),
    "chat:search-quick": Door(For.PERSON, READ),
    "chat:switcher": Door(For.PERSON, READ),
    "chat:rename": Door(For.OWNER, POST, {"title": "Mine now"}),
    "chat:delete": Door(For.OWNER, FORM),
    "chat:settings": Door(For.OWNER, FORM, {"system_prompt": "Say yes.", "temperature": "1"}),
    "chat:conversation-project": Door(For.OWNER, FORM),
    "chat:projects": Door(For.PERSON, READ),
    "chat:project-add": Door(For.PERSON, FORM, PROJECT),
    "chat:project": Door(For.OWNER, READ),
    "chat:project-edit": Door(For.OWNER, FORM, PROJECT),
    "chat:project-memory": Door(For.OWNER, FORM, {"memory": "New."}),
    "chat:project-tools": Door(For.OWNER, FORM, {"switch-*": "on"}),
    "chat:project-files": Door(For.OWNER, FORM),
    "chat:project-file-remove": Door(For.OWNER, POST),
    "chat:project-archive": Door(For.OWNER, POST, {"away": "1"}),
    "chat:project-pin": Door(For.OWNER, POST, {"on_top": "1"}),
    "chat:project-delete": Door(For.OWNER, FORM, {"conversations": "keep"}),
    "chat:project-restore": Door(For.OWNER, POST),
    "chat:conversation-tools": Door(For.OWNER, FORM, {"switch-*": "on"}),
    "chat:context": Door(For.OWNER, FORM, {"overflow": "drop"}),
    "chat:carry-on": Door(For.OWNER, POST),
    "chat:context-choice": Door(For.OWNER, POST),
    "chat:message-leave-out": Door(For.OWNER, POST),
    "chat:cut": Door(For.OWNER, FORM, {"summary": "Theirs."}),
    "chat:cut-remove": Door(For.OWNER, POST),
    "chat:tools": Door(For.PERSON, FORM, {"switch-*": "on"}),
    "chat:tool-calls": Door(For.PERSON, READ),
    "chat:internet": Door(For.ADMIN, FORM),
    "chat:contacts": Door(For.PERSON, READ),
    "chat:inbox": Door(For.PERSON, READ),
    "chat:inbox-news": Door(For.PERSON, READ),
    "chat:inbox-read": Door(For.PERSON, POST),
    "chat:inbox-clear": Door(For.PERSON, POST),
    "chat:message-retry": Door(For.OWNER, POST),
    "chat:message-continue": Door(For.OWNER, POST),
    "chat:message": Door(For.OWNER, READ),
    "chat:message-menu": Door(For.OWNER, READ),
    "chat:message-show": Door(For.OWNER, POST),
    "chat:message-edit": Door(For.OWNER, FORM, {"text": "Paris, of course."}),
    "chat:message-fork": Door(For.OWNER, POST),
    "chat:message-delete": Door(For.OWNER, POST),
    "chat:undo": Door(For.OWNER, POST),
    "chat:message-raw": Door(For.OWNER, READ),
    "chat:message-details": Door(For.OWNER, READ),
    "chat:receipt": Door(For.OWNER, READ),
    "chat:receipt-part": Door(For.OWNER, READ),
    "chat:generation-repeat": Door(For.OWNER, POST),
    "chat:compare-answers": Door(For.OWNER, READ),
    "chat:print": Door(For.OWNER, READ),
    "chat:export": Door(For.OWNER, READ),
    "chat:transfer": Door(For.PERSON, READ),
    "chat:export-all": Door(For.PERSON, POST, {"as": "md"}),
    "chat:import-file": Door(For.PERSON, POST),
    "chat:import": Door(For.OWNER, FORM),
    "chat:import-cancel": Door(For.OWNER, POST),
    "chat:ask-answer": Door(For.OWNER, POST, {"verdict": "once"}),
    "chat:activity-output": Door(For.OWNER, READ),
    "chat:activity-image": Door(For.OWNER, READ),
    "chat:attachment": Door(For.OWNER, READ),
    "chat:attachment-read": Door(For.OWNER, READ),
    "chat:attachment-text": Door(For.OWNER, READ),
    "chat:attachment-thumbnail": Door(For.OWNER, READ),
    "chat:waiting-send": Door(For.OWNER, POST),
    "chat:waiting-model": Door(For.OWNER, POST, {"other": "demo/play"}),
    "chat:waiting-edit": Door(For.OWNER, FORM, {"text": "What else?"}),
    "chat:model-health": Door(For.PERSON, READ),
    "chat:models": Door(For.PERSON, READ),
    "chat:model-wishes": Door(For.PERSON, POST, {"favourite": "demo/play"}),
    "chat:model": Door(For.PERSON, READ),
    "chat:model-rules": Door(For.ADMIN, POST, {"alias": "Ours", "access": "admins"}),
    "chat:model-sampling": Door(For.ADMIN, POST, {"temperature": "0.5"}),
    "chat:start": Door(For.PERSON, READ),
    "chat:prompts": Door(For.PERSON, READ),
    "chat:prompt-add": Door(For.PERSON, FORM, {"name": "Poet", "text": "In rhymes."}),
    "chat:prompt": Door(For.OWNER, FORM, {"name": "Poet", "text": "In rhymes."}),
    "chat:prompt-copy": Door(For.OWNER, POST),
    "chat:prompt-delete": Door(For.OWNER, FORM),
    "chat:preset-rename": Door(For.OWNER, POST, {"name": "Wild"}),
    "chat:preset-delete": Door(For.OWNER, POST),
    "chat:backends": Door(For.ADMIN, READ),
    "chat:backend-add": Door(For.ADMIN, FORM, SERVER),
    "chat:backend-options": Door(For.ADMIN, READ),
    "chat:backend-edit": Door(For.ADMIN, FORM, SERVER),
    "chat:backend-test": Door(For.ADMIN, POST, SERVER),
    "chat:backend-delete": Door(For.ADMIN, FORM),
    "chat:backend-models": Door(For.ADMIN, READ),
    "chat:backend-downloads": Door(For.ADMIN, READ),
    "chat:backend-memory": Door(For.ADMIN, READ),
    "chat:backend-pull": Door(For.ADMIN, POST, {"name": "qwen3:8b"}),
    "chat:backend-load": Door(For.ADMIN, POST, {"model": "m"}),
    "chat:backend-unload": Door(For.ADMIN, POST, {"model": "m"}),
    "chat:backend-model-delete": Door(For.ADMIN, FORM, {"model": "m"}),
    "chat:mcp": Door(For.ADMIN, READ),
    "chat:mcp-add": Door(For.ADMIN, FORM, MCP),
    "chat:mcp-edit": Door(For.ADMIN, FORM, MCP),
    "chat:mcp-test": Door(For.ADMIN, POST, MCP),
    "chat:mcp-delete": Door(For.ADMIN, FORM),
    "chat:discovery": Door(For.ADMIN, FORM, {"places": "127.0.0.9", "ports": "9"}),
    "chat:discovery-search": Door(For.ADMIN, READ),
    "chat:discovery-cancel": Door(For.ADMIN, POST),
    "chat:pull-cancel": Door(For.ADMIN, POST),
    "chat:pull-resume": Door(For.ADMIN, POST),
    "hub:settings": Door(For.PERSON, FORM, {"place": "Ulm", "time_zone": "Europe/Berlin"}),
    "hub:theme": Door(For.PERSON, POST, {"theme": "dark"}),
    "hub:people": Door(For.ADMIN, READ),
    "hub:invite": Door(For.ADMIN, POST, {"note": "For Carol"}),
    "hub:invitation-revoke": Door(For.ADMIN, POST),
    "hub:invitation": Door(For.ANYBODY, READ),
    "hub:setup-servers": Door(For.ADMIN, READ),
    "hub:setup": Door(For.ANYBODY, FORM, {"username": "eve", "password": "x", "repeated": "x"}),
}

#: They ask the server (which does not answer here), give a file or lack one, or what they are for has happened already.
ONLY_ASK = (
    "chat:conversations-change",
    "chat:restore",
    "chat:export-all",
    "chat:import-file",
    "chat:project-files",
    "chat:stop",
    "chat:comparison-stop",
    "chat:undo",
    "chat:backend-test",
    "chat:backend-load",
    "chat:backend-unload",
    "chat:backend-model-delete",
    "chat:pull-resume",
)

PLAIN_AND_HTMX: tuple[dict[str, str], ...] = ({}, {"HX-Request": "true"})
#: Without htmx they lead to the page that has the same in it.
HTMX_ONLY = {"chat:start": {"HX-Request": "true"}}
OWNED = [name for name, door in DOORS.items() if door.who is For.OWNER]


def addresses() -> Iterator[str]:
    """The names of all addresses of the chat and of the hub."""
    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and entry.namespace in ("chat", "hub"):
            for pattern in entry.url_patterns:
                assert isinstance(pattern, URLPattern)
                yield f"{entry.namespace}:{pattern.name}"


def test_every_address_has_its_line_in_the_table() -> None:
    found = list(addresses())

    assert len(found) == len(set(found))
    assert set(found) == set(DOORS)


@pytest.fixture
def places(ask: Callable[..., Sent], ada: User) -> dict[str, Any]:
    """What addresses name, all of Alice's: an answer that was cut off, and what Ada made."""
    sent = ask("What is the capital of France?")
    wishes = [Wish("demo/play"), Wish("demo/play")]
    waiting = UpcomingQuestion.objects.create(conversation=sent.conversation, text="Then?", ref="demo/play")
    Conversation.objects.filter(pk=sent.conversation.pk).update(upcoming_count=1)
    comparison = begin_comparison(sent.conversation.owner, "Which is it?", wishes, "c", blind=True)
    Message.objects.filter(pk=sent.answer.pk).update(text="Par")
    Generation.objects.update(status=Status.STOPPED, receipt=asked_once(sent))
    Message.objects.create(
        conversation=sent.conversation, parent=sent.question, role="assistant", text="Lyon", edited=True
    )
    server = Backend.objects.create(name="Away", kind="ollama", base_url="http://127.0.0.1:9")
    now = timezone.now()
    asked = Ask.objects.create(
        generation=sent.generation, kind="permission", payload={}, asked_at=now, expires_at=now
    )
    called = Activity.objects.create(
        generation=sent.generation, position=0, name="ls", state="done", output="etc", started_at=now
    )
    image = {"media_type": "image/png", "data": "iVBORw0KGgo="}
    Step.objects.create(
        generation=sent.generation, position=0, end=0, finished_at=now,
        calls=[{"id": "", "name": "ls", "arguments": {}, "content": "", "is_error": False, "images": [image]}],
    )  # fmt: skip
    attached = attach_picture(sent.question)
    type(attached).objects.update(text="What a model reads")
    Notice.objects.leave(sent.conversation.owner_id, "Done", "The list is ready.")
    sent_file = Import.objects.create(owner=sent.conversation.owner, file_name="chats.json")
    sent_file.path.parent.mkdir(parents=True, exist_ok=True)
    sent_file.path.write_bytes(b"{}")
    McpServer.objects.create(name="Demo", url="http://127.0.0.1:9/mcp")
    prompt = SystemPrompt.objects.create(owner=sent.conversation.owner, name="Pirate", text="Arr.")
    preset = SamplingPreset.objects.create(owner=sent.conversation.owner, name="Hot")
    project = Project.objects.create(owner=sent.conversation.owner, name="Garden", memory="Clay.")
    ProjectRevision.objects.tell(project, Told.MEMORY, "Loam.")
    (project_file,) = add_files(sent.conversation.owner, project, [upload("notes.txt", b"Clay.")])
    Conversation.objects.filter(pk=sent.conversation.pk).update(project=project)
    invitation, token = Invitation.issue(ada, "For Dan")
    return {
        "conversation_id": sent.conversation.pk,
        "message_id": sent.answer.pk,
        "comparison_id": comparison.pk,
        "upcoming_id": waiting.pk,
        "column": 1,
        "slug": "demo",
        "server": server.slug,
        "model_pk": CatalogueModel.objects.get(model_id="play").pk,
        "pull_id": start_pull(server, "m", ada).pk,
        "search_id": Search.objects.create(places="127.0.0.9", ports=[9]).pk,
        "choice": "drop",
        "cut_id": sent.conversation.cuts.create(after=sent.question, kind="summarised").pk,
        "ask_id": asked.pk,
        "activity_id": called.pk,
        "number": 1,
        "import_id": sent_file.pk,
        "attachment_id": attached.pk,
        "prompt_id": prompt.pk,
        "preset_id": preset.pk,
        "generation_id": sent.generation.pk,
        "part": "request",
        "invitation_id": invitation.pk,
        "project_id": project.pk,
        "file_id": project_file.pk,
        "revision_id": project.revisions.get().pk,
        "token": token,
    }


def asked_once(sent: Sent) -> dict[str, Any]:
    """A receipt of the answer."""
    return {"turns": [[sent.question.pk] * 2], "rounds": [{"sha256": "0" * 64, "steps": 0, "tools": False}]}


def wait_for_server() -> None:
    """The answer has not begun: its server is away."""
    Message.objects.filter(role="assistant").update(text="")
    Generation.objects.update(status=Status.QUEUED, awaits_server=True)


@pytest.fixture(autouse=True)
def _nothing_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(**_kwargs: object) -> list[object]:
        return []

    monkeypatch.setattr("privatechathub.accounts.views.find_servers", nothing)


def address(name: str, places: dict[str, Any]) -> str:
    """Where that door is."""
    namespace, _sep, rest = name.partition(":")
    route = next(
        str(pattern.pattern)
        for entry in get_resolver().url_patterns
        if isinstance(entry, URLResolver) and entry.namespace == namespace
        for pattern in entry.url_patterns
        if pattern.name == rest
    )
    return reverse(name, kwargs={key: value for key, value in places.items() if f":{key}>" in route})


def knock(browser: Client, name: str, method: str, places: dict[str, Any], **headers: str) -> Any:
    """One request."""
    data = DOORS[name].data | {"key": uuid.uuid4().hex} if method == "POST" else {}
    send = getattr(browser, method.lower())
    return send(address(name, places), data, headers=headers)


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored, but for when people were last there."""
    models = [Group, Backend.groups.through]
    for label in ("chat", "backends", "accounts"):
        models += list(apps.get_app_config(label).get_models())
    return {
        model.__name__: sorted(model.objects.exclude(pk=None).values_list(*columns(model)), key=repr)
        for model in models
    }


def columns(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.name != "last_login"]


# One world serves all doors where nothing may change: a hundred worlds would take a minute.


def test_a_stranger_finds_nothing_and_changes_nothing(places: dict[str, Any], as_bob: Client) -> None:
    before = rows()

    for name, door in DOORS.items():
        if door.who not in (For.OWNER, For.ADMIN):
            continue
        refusal = 404 if door.who is For.OWNER else 403
        for method, headers in product(METHODS, PLAIN_AND_HTMX):
            status = knock(as_bob, name, method, places, **headers).status_code
            assert (name, method, status) == (name, method, refusal if method in door.methods else 405)
    assert rows() == before


def test_a_visitor_is_asked_to_sign_in(places: dict[str, Any]) -> None:
    before = rows()

    for (name, door), method, headers in product(DOORS.items(), METHODS, PLAIN_AND_HTMX):
        response = knock(Client(), name, method, places, **headers)

        if method not in door.methods:
            assert (name, method, response.status_code) == (name, method, 405)
        elif door.who is not For.ANYBODY:
            assert (name, method, response.status_code) == (name, method, 302)
            assert response["Location"].startswith("/accounts/login/?next=/")
    assert rows() == before


def test_an_administrator_is_a_stranger_too(places: dict[str, Any], as_ada: Client) -> None:
    before = rows()

    for name in OWNED:
        for method in DOORS[name].methods:
            assert (name, knock(as_ada, name, method, places).status_code) == (name, 404)
    assert rows() == before


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.who is not For.ANYBODY])
def test_whom_it_is_for_comes_in_and_reading_changes_nothing(
    name: str, places: dict[str, Any], alice: User, ada: User
) -> None:
    if name.startswith("chat:waiting-"):
        wait_for_server()
    door, before = DOORS[name], rows()
    browser = signed_in(ada if door.who is For.ADMIN else alice)

    headers = HTMX_ONLY.get(name, {})
    for method in sorted(door.methods & READ):
        response = knock(browser, name, method, places, **headers)
        assert (method, response.status_code) == (method, 200)
        assert bool(response.content) == (method == "GET")
        assert rows() == before
    if "POST" in door.methods:
        assert knock(browser, name, "POST", places).status_code in (200, 204, 302)
        assert (rows() != before) == (name not in ONLY_ASK)


def test_a_form_from_another_page_changes_nothing(places: dict[str, Any], alice: User, ada: User) -> None:
    before = rows()
    for person in (alice, ada):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

        for name, door in DOORS.items():
            if "POST" in door.methods:
                assert (name, knock(browser, name, "POST", places).status_code) == (name, 403)
    assert rows() == before


def test_whoever_was_disabled_is_out_at_once(places: dict[str, Any], alice: User, as_alice: Client) -> None:
    session = as_alice.cookies["sessionid"].value
    User.objects.filter(pk=alice.pk).update(is_active=False)

    for name, door in DOORS.items():
        if door.who not in (For.OWNER, For.PERSON):
            continue
        for method in door.methods:
            as_alice.cookies["sessionid"] = session
            response = knock(as_alice, name, method, places)
            assert (name, response.status_code) == (name, 302)
            assert response["Location"].startswith("/accounts/login/")


def test_what_never_existed_looks_like_what_is_not_yours(places: dict[str, Any], as_bob: Client) -> None:
    nowhere = places | {
        "conversation_id": uuid.uuid4(),
        "comparison_id": uuid.uuid4(),
        "upcoming_id": 10**9,
        "message_id": 10**9,
    }
    nowhere |= {"ask_id": uuid.uuid4(), "activity_id": uuid.uuid4(), "import_id": uuid.uuid4()}
    nowhere |= {"prompt_id": uuid.uuid4(), "preset_id": uuid.uuid4()}
    nowhere |= {"project_id": uuid.uuid4(), "file_id": uuid.uuid4(), "revision_id": 10**9}

    for name in OWNED:
        for method in DOORS[name].methods - {"HEAD"}:
            theirs = knock(as_bob, name, method, places)
            nothing = knock(as_bob, name, method, nowhere)
            assert (name, theirs.status_code, nothing.status_code) == (name, 404, 404)
            assert without_tokens(theirs) == without_tokens(nothing)


def without_tokens(response: Any) -> str:
    """The page without the one thing that differs with every request."""
    return str(response.content.decode().replace(response.wsgi_request.META.get("CSRF_COOKIE", "-"), ""))[
        :300
    ]


def test_no_page_of_a_stranger_shows_anything_of_the_owner(places: dict[str, Any], as_bob: Client) -> None:
    for name in ("chat:new", "chat:sidebar", "hub:settings"):
        page = as_bob.get(address(name, places)).content.decode()
        assert "capital of France" not in page
        assert str(places["conversation_id"]) not in page


def test_models_of_a_backend_are_offered_to_those_who_may_use_it(
    demo: Backend, as_bob: Client, bob: User
) -> None:
    CatalogueModel.objects.create(backend=demo, model_id="secret-model")
    demo.access = "groups"
    demo.save()
    group = Group.objects.create(name="friends")
    demo.groups.add(group)
    assert "secret-model" not in as_bob.get("/").content.decode()
    response = as_bob.post("/chat/", {"text": "Hi", "model": "demo/secret-model", "key": "k"})
    assert response.status_code == 422
    assert not Conversation.objects.exists()

    bob.groups.add(group)

    assert "secret-model" in as_bob.get("/").content.decode()
    response = as_bob.post("/chat/", {"text": "Hi", "model": "demo/secret-model", "key": "k"})
    assert response.status_code == 302


def test_a_conversation_stays_with_its_owner_in_the_admin_too(
    places: dict[str, Any], as_ada: Client, as_bob: Client
) -> None:
    assert as_bob.get("/admin/").status_code == 302
    page = as_ada.get("/admin/").content.decode()
    assert "Conversation" not in page
    assert "Message" not in page
    assert as_ada.get("/admin/chat/conversation/").status_code == 404


def test_the_setup_page_is_gone_where_an_administrator_exists(places: dict[str, Any]) -> None:
    for method in FORM - {"HEAD"}:
        response = getattr(Client(), method.lower())(f"/setup/{setup.token()}/", DOORS["hub:setup"].data)
        assert response.status_code == 404
