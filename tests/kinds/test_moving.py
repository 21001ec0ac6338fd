"""A conversation that moves between kinds of servers keeps its history and its system prompt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from django.utils import timezone

from backends.database import in_database
from chat.generation import runtime
from chat.models import Conversation, Status
from privatechathub.accounts.models import User
from tests.fakes.lmstudio import FakeLMStudio
from tests.fakes.opencode import FakeOpenCode
from tests.fakes.server import FakeServer
from tests.kinds.asking import add, answered, ask

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = "Answer like a Zebra."
OLLAMA, STUDIO, CODE = "ollama/fast", "studio/m", "code/local/m"


@dataclass(frozen=True)
class Servers:
    """What each model read at its last question, as one text."""

    ollama: FakeServer
    studio: FakeLMStudio
    code: FakeOpenCode

    def read_by(self, ref: str) -> str:
        if ref == STUDIO:
            return self.studio.seen[-1]
        if ref == CODE:
            return self.code.seen[-1]
        return "\n".join(message["content"] for message in self.ollama.chats[-1].messages)


@pytest_asyncio.fixture
async def servers(transactional_db: None) -> AsyncIterator[Servers]:
    async with FakeServer() as ollama, FakeLMStudio() as studio, FakeOpenCode() as code:
        for name, kind, url, model in (
            ("Ollama", "ollama", ollama.url, "fast"),
            ("Studio", "lmstudio", studio.url, "m"),
            ("Code", "opencode", code.url, "local/m"),
        ):
            await in_database(add, name, kind, url, model)
        yield Servers(ollama, studio, code)


@pytest.fixture
def conversation(transactional_db: None, alice: User) -> Conversation:
    now = timezone.now()
    return Conversation.objects.create(owner=alice, title="Moving", system_prompt=SYSTEM, updated_at=now)


def check(text: str, said: list[str]) -> None:
    """Everything that was said stands there, in order; the system prompt and no question twice."""
    at = 0
    for piece in said:
        found = text.find(piece, at)
        assert found >= 0, f"{piece!r} is missing after {text[:at][-80:]!r} in {text!r}"
        at = found + len(piece)
    assert text.count(SYSTEM) == 1
    for question in said[0::2]:
        assert text.count(question) == 1


@pytest.mark.parametrize(
    "route",
    [
        [OLLAMA, STUDIO, CODE, OLLAMA],
        [CODE, OLLAMA, CODE, STUDIO, STUDIO, CODE],
        [STUDIO, STUDIO, OLLAMA, STUDIO, STUDIO],
        [CODE, CODE, STUDIO, CODE, CODE, OLLAMA],
    ],
    ids=lambda route: "-".join(ref.partition("/")[0] for ref in route),
)
async def test_each_server_is_told_everything_that_was_said(
    hub: runtime.Runtime, alice: User, servers: Servers, conversation: Conversation, route: list[str]
) -> None:
    said: list[str] = []
    for number, ref in enumerate(route):
        question = f"Question-{number}? !tokens 3"
        row = await answered(await ask(alice, conversation, question, ref))
        assert (row.status, row.error_message) == (Status.COMPLETED, "")
        check(servers.read_by(ref), [*said, question])
        said += [question, row.message.text]
    assert len(said) == 2 * len(route)
    assert all(said)


async def test_a_changed_system_prompt_reaches_the_next_server_and_the_old_one_does_not(
    hub: runtime.Runtime, alice: User, servers: Servers, conversation: Conversation
) -> None:
    for ref in (STUDIO, CODE):
        await answered(await ask(alice, conversation, f"First of {ref} !tokens 1", ref))
    rows = Conversation.objects.filter(pk=conversation.pk)
    await in_database(rows.update, system_prompt="Answer like a Lion.")

    for ref in (STUDIO, CODE, OLLAMA):
        row = await answered(await ask(alice, conversation, f"Second of {ref} !tokens 1", ref))
        assert row.status == Status.COMPLETED, row.error_message
        read = servers.read_by(ref)
        assert read.count("Answer like a Lion.") == 1
        assert SYSTEM not in read
        assert read.count(f"First of {STUDIO}") == read.count(f"First of {CODE}") == 1


async def test_a_server_that_forgot_is_told_everything_anew(
    hub: runtime.Runtime, alice: User, servers: Servers, conversation: Conversation
) -> None:
    said: list[str] = []
    for number, ref in enumerate((STUDIO, CODE)):
        row = await answered(await ask(alice, conversation, f"Question-{number}?", ref))
        said += [f"Question-{number}?", row.message.text]
    servers.studio._remembered.clear()
    servers.code.sessions.clear()
    for number, ref in enumerate((CODE, STUDIO), start=2):
        row = await answered(await ask(alice, conversation, f"Question-{number}?", ref))
        assert row.status == Status.COMPLETED, row.error_message
        check(servers.read_by(ref), [*said, f"Question-{number}?"])
        said += [f"Question-{number}?", row.message.text]
