"""This hub's own files; FORMAT.md tells what is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from chat.models import TITLE_LENGTH, MessageRole, Overflow
from chat.transfer import asked, fields, values
from chat.transfer.arranging import arranged, last_of
from chat.transfer.formats import beside, library, sent
from chat.transfer.formats.attached import read_file, written_file
from chat.transfer.formats.project import read_name, written_name
from chat.transfer.portable import HUB, LeftOut, Line, Run, Talk, Turn, Unreadable

#: Grows when a reader of the old shape could not read the new one.
VERSION = 1


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether a hub wrote it."""
    return item.get("format") == HUB


def document(talk: Talk) -> dict[str, Any]:
    """A conversation as JSON values."""
    writer = sent.Writer(talk.turns)
    messages = [_message(turn, writer) for turn in talk.turns]
    return {
        "format": HUB,
        "version": VERSION,
        "conversation": {
            "id": talk.source_id,
            "title": talk.title,
            "system_prompt": talk.system_prompt,
            "prompt": library.written_prompt(talk.prompt),
            "prompt_values": dict(talk.prompt_values),
            "options": dict(talk.options),
            "preset": library.written_preset(talk.preset),
            "backend": talk.backend,
            "model_id": talk.model_id,
            "project": written_name(talk.project),
            "tags": list(talk.tags),
            "pinned_at": fields.written(talk.pinned_at),
            "archived_at": fields.written(talk.archived_at),
            "overflow": talk.overflow,
            "lines": [{"after": line.after, **_written(line.values)} for line in talk.lines],
            "tools": dict(talk.tools),
            "unread": talk.unread,
            **beside.written(talk),
            "created_at": fields.written(talk.created_at),
            "updated_at": fields.written(talk.updated_at),
            "head": talk.head,
            "messages": messages,
            "texts": writer.texts,
        },
    }


def _message(turn: Turn, writer: sent.Writer) -> dict[str, Any]:
    return {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "text": turn.text,
        "reasoning": turn.reasoning,
        "reasoning_seconds": turn.reasoning_seconds,
        "created_at": fields.written(turn.created_at),
        "edited": turn.edited,
        "chosen": turn.chosen,
        "files": [written_file(file) for file in turn.files],
        "generations": [
            _written(run.values)
            | {
                "asked": dict(run.asked),
                "receipt": writer.written(run),
                "activities": [_written(call) for call in run.activities],
                "asks": [_written(ask) for ask in run.asks],
                "steps": [_written(step) for step in run.steps],
            }
            for run in turn.runs
        ],
    }


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields.written(value) for name, value in row.items()}


def read(item: Mapping[str, Any]) -> Talk:
    """A conversation from JSON values. Raises Unreadable, also for the file of a newer hub."""
    version, talk = values.whole(item.get("version")), values.mapping(item.get("conversation"))
    if version is None or not 1 <= version <= VERSION or not talk:
        raise Unreadable
    left_out: Counter[LeftOut] = Counter()
    messages = values.objects(talk.get("messages"))
    turns = _with_requests(arranged(map(_turn, messages), left_out), talk, left_out)
    head = talk.get("head")
    return Talk(
        source=HUB,
        source_id=values.name(talk.get("id"), 200),
        title=values.name(talk.get("title"), TITLE_LENGTH),
        turns=turns,
        head=last_of(turns, head if isinstance(head, str) else None),
        system_prompt=values.text(talk.get("system_prompt"), 200_000),
        prompt=library.read_prompt(talk.get("prompt")),
        prompt_values=library.answers(talk.get("prompt_values")),
        options=values.options(talk.get("options")),
        preset=library.read_preset(talk.get("preset")),
        backend=values.name(talk.get("backend"), 60),
        model_id=values.text(talk.get("model_id"), 250),
        project=read_name(talk.get("project")),
        tags=values.tags(talk.get("tags")),
        pinned_at=values.moment(talk.get("pinned_at")),
        archived_at=values.moment(talk.get("archived_at")),
        overflow=values.one_of(Overflow, Overflow.ASK)(talk.get("overflow")),
        lines=tuple(_lines(values.objects(talk.get("lines")), {turn.id for turn in turns})),
        tools=values.switches(talk.get("tools")),
        unread=talk.get("unread") is True,
        draft=values.text(talk.get("draft"), values.LONGEST_QUESTION),
        upcoming=beside.read_upcoming(talk.get("upcoming")),
        column=beside.read_column(talk.get("comparison")),
        created_at=values.moment(talk.get("created_at")),
        updated_at=values.moment(talk.get("updated_at")),
        left_out=+left_out,
    )


def _with_requests(
    turns: tuple[Turn, ...], talk: Mapping[str, Any], left_out: Counter[LeftOut]
) -> tuple[Turn, ...]:
    """The turns with what their runs were asked. Counts what cannot be read."""
    reader = sent.Reader(turns, talk.get("texts"))
    told: dict[str, Mapping[str, Any]] = {}
    for message in values.objects(talk.get("messages")):
        told.setdefault(_id(message), message)

    def of(run: Run, value: Any) -> Run:
        try:
            return replace(run, sent=reader.read(value))
        except sent.BadReceipt:
            left_out[LeftOut.RECEIPT] += 1
            return run

    def with_runs(turn: Turn) -> Turn:
        found = [run.get("receipt") for run in values.objects(told[turn.id].get("generations"))]
        return replace(turn, runs=tuple(map(of, turn.runs, found))) if any(found) else turn

    return tuple(map(with_runs, turns))


def _lines(found: Iterable[Mapping[str, Any]], turns: Collection[str]) -> Iterator[Line]:
    """At most one for each place that there is."""
    places: set[str | None] = set()
    for line in found:
        after = line.get("after")
        place = values.name(after, 100) if isinstance(after, str) else None
        if place not in places and (place is None or place in turns):
            places.add(place)
            yield Line(place, fields.read(fields.LINE, line))


def _turn(message: Mapping[str, Any]) -> Turn:
    parent, chosen = message.get("parent"), message.get("chosen")
    return Turn(
        id=_id(message),
        parent=values.name(parent, 100) if isinstance(parent, str) else None,
        role=values.one_of(MessageRole, MessageRole.USER)(message.get("role")),
        text=values.exact(message.get("text")),
        reasoning=values.exact(message.get("reasoning")),
        reasoning_seconds=values.whole(message.get("reasoning_seconds")),
        created_at=values.moment(message.get("created_at")),
        edited=message.get("edited") is True,
        chosen=values.name(chosen, 100) if isinstance(chosen, str) else None,
        runs=tuple(_run(run) for run in values.objects(message.get("generations"))),
        files=tuple(map(read_file, values.objects(message.get("files")))),
    )


def _id(message: Mapping[str, Any]) -> str:
    return values.name(message.get("id"), 100)


def _run(run: Mapping[str, Any]) -> Run:
    return Run(
        fields.read(fields.RUN, run),
        tuple(fields.read(fields.ACTIVITY, call) for call in values.objects(run.get("activities"))),
        tuple(fields.read(fields.ASK, ask) for ask in values.objects(run.get("asks"))),
        tuple(fields.read(fields.STEP, step) for step in values.objects(run.get("steps"))),
        asked.read(run.get("asked")),
    )
