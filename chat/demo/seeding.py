"""Fills a person's hub, in a few statements for many conversations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Max, Model
from django.utils import timezone

from backends.database import write_transaction
from chat.demo.prose import Prose
from chat.models import Activity, Conversation, Generation, Message, MessageRole, Project, Status, Tag

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Conversations of one transaction, and rows of one statement.
_AT_ONCE, _BATCH = 50, 500
_MODELS = ("qwen3:8b", "llama3.2:3b", "gemma3:12b", "mistral-small")
_TAGS = ("work", "home", "to read", "ideas", "health", "travel")
_PROJECTS = ("Garden", "Thesis", "New kitchen")
YEAR = timedelta(days=365)


@dataclass(slots=True)
class _Rows:
    """What one transaction inserts."""

    conversations: list[Conversation] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    generations: list[Generation] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    heads: list[tuple[int, Any]] = field(default_factory=list)
    tags: list[tuple[Any, int]] = field(default_factory=list)


class Seeder:
    """Makes conversations of one person over the last year, the same for the same ``seed``."""

    def __init__(self, owner: User, seed: int = 0) -> None:
        self.owner = owner
        self.prose = Prose(seed)
        self.random = self.prose.random
        self.now = timezone.now()

    def fill(
        self, conversations: int, messages: int, told: Callable[[int], None] = lambda count: None
    ) -> None:
        """So many conversations with so many messages together; ``told`` hears how many there are."""
        tags = [Tag.objects.get_or_create(owner=self.owner, name=name)[0] for name in _TAGS]
        projects = [Project.objects.get_or_create(owner=self.owner, name=name)[0] for name in _PROJECTS]
        lengths = list(self._lengths(conversations, messages))
        for start in range(0, conversations, _AT_ONCE):
            with write_transaction():
                rows = _Rows()
                key = (Message.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
                for place, length in enumerate(lengths[start : start + _AT_ONCE], start):
                    moment = self.now - YEAR * (1 - (place + 1) / conversations)
                    key = self._conversation(rows, moment, length, key, tags, projects)
                _save(rows)
            told(min(start + _AT_ONCE, conversations))

    def _lengths(self, conversations: int, messages: int) -> Iterator[int]:
        """Many short conversations and a few very long ones; even numbers, which add up."""
        shares = [self.random.lognormvariate(0, 1) for _ in range(conversations)]
        turns, total = messages // 2, sum(shares)
        for at, share in enumerate(shares):
            left = conversations - at - 1
            count = max(1, min(round(turns * share / total), turns - left)) if left else max(turns, 1)
            total -= share
            turns -= count
            yield 2 * count

    def _conversation(
        self, rows: _Rows, began: datetime, length: int, key: int, tags: list[Tag], projects: list[Project]
    ) -> int:
        chance = self.random.random
        talk = Conversation(
            owner=self.owner,
            title=self.prose.title(),
            project=self.random.choice(projects) if chance() < 0.1 else None,
            model_id=self.random.choice(_MODELS),
            archived_at=self.now if chance() < 0.15 else None,
            updated_at=began + timedelta(minutes=length),
        )
        talk.created_at = began  # adding it sets another; _save puts this back
        rows.conversations.append(talk)
        parent: int | None = None
        for place in range(length):
            moment = began + timedelta(minutes=place)
            key, parent = self._message(rows, talk, moment, key, parent, is_answer=place % 2 == 1)
        if parent:
            rows.heads.append((parent, talk.pk))
        if chance() < 0.2:
            rows.tags.append((talk.pk, self.random.choice(tags).pk))
        return key

    def _message(
        self,
        rows: _Rows,
        talk: Conversation,
        moment: datetime,
        key: int,
        parent: int | None,
        *,
        is_answer: bool,
    ) -> tuple[int, int]:
        """One message, now and then with a sibling that is not shown. Gives the next free key and its own."""
        siblings = 2 if is_answer and self.random.random() < 0.03 else 1
        for pk in range(key, key + siblings):
            row = Message(
                pk=pk,
                conversation=talk,
                parent_id=parent,
                role=MessageRole.ASSISTANT if is_answer else MessageRole.USER,
                text=self.prose.answer() if is_answer else self.prose.question(),
                reasoning=self.prose.paragraphs(1) if is_answer and self.random.random() < 0.2 else "",
            )
            row.created_at = moment
            rows.messages.append(row)
            if is_answer:
                self._run(rows, row, talk.model_id, moment)
        return key + siblings, key + siblings - 1

    def _run(self, rows: _Rows, answer: Message, model: str, moment: datetime) -> None:
        run = Generation(
            message=answer,
            backend_name="Demo",
            model_id=model,
            status=Status.COMPLETED,
            finish_reason="stop",
            input_tokens=self.random.randint(50, 4000),
            output_tokens=len(answer.text) // 4,
            tokens_per_second=self.random.uniform(8, 60),
            ttft_ms=self.random.randint(80, 2500),
            started_at=moment,
            finished_at=moment + timedelta(seconds=20),
        )
        run.created_at = moment
        rows.generations.append(run)
        if self.random.random() < 0.02:
            rows.activities.append(
                Activity(
                    generation=run,
                    position=0,
                    name="web_search",
                    state="done",
                    input='{"query": "' + self.prose.topic() + '"}',
                    output=self.prose.paragraphs(3),
                    started_at=moment,
                    finished_at=moment,
                )
            )


def _save(rows: _Rows) -> None:
    """Insert them. The moments come last: inserting sets them to now."""
    dated = {
        "chat_conversation": _moments(rows.conversations),
        "chat_message": _moments(rows.messages),
        "chat_generation": _moments(rows.generations),
    }
    Conversation.objects.bulk_create(rows.conversations, batch_size=_BATCH)
    Message.objects.bulk_create(rows.messages, batch_size=_BATCH)
    Generation.objects.bulk_create(rows.generations, batch_size=_BATCH)
    Activity.objects.bulk_create(rows.activities, batch_size=_BATCH)
    through = Conversation.tags.through
    through.objects.bulk_create(through(conversation_id=talk, tag_id=tag) for talk, tag in rows.tags)
    with connection.cursor() as cursor:
        for table, values in dated.items():
            cursor.executemany(f"UPDATE {table} SET created_at = %s WHERE id = %s", values)  # noqa: S608
        heads = [(head, _hex(talk)) for head, talk in rows.heads]
        cursor.executemany("UPDATE chat_conversation SET head_id = %s WHERE id = %s", heads)
        for statement in connection.ops.sequence_reset_sql(no_style(), [Message]):
            cursor.execute(statement)


def _moments(made: Iterable[Conversation | Message | Generation]) -> list[tuple[Any, Any]]:
    """When each began, and its key, as the database takes them."""
    return [(connection.ops.adapt_datetimefield_value(row.created_at), _key(row)) for row in made]


def _key(row: Model) -> Any:
    return _hex(row.pk) if isinstance(row.pk, UUID) else row.pk


def _hex(key: UUID) -> Any:
    return key if connection.features.has_native_uuid_field else key.hex
