"""What is indexed: which texts of which rows, and when these are ready. SQL that both databases understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chat.models.search_entry import Found

_ACTIVE = "('queued', 'running')"
_NOT_WRITTEN = (
    f"NOT EXISTS (SELECT 1 FROM chat_generation g WHERE g.message_id = m.id AND g.status IN {_ACTIVE})"
)
_MESSAGE = "chat_message m JOIN chat_conversation c ON c.id = m.conversation_id"


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of text. ``key`` is the column of the row that it belongs to, ``ready`` when it may be found."""

    kind: Found
    table: str
    key: str
    words: str
    rows: str
    owner: str = "c.owner_id"
    conversation: str = "c.id"
    message: str = "NULL"
    project: str = "NULL"
    ready: str = "1 = 1"

    @property
    def id(self) -> str:
        """The key as text."""
        return f"CAST({self.key} AS varchar(36))"

    @property
    def entry(self) -> str:
        """The row's own among the entries ``e``."""
        return f"e.kind = '{self.kind.value}' AND e.source = {self.id}"

    @property
    def is_ready(self) -> str:
        """The condition on which the row has an entry."""
        return f"{self.words} <> '' AND {self.ready}"

    @property
    def is_missing(self) -> str:
        """The condition on which it should have one and has none."""
        return f"NOT EXISTS (SELECT 1 FROM chat_searchentry e WHERE {self.entry}) AND {self.is_ready}"

    def insert(self, where: str, more: Mapping[str, str] = MappingProxyType({})) -> str:
        """A statement that makes the entries of these rows; ``more`` are further columns."""
        values = {
            "kind": f"'{self.kind.value}'",
            "source": self.id,
            "owner_id": self.owner,
            "conversation_id": self.conversation,
            "message_id": self.message,
            "project_id": self.project,
            **more,
        }
        return (
            f"INSERT INTO chat_searchentry ({', '.join(values)})"
            f" SELECT {', '.join(values.values())} FROM {self.rows} WHERE {where}"
        )

    def delete(self, key: str) -> str:
        """A statement that takes the entry of the row with that key away."""
        source = self.id.replace(self.key, key)
        return f"DELETE FROM chat_searchentry WHERE kind = '{self.kind.value}' AND source = {source}"

    @property
    def delete_old(self) -> str:
        """The same within a trigger, for the row that was deleted."""
        return self.delete(f"OLD.{self.key.partition('.')[2]}")


TITLE = Source(Found.TITLE, "chat_conversation", "c.id", "c.title", "chat_conversation c")
TEXT = Source(Found.TEXT, "chat_message", "m.id", "m.text", _MESSAGE, message="m.id", ready=_NOT_WRITTEN)
REASONING = Source(
    Found.REASONING, "chat_message", "m.id", "m.reasoning", _MESSAGE, message="m.id", ready=_NOT_WRITTEN
)
FILE = Source(
    Found.FILE,
    "chat_attachment",
    "a.id",
    "(a.name || ' ' || a.text)",
    "chat_attachment a LEFT JOIN chat_message m ON m.id = a.message_id",
    owner="a.owner_id",
    conversation="m.conversation_id",
    message="a.message_id",
    project="a.project_id",
)
TOOL = Source(
    Found.TOOL,
    "chat_activity",
    "t.id",
    "(t.title || ' ' || t.input || ' ' || t.output)",
    "chat_activity t JOIN chat_generation r ON r.id = t.generation_id"
    f" JOIN {_MESSAGE.replace('chat_message m', 'chat_message m ON m.id = r.message_id', 1)}",
    message="m.id",
    ready="t.state IN ('done', 'error', 'stopped')",
)
NOTE = Source(
    Found.NOTE,
    "chat_project",
    "p.id",
    "(p.name || ' ' || p.description || ' ' || p.instructions || ' ' || p.memory)",
    "chat_project p",
    owner="p.owner_id",
    conversation="NULL",
    project="p.id",
)

SOURCES = (TITLE, TEXT, REASONING, FILE, TOOL, NOTE)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a table after which some texts are read anew: those whose ``key`` is ``NEW.value``.

    ``columns`` are those whose update counts, none of them for tables of which only new rows count; ``only`` narrows
    the updates further.
    """

    table: str
    sources: tuple[Source, ...]
    key: str
    columns: tuple[str, ...]
    value: str = "id"
    inserted: bool = True
    only: str = ""


CHANGES = (
    Change("chat_conversation", (TITLE,), "c.id", ("title",)),
    Change("chat_message", (TEXT, REASONING), "m.id", ("text", "reasoning")),
    # Once an answer: while it is written its text is saved every second, and not ready.
    Change(
        "chat_generation",
        (TEXT, REASONING),
        "m.id",
        ("status",),
        value="message_id",
        inserted=False,
        only=f"OLD.status IN {_ACTIVE} AND NEW.status NOT IN {_ACTIVE}",
    ),
    Change("chat_attachment", (FILE,), "a.id", ("name", "text")),
    Change("chat_activity", (TOOL,), "t.id", ("state",), only="OLD.state <> NEW.state"),
    Change("chat_project", (NOTE,), "p.id", ("name", "description", "instructions", "memory")),
)
