"""Between rows and portable conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from chat.attachments import with_attachments
from chat.models import (
    TITLE_LENGTH,
    Activity,
    Ask,
    Attachment,
    Conversation,
    Cut,
    CutKind,
    Generation,
    Message,
    Step,
)
from chat.services.order import tags_named
from chat.services.refusals import Refused
from chat.transfer import asked, comparisons, fields, projects, sent, waiting
from chat.transfer.excerpts import called, inward, outward
from chat.transfer.files import NO_FILES, ByTurn, store, told_of
from chat.transfer.library import portable_prompt, preset_of, preset_row, prompt_row
from chat.transfer.portable import HUB, Line, Run, Talk, Turn
from chat.transfer.servers import usable_backend
from chat.tree.reading import is_hidden, messages_of

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Rows that one statement writes.
BATCH = 200


def load(conversation: Conversation) -> Talk:
    """A conversation with everything in it. Seven queries, one more where there are files, one for lines, two for
    questions typed ahead, and one each for texts of receipts, files of its project, a prompt of the library, a preset
    of the person's own and a comparison.
    """
    rows, parents = _shown(conversation)
    with_attachments(rows)
    attached = [(str(each.pk), each.digest) for row in rows if row.attached for each in row.attachments.all()]
    if conversation.project is not None and conversation.project.attached:
        attached += _of_project(conversation)
    digests = called(attached)
    names = {row.pk: str(place) for place, row in enumerate(rows, 1)}
    runs = _runs(conversation, digests, names, [row.pk for row in rows])
    turns = tuple(
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
    own += _of_project(row.conversation) if row.conversation.project else []
    return {name: pk for pk, name in called(own).items()}


def _of_project(conversation: Conversation) -> list[tuple[str, str]]:
    """Id and digest of its project's files."""
    rows = Attachment.objects.filter(project=conversation.project_id).order_by("created_at", "pk")
    return [(str(pk), digest) for pk, digest in rows.values_list("pk", "digest")]


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
