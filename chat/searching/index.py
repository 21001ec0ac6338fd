"""The index of this hub's database, whichever that is."""

from __future__ import annotations

from typing import Any, Protocol, cast

from django.db import connection

from backends.database import write_transaction
from chat.models.search_entry import SearchEntryQuerySet
from chat.searching import postgres, sqlite
from chat.searching.language import Query


class Index(Protocol):
    """What a database's module can do."""

    def install(self) -> None:
        """Have the database keep the index from now on."""

    def uninstall(self) -> None:
        """Have it no longer, as far as tables could not be altered otherwise."""

    def is_installed(self) -> bool:
        """Whether it does, in the way of this version of the hub."""

    def fill(self) -> None:
        """Index what was written meanwhile."""

    def hits(self, entries: SearchEntryQuerySet, query: Query, limit: int) -> list[tuple[int, float]]:
        """The newest of these entries that hold the words, newest first, each with how well it fits."""


def index() -> Index:
    """That of the database in use."""
    return cast(Index, sqlite if connection.vendor == "sqlite" else postgres)


def before_migrations(plan: list[Any], **_signal: Any) -> None:
    """Make way for changes of the tables."""
    if plan:
        index().uninstall()


def after_migrations(plan: list[Any] | None = None, **_signal: Any) -> None:
    """Keep the index again, and catch up."""
    if not is_possible() or (not plan and index().is_installed()):
        return
    index().uninstall()
    with write_transaction():
        index().install()
        index().fill()


def is_possible() -> bool:
    """Whether all tables are there: not while they are made one after the other, nor on the way back."""
    return "chat_searchentry" in connection.introspection.table_names()
