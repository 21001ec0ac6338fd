"""The index of SQLite: an FTS5 table beside the entries, kept by triggers.

It holds the words themselves: a table without them could only forget a text by hearing it again to the letter
(or needs SQLite 3.43). https://www.sqlite.org/fts5.html
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from chat.models.search_entry import SearchEntryQuerySet
from chat.searching.language import Query, Term
from chat.searching.sources import CHANGES, SOURCES, Change, Source

_WORDS = """
CREATE VIRTUAL TABLE IF NOT EXISTS chat_search
USING fts5(words, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')
"""
_FORGET = (
    "CREATE TRIGGER chat_search_forget AFTER DELETE ON chat_searchentry"
    " BEGIN DELETE FROM chat_search WHERE rowid = OLD.id; END"
)


def install() -> None:
    """Make the table and the triggers."""
    with connection.cursor() as cursor:
        cursor.execute(_WORDS)
        for statement in triggers():
            cursor.execute(statement)


def uninstall() -> None:
    """Take the triggers away: Django alters a table by making a new one, which SQLite refuses while a trigger
    speaks of the old."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'chat_search_*'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


def is_installed() -> bool:
    """Whether the triggers are there, as they are now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'chat_search_*'")
        return {sql for (sql,) in cursor.fetchall()} == set(triggers())


def fill() -> None:
    """Index what is ready and has no entry yet. Inside the caller's transaction."""
    with connection.cursor() as cursor:
        for source in SOURCES:
            cursor.execute("SELECT coalesce(max(id), 0) FROM chat_searchentry")
            (before,) = cursor.fetchone()
            cursor.execute(source.insert(f"{source.is_missing} ORDER BY {source.key}"))
            cursor.execute(insert_words(source, f"e.id > {before}"))


def hits(entries: SearchEntryQuerySet, query: Query, limit: int) -> list[tuple[int, float]]:
    """The newest of these entries that hold the words, newest first, each with how well it fits (more is better)."""
    of_hit = entries.extra(where=["chat_searchentry.id = chat_search.rowid"]).order_by().values("pk")
    sql, values = of_hit.query.sql_with_params()
    statement = (
        "SELECT rowid, -bm25(chat_search) FROM chat_search"
        f" WHERE chat_search MATCH %s AND EXISTS ({sql}) ORDER BY rowid DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [match(query), *values, limit])
        return [(int(pk), float(score)) for pk, score in cursor.fetchall()]


def match(query: Query) -> str:
    """The query as FTS5 reads it. Every word stands in quotation marks, so none is an operator."""
    wanted = " AND ".join(map(_term, query.terms))
    if not query.without:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(map(_term, query.without))})"


def _term(term: Term) -> str:
    return f'"{" ".join(term.words)}"{"" if term.exact else " *"}'


# --- triggers ----------------------------------------------------------------------------------------


def triggers() -> Iterator[str]:
    """The statements that make them."""
    yield _FORGET
    for change in CHANGES:
        if change.inserted:
            yield _trigger(change, "insert", "INSERT", "")
        only = f"WHEN {change.only}" if change.only else ""
        yield _trigger(change, "update", f"UPDATE OF {', '.join(change.columns)}", only)
    for source in SOURCES:
        name = f"chat_search_{source.kind.value}_delete"
        yield f"CREATE TRIGGER {name} AFTER DELETE ON {source.table} BEGIN {source.delete_old}; END"


def _trigger(change: Change, name: str, event: str, only: str) -> str:
    return (
        f"CREATE TRIGGER {change.table.replace('chat_', 'chat_search_')}_{name} AFTER {event}"
        f" ON {change.table} {only} BEGIN {' '.join(_refresh(change))} END"
    )


def _refresh(change: Change) -> Iterator[str]:
    here = f"{change.key} = NEW.{change.value}"
    for source in change.sources:
        yield f"{source.delete(f'NEW.{change.value}')};"
        yield f"{source.insert(f'{here} AND {source.is_ready}')};"
        yield f"{insert_words(source, here)};"


def insert_words(source: Source, where: str) -> str:
    """A statement that puts the words of these rows beside the entries that they have."""
    return (
        f"INSERT INTO chat_search (rowid, words) SELECT e.id, {source.words}"
        f" FROM {source.rows} JOIN chat_searchentry e ON {source.entry} WHERE {where}"
    )
