"""The texts of what was found, read only for what is shown."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import TextField, Value
from django.db.models.functions import Concat, Left

from chat.models import Activity, Attachment, Message, Project
from chat.models.search_entry import Found
from chat.searching.finding import Hit

#: Characters of one text that excerpts are made of.
READ = 200_000

Texts = dict[tuple[Found, str], str]


def texts_of(hits: Iterable[Hit]) -> Texts:
    """What stands there, by kind and key. One query for each kind there is."""
    keys: dict[Found, list[str]] = {}
    for hit in hits:
        if hit.kind is not Found.TITLE:  # which is shown anyway
            keys.setdefault(hit.kind, []).append(hit.source)
    found: Texts = {}
    for kind, wanted in keys.items():
        found |= {(kind, str(key)): text for key, text in _READ[kind](wanted)}
    return found


def _texts(wanted: list[str]) -> Iterable[tuple[object, str]]:
    return Message.objects.filter(pk__in=wanted).values_list("pk", Left("text", READ))


def _reasoning(wanted: list[str]) -> Iterable[tuple[object, str]]:
    return Message.objects.filter(pk__in=wanted).values_list("pk", Left("reasoning", READ))


def _files(wanted: list[str]) -> Iterable[tuple[object, str]]:
    text = Concat("name", Value("\n"), Left("text", READ), output_field=TextField())
    return Attachment.objects.filter(pk__in=wanted).values_list("pk", text)


def _tools(wanted: list[str]) -> Iterable[tuple[object, str]]:
    text = Concat("title", Value("\n"), "input", Value("\n"), "output", output_field=TextField())
    return Activity.objects.filter(pk__in=wanted).values_list("pk", text)


def _notes(wanted: list[str]) -> Iterable[tuple[object, str]]:
    text = Concat(  # the name is shown above it
        "description",
        Value("\n"),
        "instructions",
        Value("\n"),
        "memory",
        output_field=TextField(),
    )
    return Project.objects.filter(pk__in=wanted).values_list("pk", text)


_READ = {
    Found.TEXT: _texts,
    Found.REASONING: _reasoning,
    Found.FILE: _files,
    Found.TOOL: _tools,
    Found.NOTE: _notes,
}
