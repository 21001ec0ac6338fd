"""The end of a conversation that a request can hold: read upwards, and no further than that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backends.adapters.messages import ChatMessage, ImagePart
from backends.models import CatalogueModel
from chat.generation import estimate
from chat.generation.attached import Attached, read_attached
from chat.generation.estimate import Size
from chat.generation.reading import NO_SHELF, Shelf, told_of
from chat.generation.steps import finished, sees, turns_of
from chat.generation.told import WHOLE, Told
from chat.generation.window import Turn
from chat.models import Conversation, Cut, CutKind, Message, MessageRole, Step
from chat.models.path import way_up

#: Messages that are read at once. Nearly every conversation is read whole by one query.
CHUNK = 200


@dataclass(slots=True)
class Reach:
    """``rows`` and what each is sent as, first to last. ``cut`` is the line above them, if there is one.

    ``whole``: nothing more is above them, up to the line or the beginning. ``left_out`` counts images that
    the model cannot see, of all that was read; ``told`` is what is sent of documents.
    """

    rows: list[Message] = field(default_factory=list)
    turns: list[list[ChatMessage]] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    files: list[Size] = field(default_factory=list)
    cut: Cut | None = None
    whole: bool = False
    left_out: int = 0
    told: Told = WHOLE

    def weighed(self, ratio: float) -> list[Turn]:
        """What the plan of a window is made from."""
        return [
            Turn(row.role == MessageRole.USER, size.tokens(ratio))
            for row, size in zip(self.rows, self.sizes, strict=True)
        ]

    def below(self, start: int) -> Reach:
        """Only what comes from that row on."""
        return Reach(
            self.rows[start:],
            self.turns[start:],
            self.sizes[start:],
            self.files[start:],
            self.cut,
            self.whole,
            left_out=self.left_out,
            told=self.told,
        )


def known_capabilities(model: CatalogueModel | None) -> frozenset[str] | None:
    """What the catalogue knows of the model; None where its server does not tell or the row is gone."""
    return None if model is None or model.capabilities is None else frozenset(model.capabilities)


def reach(
    answer: Message,
    model: CatalogueModel | None,
    cuts: Mapping[int | None, Cut],
    room: int | None,
    ratio: float,
    shelf: Shelf = NO_SHELF,
) -> Reach:
    """The messages before the answer, from the lowest line on, but no more than it takes to outgrow ``room`` tokens.

    Of their documents as many are whole as fit beside those of the ``shelf``.
    """
    found = Reach()
    tokens = 0
    for chunk in chunks(answer.conversation, answer.parent_id, cuts, found, answer.parent):
        _take(found, chunk, model, shelf)
        tokens += sum(size.tokens(ratio) for size in found.sizes[: len(chunk)])
        if room is not None and tokens > room and not found.whole:
            break
    return found


def chunks(
    conversation: Conversation,
    start: int | None,
    cuts: Mapping[int | None, Cut],
    found: Reach,
    known: Message | None = None,
) -> Iterator[list[Message]]:
    """Rows from that message upwards, each list first to last. Says in ``found`` where they ended.

    ``known`` is the first of these messages where it is at hand: that of a new conversation costs no query.
    """
    while start is not None:
        alone = known is not None and known.pk == start and known.parent_id is None
        rows = [known] if alone and known else rows_up(conversation, start)
        kept = _until_cut(rows, cuts, found)
        found.whole = found.cut is not None or len(rows) < CHUNK
        yield [row for row in kept if row.text or row.has_steps or row.role == MessageRole.USER]
        start = None if found.whole else rows[0].parent_id
    if found.cut is None:
        found.cut = in_force(cuts.get(None))
    found.whole = True


def rows_up(conversation: Conversation, start: int) -> list[Message]:
    """The shown messages from that one upwards, first to last."""
    way = way_up(conversation, start, limit=CHUNK)
    return list(Message.objects.filter(pk__in=way).order_by("pk"))


def count_up(conversation: Conversation, last: Message) -> int:
    """How many messages there are up to that one."""
    return Message.objects.filter(pk__in=way_up(conversation, last.pk)).count()


def _until_cut(rows: list[Message], cuts: Mapping[int | None, Cut], found: Reach) -> list[Message]:
    for at in range(len(rows) - 1, -1, -1):
        if cut := in_force(cuts.get(rows[at].pk)):
            found.cut = cut
            return rows[at + 1 :]
    return rows


def in_force(cut: Cut | None) -> Cut | None:
    """A line that leaves something out, and is not only proposed."""
    return cut if cut and cut.kind != CutKind.PROPOSED else None


def _take(found: Reach, rows: list[Message], model: CatalogueModel | None, shelf: Shelf) -> None:
    steps = steps_of(rows)
    told = told_of(rows, shelf, find=not found.rows)
    attached = read_attached(rows, model, told)
    images = sees(known_capabilities(model))
    turns = [chat_messages(row, steps.get(row.pk, ()), attached, images=images) for row in rows]
    found.rows[:0] = rows
    found.turns[:0] = turns
    found.sizes[:0] = [estimate.of_messages(messages) for messages in turns]
    found.files[:0] = [_files(row, attached) for row in rows]
    found.left_out += attached.left_out
    found.told = told.joined(found.told)


def _files(row: Message, attached: Attached) -> Size:
    parts = attached.parts.get(row.pk, ())
    return sum(
        (Size(images=1) if isinstance(part, ImagePart) else estimate.of_part(part) for part in parts), Size()
    )


def steps_of(rows: list[Message]) -> Mapping[int, Sequence[Step]]:
    """The rounds of those that called tools. No query where none did."""
    called = [row.pk for row in rows if row.has_steps]
    return Step.of_messages(called) if called else {}


def chat_messages(
    row: Message, steps: Sequence[Step], attached: Attached, *, images: bool
) -> list[ChatMessage]:
    """A stored turn as adapters know it; an answer that took rounds is several."""
    if steps:
        return finished(list(turns_of(row, steps, sees=images)))
    return [attached.turn(row)]
