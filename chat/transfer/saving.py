"""Portable conversations to rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from chat.models import (
    TITLE_LENGTH,
    Activity,
    Ask,
    Attachment,
    Conversation,
    Cut,
    Generation,
    Message,
    Step,
)
from chat.services.order import tags_named
from chat.services.refusals import Refused
from chat.transfer import asked, projects, sent, waiting
from chat.transfer.excerpts import called, inward, of_project
from chat.transfer.files import NO_FILES, ByTurn, store
from chat.transfer.library import preset_row, prompt_row
from chat.transfer.portable import Run, Talk, Turn
from chat.transfer.servers import usable_backend

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Rows that one statement writes.
BATCH = 200


def save(owner: User, talk: Talk, brought: ByTurn = NO_FILES) -> Conversation:
    """A new conversation with everything in it. Inside the caller's transaction."""
    now = timezone.now()
    conversation = Conversation.objects.create(
        owner=owner,
        title=talk.title[:TITLE_LENGTH],
        **_prompt(owner, talk),
        prompt_values=dict(talk.prompt_values),
        **_sampling(owner, talk),
        backend=usable_backend(owner, talk.backend, talk.model_id),
        project=projects.named(owner, talk.project),
        model_id=talk.model_id,
        pinned_at=talk.pinned_at,
        archived_at=talk.archived_at,
        overflow=talk.overflow,
        has_cuts=bool(talk.lines),
        tools=dict(talk.tools),
        unread=talk.unread,
        draft=talk.draft,
        updated_at=talk.updated_at or now,
    )
    if talk.tags:
        with suppress(Refused):  # the person has too many
            conversation.tags.set(tags_named(owner, talk.tags))
    messages = _save_messages(conversation, talk, now)
    files = store(owner, messages, brought) if brought else []
    _save_runs(owner, messages, talk, now, files)
    _save_lines(conversation, messages, talk)
    conversation.created_at = talk.created_at or talk.updated_at or now
    conversation.head = messages.get(talk.head or "")
    if talk.upcoming:
        waiting.save(owner, conversation, talk.upcoming)
    conversation.save(update_fields=["created_at", "head", "upcoming_count"])
    return conversation


def _save_lines(conversation: Conversation, messages: Mapping[str, Message], talk: Talk) -> None:
    rows = (
        Cut(conversation=conversation, after=place, covers=place, **line.values)
        for line in talk.lines
        for place in [messages.get(line.after or "")]
    )
    if talk.lines:
        Cut.objects.bulk_create(rows)


def _prompt(owner: User, talk: Talk) -> dict[str, Any]:
    """As a conversation has it: where the library takes no more, the text is its own."""
    entry = prompt_row(owner, talk.prompt) if talk.prompt else None
    return {"prompt": entry, "system_prompt": talk.system_prompt if entry else talk.instructions}


def _sampling(owner: User, talk: Talk) -> dict[str, Any]:
    """Options and preset as a conversation has them: where a person has too many presets, its options are its own."""
    preset, options = talk.preset, dict(talk.options)
    if preset is None or preset.builtin:
        return {"builtin_preset": preset.builtin if preset else "", "options": options}
    own = preset_row(owner, preset)
    return {"preset": own, "options": options if own else {**preset.options, **options}}


def _save_messages(conversation: Conversation, talk: Talk, now: datetime) -> dict[str, Message]:
    rows = {
        turn.id: Message(
            conversation=conversation,
            role=turn.role,
            text=turn.text,
            reasoning=turn.reasoning,
            reasoning_seconds=turn.reasoning_seconds,
            has_steps=any(run.steps for run in turn.runs),
            edited=turn.edited,
        )
        for turn in talk.turns
    }
    Message.objects.bulk_create(rows.values(), batch_size=BATCH)
    parents = {turn.id: turn.parent for turn in talk.turns}
    values = []
    for turn in talk.turns:
        row, parent = rows[turn.id], rows.get(turn.parent or "")
        row.created_at = turn.created_at or talk.created_at or now  # adding it has set another
        chosen = rows[turn.chosen].pk if turn.chosen and parents.get(turn.chosen) == turn.id else None
        values.append((parent and parent.pk, chosen, _moment(row.created_at), row.pk))
    _amend("UPDATE chat_message SET parent_id = %s, chosen_id = %s, created_at = %s WHERE id = %s", values)
    return rows


def _save_runs(
    owner: User, messages: dict[str, Message], talk: Talk, now: datetime, files: list[tuple[str, Attachment]]
) -> None:
    runs = [(turn, run) for turn in talk.turns for run in turn.runs]
    ids = _names(files, messages, runs)
    places = {turn: row.pk for turn, row in messages.items()}
    receipts = sent.Inward(owner.pk, [row.pk for row in messages.values()])
    made = [_generation(messages[turn.id], run, ids, places, receipts.columns(run)) for turn, run in runs]
    where = {turn: place for place, turn in enumerate(messages)}
    sent.repeated([(where[turn.id], run) for turn, run in runs], made)
    receipts.keep_texts()
    created = [run.values["created_at"] or turn.created_at or now for turn, run in runs]
    Generation.objects.bulk_create(made, batch_size=BATCH)
    for row, moment in zip(made, created, strict=True):
        row.created_at = moment
    values = ((_moment(row.created_at), row.pk.hex) for row in made)
    _amend("UPDATE chat_generation SET created_at = %s WHERE id = %s", values)
    for (turn, run), row in zip(runs, made, strict=True):
        if run.activities or run.steps or run.asks:
            _save_parts(turn, run, row)


def _generation(
    message: Message,
    run: Run,
    files: Mapping[str, str],
    places: Mapping[str, int],
    receipt: Mapping[str, Any],
) -> Generation:
    own = {
        "passages": inward(run.values["passages"], files),
        "context": asked.placed(run.values["context"], places),
    }
    return Generation(message=message, **{**run.values, **own, **receipt})


def _names(
    files: list[tuple[str, Attachment]], messages: dict[str, Message], runs: list[tuple[Turn, Run]]
) -> dict[str, str]:
    """What the file calls documents -> their ids. No query where no run was given passages."""
    row = next((messages[turn.id] for turn, run in runs if run.values["passages"]), None)
    if row is None:
        return {}
    own = [(str(found.pk), digest) for digest, found in files]
    own += of_project(row.conversation) if row.conversation.project else []
    return {name: pk for pk, name in called(own).items()}


def _amend(statement: str, values: Iterable[tuple[Any, ...]]) -> None:
    """Write fields of rows that were just made. ``bulk_update`` does the same many times slower."""
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(values))


def _moment(value: datetime | None) -> Any:
    """A moment as the database takes it."""
    return connection.ops.adapt_datetimefield_value(value)


def _save_parts(turn: Turn, run: Run, row: Generation) -> None:
    began = row.created_at
    Activity.objects.bulk_create(
        (
            Activity(
                generation=row,
                position=position,
                imported=True,
                **{
                    **call,
                    "output_size": call["output_size"] or 0,
                    "started_at": call["started_at"] or began,
                },
            )
            for position, call in enumerate(run.activities)
        ),
        batch_size=BATCH,
    )
    Step.objects.bulk_create(
        (
            Step(
                generation=row,
                position=position,
                **{
                    **step,
                    "end": min(step["end"] or 0, len(turn.text)),
                    "finished_at": step["finished_at"] or began,
                },
            )
            for position, step in enumerate(run.steps)
        ),
        batch_size=BATCH,
    )
    for ask in run.asks:
        asked = ask["asked_at"] or began
        Ask.objects.create(
            generation=row, **{**ask, "asked_at": asked, "expires_at": ask["expires_at"] or asked}
        )
