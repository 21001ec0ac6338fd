"""Rows to portable conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Model

from chat.attachments import with_attachments
from chat.models import (
    Activity,
    Ask,
    Conversation,
    Cut,
    CutKind,
    Generation,
    Message,
    Step,
)
from chat.transfer import asked, comparisons, fields, projects, sent, waiting
from chat.transfer.excerpts import called, of_project, outward
from chat.transfer.files import told_of
from chat.transfer.library import portable_prompt, preset_of
from chat.transfer.portable import HUB, Line, Run, Talk, Turn
from chat.tree.reading import is_hidden, messages_of


def load(conversation: Conversation) -> Talk:
    """A conversation with everything in it. Seven queries, one more where there are files, one for lines, two for
    questions typed ahead, and one each for texts of receipts, files of its project, a prompt of the library, a preset
    of the person's own and a comparison.
    """
    rows, parents = _shown(conversation)
    with_attachments(rows)
    attached = [(str(each.pk), each.digest) for row in rows if row.attached for each in row.attachments.all()]
    if conversation.project is not None and conversation.project.attached:
        attached += of_project(conversation)
    digests = called(attached)
    names = {row.pk: str(place) for place, row in enumerate(rows, 1)}
    runs = _runs(conversation, digests, names, [row.pk for row in rows])
    turns = _turns(rows, parents, names, runs)
    return Talk(
        source=HUB,
        source_id=str(conversation.pk),
        title=conversation.title,
        turns=turns,
        head=names.get(conversation.head_id or 0),
        system_prompt=conversation.system_prompt,
        prompt=portable_prompt(conversation.prompt) if conversation.prompt else None,
        prompt_values=conversation.prompt_values,
        options=conversation.options,
        preset=preset_of(conversation),
        backend=conversation.backend.name if conversation.backend else "",
        model_id=conversation.model_id,
        project=projects.name_of(conversation.project),
        tags=tuple(tag.name for tag in conversation.tags.all()),
        pinned_at=conversation.pinned_at,
        archived_at=conversation.archived_at,
        overflow=conversation.overflow,
        lines=_lines(conversation, names),
        tools=conversation.tools,
        unread=conversation.unread,
        draft=conversation.draft,
        upcoming=waiting.load(conversation),
        column=comparisons.told_of(conversation),
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
    )


def _turns(
    rows: Sequence[Message],
    parents: Mapping[int, int | None],
    names: Mapping[int, str],
    runs: Mapping[int, Sequence[Run]],
) -> tuple[Turn, ...]:
    """The messages by the names that the file gives them."""
    return tuple(
        Turn(
            id=names[row.pk],
            parent=names.get(parents[row.pk] or 0),
            role=row.role,
            text=row.text,
            reasoning=row.reasoning,
            reasoning_seconds=row.reasoning_seconds,
            created_at=row.created_at,
            edited=row.edited,
            chosen=names.get(row.chosen_id or 0),
            runs=tuple(runs.get(row.pk, ())),
            files=_files(row),
        )
        for row in rows
    )


def _shown(conversation: Conversation) -> tuple[list[Message], dict[int, int | None]]:
    """The messages that the conversation shows in one way or another, and what each hangs on."""
    rows = list(messages_of(conversation).order_by("pk"))
    hidden = {row.pk: row.parent_id for row in rows if is_hidden(row, conversation)}
    parents: dict[int, int | None] = {}
    for row in rows:
        above = row.parent_id
        while above in hidden:
            above = hidden[above]
        parents[row.pk] = above
    return [row for row in rows if row.pk not in hidden], parents


def _lines(conversation: Conversation, names: Mapping[int, str]) -> tuple[Line, ...]:
    """Where its model does not see further up. No query where there never was such a line."""
    found = Cut.of(conversation).items()
    return tuple(
        Line(names.get(after or 0), _values(cut, fields.LINE))
        for after, cut in found
        if cut.kind != CutKind.PROPOSED and (after is None or after in names)
    )


def _files(row: Message) -> tuple[dict[str, Any], ...]:
    return tuple(map(told_of, row.attachments.all() if row.attached else ()))


def _runs(
    conversation: Conversation, digests: Mapping[str, str], names: Mapping[int, str], keys: Sequence[int]
) -> dict[int, list[Run]]:
    """Message id -> its runs, in order."""
    written = messages_of(conversation)
    within = {"generation__message__in": written}
    calls = _by_generation(Activity.objects.filter(**within).order_by("position"), fields.ACTIVITY)
    asks = _by_generation(Ask.objects.filter(**within).order_by("asked_at", "pk"), fields.ASK)
    steps = _by_generation(Step.objects.filter(**within).order_by("position"), fields.STEP)
    found: dict[int, list[Run]] = {}
    made = list(Generation.objects.filter(message__in=written).order_by("created_at", "pk"))
    requests = sent.Outward(made, keys)
    for row in made:
        told = {"passages": outward(row.passages, digests), "context": asked.placed(row.context, names)}
        run = Run(
            _values(row, fields.RUN) | told,
            activities=tuple(calls.get(row.pk, ())),
            asks=tuple(asks.get(row.pk, ())),
            steps=tuple(steps.get(row.pk, ())),
            asked=asked.outward(row.receipt),
            sent=requests.of(row),
        )
        found.setdefault(row.message_id, []).append(run)
    return found


def _by_generation(rows: Iterable[Any], names: fields.Fields) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.generation_id, []).append(_values(row, names))
    return found


def _values(row: Model, names: fields.Fields) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
