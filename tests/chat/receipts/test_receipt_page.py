"""The receipt as a page, as files, as a command, and its request sent again."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backends.adapters import scripted
from backends.adapters.base import WireRequest
from backends.adapters.events import TextDelta
from backends.adapters.messages import ChatMessage, ChatRequest, Role
from backends.database import in_database
from backends.models import Backend, CatalogueModel
from chat.generation import canonical, runtime
from chat.models import Conversation, Cut, Generation, Message, Status
from chat.receipts import curl
from chat.services import branches, deleting
from chat.services.refusals import Refused
from chat.services.repeating import repeat
from chat.services.sending import Sent
from privatechathub.accounts.models import User
from tests.chat.page import faults, read
from tests.chat.test_receipts import DONE, answered, assert_same, cut_after, tools
from tests.chat.tooling import Adder, Rounds, call
from tests.chat.watching import ended

__all__ = ["tools"]

Ask = Callable[..., Sent]
live = pytest.mark.django_db(transaction=True)
LETTER = {"temperature": 0.5, "seed": 7, "stop": ["END"], "reasoning": "low"}


@pytest.fixture(autouse=True)
def _original_script() -> Iterator[None]:
    with scripted.registered("play", DONE):
        yield


async def prompted(ask: Ask) -> tuple[Rounds, Generation]:
    """An answer with history, a system text and options."""
    _script, first = await answered(ask, None)
    rows = Conversation.objects.filter(pk=first.message.conversation_id)
    await in_database(rows.update, system_prompt="Be <brief>.", options=LETTER)
    return await answered(ask, await in_database(rows.get))


def url_of(generation: Generation, part: str = "") -> str:
    name, more = ("receipt-part", [part]) if part else ("receipt", [])
    return reverse(f"chat:{name}", args=[generation.pk, *more])


def words(response: HttpResponse) -> str:
    return " ".join(" ".join(read(response).texts()).split())


@live
async def test_the_page_proves_itself_and_shows_everything(
    hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    script, generation = await prompted(ask)

    response = await in_database(as_alice.get, url_of(generation))

    assert not faults(response)
    shown = words(response)
    for text in (
        "This is exactly what was sent",
        canonical.digest(script.requests[0]),
        "Be <brief>.",
        "Temperature 0.5",
        "Seed 7",
        "“END”",
        "Run again",
    ):
        assert text in shown
    assert [tag.text for tag in read(response).all("pre")] == ["Be <brief>.", "Question", "Done.", "Question"]


@live
async def test_what_changed_since_is_said(hub: runtime.Runtime, ask: Ask, as_alice: Client) -> None:
    _script, generation = await prompted(ask)
    first = await in_database(lambda: Message.objects.filter(role="assistant").earliest("pk"))

    await in_database(Message.objects.filter(pk=first.pk).delete)
    shown = words(await in_database(as_alice.get, url_of(generation)))

    assert "This is no longer exactly what was sent." in shown
    assert "1 message that was sent has been deleted since." in shown


def test_an_answer_without_a_receipt_says_so(ask: Ask, as_alice: Client) -> None:
    sent = ask()
    Generation.objects.update(status=Status.COMPLETED)

    response = as_alice.get(url_of(sent.generation))

    assert not faults(response)
    assert "This answer has no receipt" in words(response)
    assert "Run again" not in words(response)
    for part in ("request", "receipt", "body", "other"):
        assert as_alice.get(url_of(sent.generation, part)).status_code == 404


@live
async def test_the_file_of_the_request_has_the_digest_that_was_kept(
    hub: runtime.Runtime, ask: Ask, as_alice: Client
) -> None:
    script, generation = await prompted(ask)

    response = await in_database(as_alice.get, url_of(generation, "request"))
    whole = (await in_database(as_alice.get, url_of(generation, "receipt"))).json()

    assert "attachment" in response["Content-Disposition"]
    assert sha256(response.content).hexdigest() == canonical.digest(script.requests[0])
    assert (
        whole["request"]
        == response.json()
        == json.loads(canonical.as_bytes(canonical.values(script.requests[0])))
    )
    assert whole["run"]["model_id"] == "play"
    assert whole["receipt"]["options"] == LETTER
    assert "worker" not in whole["run"]


@live
async def test_strangers_and_administrators_find_nothing(
    hub: runtime.Runtime, ask: Ask, as_bob: Client, as_ada: Client
) -> None:
    _script, generation = await prompted(ask)

    for browser in (as_bob, as_ada):
        for url in (url_of(generation), url_of(generation, "request"), url_of(generation, "body")):
            assert (await in_database(browser.get, url)).status_code == 404
        again = reverse("chat:generation-repeat", args=[generation.pk])
        assert (await in_database(browser.post, again)).status_code == 404
    assert await in_database(Generation.objects.count) == 2


@live
async def test_the_number_of_queries_does_not_grow(hub: runtime.Runtime, ask: Ask, as_alice: Client) -> None:
    _script, generation = await prompted(ask)
    counts = []
    for _turn in range(3):
        _script, generation = await answered(ask, generation.message.conversation)

        def asked_for(url: str = url_of(generation)) -> int:
            with CaptureQueriesContext(connection) as queries:
                as_alice.get(url)
            return len(queries)

        counts.append(await in_database(asked_for))
    assert len(set(counts)) == 1


@live
async def test_of_a_long_conversation_the_last_turns_are_shown_first(
    hub: runtime.Runtime, ask: Ask, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.receipts.page.PAGE", 2)
    _script, generation = await prompted(ask)

    short = await in_database(as_alice.get, url_of(generation))
    whole = await in_database(as_alice.get, f"{url_of(generation)}?all=1")

    assert "Show 1 earlier message, too" in words(short)
    assert len(read(short).all("pre")) == 3
    assert len(read(whole).all("pre")) == 4


@pytest.mark.parametrize("summary", ["", "They said hello."])
@live
async def test_that_older_messages_were_not_sent_is_said(
    summary: str, hub: runtime.Runtime, ask: Ask, alice: User, as_alice: Client
) -> None:
    _script, first = await answered(ask, None)
    conversation = first.message.conversation

    await in_database(cut_after, first.message, summary)
    first_script, generation = await answered(ask, conversation)
    await in_database(Cut.objects.all().delete)
    await in_database(Conversation.objects.update, has_cuts=False)

    shown = words(await in_database(as_alice.get, url_of(generation)))
    script, _repeated = await sent_again(alice, await in_database(as_read, generation))

    assert "Older messages were not sent" in shown
    assert ("summary of them" in shown) == bool(summary)
    assert canonical.values(script.requests[0]) == canonical.values(first_script.requests[0])


# --- for a terminal ------------------------------------------------------------------------------------


class Ear(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.server.heard = (self.path, dict(self.headers), self.rfile.read(length))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Quietly."""


def run_in_shell(text: str, folder: Any = None, **variables: str) -> Any:
    """What a server hears from that command."""
    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = Thread(target=server.handle_request)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        subprocess.run(
            ["bash", "-c", text.replace("http://server.test", address)],
            check=True,
            capture_output=True,
            timeout=30,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "SERVER": address, "no_proxy": "*", **variables},
        )
    finally:
        thread.join(10)
        server.server_close()
    return server.heard  # type: ignore[attr-defined]


HOSTILE = "'; touch /nowhere; echo \"$HOME\" `id` $(id) \\ \nREQUEST\n<<'REQUEST' ü 😀"
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@needs_curl
@pytest.mark.parametrize("shows_address", [True, False])
def test_the_command_sends_the_body_whatever_stands_in_it(db: None, shows_address: bool) -> None:
    backend = Backend(name="B", kind="ollama", base_url="http://me:secret@server.test")
    backend.set_api_key("sekret-key")
    request = ChatRequest("m", (ChatMessage.of(Role.USER, HOSTILE),), system=HOSTILE)
    wire = curl.wire_request(backend, request)
    assert wire

    text = curl.command(backend, wire, shows_address=shows_address)
    path, headers, body = run_in_shell(text, API_KEY="mine")

    assert "sekret" not in text
    assert "secret" not in text
    assert ("server.test" in text) == shows_address
    assert path == "/api/chat"
    assert json.loads(body) == wire.body
    assert headers["Authorization"] == "Bearer mine"


@needs_curl
def test_a_long_body_comes_from_a_file(db: None, tmp_path: Any) -> None:
    backend = Backend(name="B", kind="openai", base_url="http://server.test/v1", username="me")
    wire = WireRequest("http://server.test/v1/chat/completions", {"text": "x" * curl.LONGEST_BODY})
    (tmp_path / "request-body.json").write_text(curl.as_text(wire.body))

    text = curl.command(backend, wire, shows_address=True)
    _path, headers, body = run_in_shell(text, tmp_path, USERNAME="u", PASSWORD="p")

    assert len(text) < 300
    assert json.loads(body) == wire.body
    assert headers["Authorization"].startswith("Basic ")


@live
async def test_only_administrators_read_the_server_s_address(
    hub: runtime.Runtime, ask: Ask, as_alice: Client, alice: User
) -> None:
    _script, generation = await prompted(ask)
    await in_database(Backend.objects.update, kind="ollama", base_url="http://attic.test:11434")

    page = (await in_database(as_alice.get, url_of(generation))).content.decode()
    assert "attic.test" not in page
    assert "$SERVER/api/chat" in page
    await in_database(User.objects.filter(pk=alice.pk).update, is_staff=True)
    assert (
        "http://attic.test:11434/api/chat"
        in (await in_database(as_alice.get, url_of(generation))).content.decode()
    )
    body = (await in_database(as_alice.get, url_of(generation, "body"))).json()
    assert body["options"]["seed"] == 7
    assert body["messages"][0] == {"role": "system", "content": "Be <brief>."}


# --- again -----------------------------------------------------------------------------------------------


async def sent_again(
    user: User, generation: Generation, ref: str = "", **scripts: Any
) -> tuple[Rounds, Generation]:
    """The request once more."""
    script = Rounds(*scripts.get("rounds", [[TextDelta("Again.")]]))
    scripted.register("play", script)  # the script belongs to the server, whatever the model
    row = await in_database(repeat, user, generation, ref)
    await ended(Sent(row.message.conversation, row.message, row.message, row))
    rows = Generation.objects.select_related("message__conversation", "message__parent", "backend")
    return script, await in_database(rows.get, pk=row.pk)


def as_read(generation: Generation) -> Generation:
    rows = Generation.objects.select_related("message__conversation", "message__parent", "backend")
    return rows.get(pk=generation.pk)


@live
async def test_run_again_sends_the_same_to_the_letter_though_everything_changed(
    hub: runtime.Runtime, ask: Ask, alice: User, as_alice: Client
) -> None:
    first_script, generation = await prompted(ask)
    rows = Conversation.objects.filter(pk=generation.message.conversation_id)
    await in_database(rows.update, system_prompt="Be long.", options={"temperature": 2})

    script, repeated = await sent_again(alice, await in_database(as_read, generation))

    assert canonical.values(script.requests[0]) == canonical.values(first_script.requests[0])
    assert repeated.message.parent_id == generation.message.parent_id
    assert repeated.message.text == "Again."
    assert (await in_database(rows.get)).head_id == repeated.message_id
    assert await in_database(Message.objects.filter(pk=generation.message_id).exists)
    await assert_same(script, repeated)
    shown = words(await in_database(as_alice.get, url_of(repeated)))
    assert "It is the same request to the letter." in shown
    assert "Compare with the other answers" in shown


@live
async def test_run_on_another_model_asks_that_one_the_same(
    hub: runtime.Runtime, ask: Ask, alice: User, as_alice: Client, demo: Backend
) -> None:
    first_script, generation = await prompted(ask)
    await in_database(CatalogueModel.objects.create, backend=demo, model_id="other", name="Other")

    script, repeated = await sent_again(alice, await in_database(as_read, generation), "demo/other")

    wanted = canonical.values(first_script.requests[0]) | {"model": "other"}
    assert canonical.values(script.requests[0]) == wanted
    assert repeated.model_id == "other"
    await assert_same(script, repeated)
    shown = words(await in_database(as_alice.get, url_of(repeated)))
    assert "The request is not the same to the letter" in shown


@live
async def test_tools_are_offered_again_as_they_were(
    hub: runtime.Runtime, ask: Ask, alice: User, tools: Callable[..., None]
) -> None:
    tools(Adder())
    first_script, generation = await answered(ask, None, [call("add", "c1", a=1, b=2)], DONE)
    await in_database(User.objects.update, tools={})

    rounds = [call("add", "c9", a=2, b=2)], DONE
    script, repeated = await sent_again(alice, await in_database(as_read, generation), rounds=rounds)

    assert canonical.values(script.requests[0]) == canonical.values(first_script.requests[0])
    assert len(script.requests) == 2
    await assert_same(script, repeated)


@live
async def test_a_request_without_tools_gets_none_though_they_are_on_now(
    hub: runtime.Runtime, ask: Ask, alice: User, tools: Callable[..., None]
) -> None:
    await in_database(User.objects.update, tools={})
    _script, generation = await answered(ask, None)
    tools(Adder())
    await in_database(User.objects.update, tools={"*": True})

    script, _repeated = await sent_again(alice, await in_database(as_read, generation))

    assert not script.requests[0].tools


@live
async def test_through_the_page(hub: runtime.Runtime, ask: Ask, as_alice: Client) -> None:
    _script, generation = await prompted(ask)
    url = reverse("chat:generation-repeat", args=[generation.pk])

    response = await in_database(as_alice.post, url, {"model": ""})

    assert response["Location"] == generation.message.conversation.get_absolute_url()
    newest = await in_database(lambda: Generation.objects.latest("created_at"))
    assert newest.repeats == generation.pk
    refused = await in_database(as_alice.post, url, {"model": "demo/unknown"})
    assert "This model is not available" in refused.content.decode()


def test_what_has_no_receipt_is_not_sent_again(ask: Ask, alice: User) -> None:
    sent = ask()
    Generation.objects.update(status=Status.COMPLETED)

    with pytest.raises(Refused, match="not known what was sent"):
        repeat(alice, as_read(sent.generation))


@live
async def test_in_a_fork_it_is_sent_again_there(
    hub: runtime.Runtime, ask: Ask, alice: User, as_alice: Client, as_bob: Client
) -> None:
    first_script, generation = await prompted(ask)
    answer = await in_database(
        Message.objects.select_related("conversation__owner").get, pk=generation.message_id
    )
    fork = await in_database(branches.fork, answer.conversation, answer)
    await in_database(deleting.delete_message, answer.conversation, answer)
    script = Rounds([TextDelta("Again.")])
    scripted.register("play", script)

    url = f"{url_of(generation)}?conversation={fork.pk}"
    page = await in_database(as_alice.get, url)
    gone = await in_database(as_alice.get, url_of(generation))
    assert (page.status_code, gone.status_code) == (200, 404)
    assert fork.get_absolute_url() in page.content.decode()
    assert "This is exactly what was sent" in words(page)
    assert (await in_database(as_bob.get, url)).status_code == 404
    again = reverse("chat:generation-repeat", args=[generation.pk])
    response = await in_database(as_alice.post, again, {"conversation": str(fork.pk)})

    assert response["Location"] == fork.get_absolute_url()
    newest = await in_database(Generation.objects.select_related("message").latest, "created_at")
    assert newest.message.conversation_id == fork.pk
    await ended(Sent(fork, newest.message, newest.message, newest))
    assert canonical.values(script.requests[0]) == canonical.values(first_script.requests[0])


# --- what was known --------------------------------------------------------------------------------------


def test_the_build_of_the_model_and_how_it_was_asked_are_told(ask: Ask, as_alice: Client) -> None:
    sent = ask()
    kept = {
        "turns": [[sent.question.pk] * 2],
        "rounds": [{"sha256": "0" * 64, "steps": 0, "tools": False}],
        "model": {"digest": "sha256:abc", "variant": "m@q4", "size_bytes": 4096, "context_length": 8192},
        "server": {"kind": "lmstudio", "version": "0.4.2", "num_ctx": "4096"},
        "state": {"response_id": "resp_1"},
        "retried": "min_p, <top_k>",
    }
    Generation.objects.update(status=Status.COMPLETED, receipt=kept)

    response = as_alice.get(url_of(sent.generation))

    assert not faults(response)
    shown = words(response)
    for text in (
        "Digest of the model sha256:abc",
        "Variant m@q4",
        "8,192 tokens",
        "Version of the server 0.4.2",
        "Context window set for the server 4096",
        "what was new; the server remembered the rest",
        "Asked once more min_p, <top_k>",
        "This is no longer exactly what was sent.",
    ):
        assert text in shown


@live
async def test_what_was_deleted_has_no_receipt(
    hub: runtime.Runtime, ask: Ask, alice: User, as_alice: Client
) -> None:
    _script, generation = await prompted(ask)
    answer, conversation = generation.message, generation.message.conversation
    fork = await in_database(branches.fork, conversation, answer)
    pages = [url_of(generation, part) for part in ("", "request", "receipt")]
    for url in pages:
        assert (await in_database(as_alice.get, url)).status_code == 200

    await in_database(deleting.delete_message, conversation, answer)

    for url in pages:
        assert (await in_database(as_alice.get, url)).status_code == 404
    shown = await in_database(as_alice.get, f"{pages[0]}?conversation={fork.pk}")
    links = [tag.attributes["href"] for tag in read(shown).all("a") if "download" in tag.attributes]
    assert len(links) >= 2
    for url in links:
        assert (await in_database(as_alice.get, url)).status_code == 200
