"""The index of PostgreSQL: a ``tsvector`` beside each entry, kept by triggers.

https://www.postgresql.org/docs/current/textsearch.html
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from django.db import connection
from django.db.models.expressions import RawSQL

from chat.models.search_entry import SearchEntryQuerySet
from chat.searching.language import Query, Term
from chat.searching.sources import CHANGES, SOURCES, Change, Source

#: Characters of one text that are indexed; a tsvector is at most 1 MiB, so a text of many rare words gets fewer.
_CHARACTERS, _FEWER = 250_000, 60_000

#: As FTS5 does it: without case and accents, parted where neither letters nor digits are.
_FOLD = f"""
CREATE OR REPLACE FUNCTION chat_search_words(given text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE plain text := left(given, {_CHARACTERS});
BEGIN
  IF plain ~ '[^\\x01-\\x7f]' THEN
    plain := normalize(regexp_replace(normalize(plain, NFD), '[\\u0300-\\u036f]', '', 'g'), NFC);
  END IF;
  plain := translate(lower(plain), '!"#$%&''()*+,-./:;<=>?@[\\]^_`{{|}}~', repeat(' ', 32));
  RETURN to_tsvector('simple', plain);
EXCEPTION WHEN program_limit_exceeded THEN
  RETURN to_tsvector('simple', left(plain, {_FEWER}));
END $body$
"""

_TABLE = (
    "ALTER TABLE chat_searchentry ADD COLUMN IF NOT EXISTS words tsvector",
    "CREATE INDEX IF NOT EXISTS chat_search_words ON chat_searchentry USING gin (words)",
    _FOLD,
)


def install() -> None:
    """Make the column, its index, the functions and the triggers."""
    with connection.cursor() as cursor:
        for statement in (*_TABLE, *triggers()):
            cursor.execute(statement)
        cursor.execute(f"COMMENT ON TABLE chat_searchentry IS '{version()}'")


def uninstall() -> None:
    """Nothing: tables are altered in place here."""


def is_installed() -> bool:
    """Whether the triggers are there, as they are now: the table's comment tells which these are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description('chat_searchentry'::regclass)")
        return bool(cursor.fetchone() == (version(),))


def version() -> str:
    """Another one with every change of the statements."""
    return blake2b("".join((*_TABLE, *triggers())).encode(), digest_size=8).hexdigest()


def fill() -> None:
    """Index what is ready and has no entry yet. Inside the caller's transaction."""
    with connection.cursor() as cursor:
        for source in SOURCES:
            cursor.execute(_insert(source, f"{source.is_missing} ORDER BY {source.key}"))


def hits(entries: SearchEntryQuerySet, query: Query, limit: int) -> list[tuple[int, float]]:
    """The newest of these entries that hold the words, newest first, each with how well it fits (more is better)."""
    wanted = match(query)
    found = (
        entries.extra(where=["chat_searchentry.words @@ to_tsquery('simple', %s)"], params=[wanted])
        .annotate(score=RawSQL("ts_rank(chat_searchentry.words, to_tsquery('simple', %s), 1)", (wanted,)))
        .order_by("-pk")
        .values_list("pk", "score")
    )
    return [(pk, float(score)) for pk, score in found[:limit]]


def match(query: Query) -> str:
    """The query as ``to_tsquery`` reads it. Every word stands in quotation marks, so none is an operator."""
    wanted = [*map(_term, query.terms), *(f"!({_term(term)})" for term in query.without)]
    return " & ".join(wanted)


def _term(term: Term) -> str:
    *first, last = (f"'{word}'" for word in term.words)
    return " <-> ".join([*first, last if term.exact else f"{last}:*"])


# --- triggers ----------------------------------------------------------------------------------------


def triggers() -> Iterator[str]:
    """The statements that make them."""
    for change in CHANGES:
        yield from _trigger(change)
    for source in SOURCES:
        name = f"chat_search_{source.kind.value}_delete"
        yield _function(name, f"{source.delete_old};")
        yield f"DROP TRIGGER IF EXISTS {name} ON {source.table}"
        yield f"CREATE TRIGGER {name} AFTER DELETE ON {source.table} FOR EACH ROW EXECUTE FUNCTION {name}()"


def _trigger(change: Change) -> Iterator[str]:
    name = change.table.replace("chat_", "chat_search_")
    here = f"{change.key} = NEW.{change.value}"
    body = (
        f"{source.delete(f'NEW.{change.value}')}; {_insert(source, f'{here} AND {source.is_ready}')};"
        for source in change.sources
    )
    yield _function(name, " ".join(body))
    events = {"update": f"UPDATE OF {', '.join(change.columns)}"}
    if change.inserted:
        events["insert"] = "INSERT"
    for word, event in events.items():
        only = f"WHEN ({change.only})" if change.only and word == "update" else ""
        yield f"DROP TRIGGER IF EXISTS {name}_{word} ON {change.table}"
        yield (
            f"CREATE TRIGGER {name}_{word} AFTER {event} ON {change.table}"
            f" FOR EACH ROW {only} EXECUTE FUNCTION {name}()"
        )


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$"
        f" BEGIN {body} RETURN NULL; END $body$"
    )


def _insert(source: Source, where: str) -> str:
    return source.insert(where, {"words": f"chat_search_words({source.words})"})
