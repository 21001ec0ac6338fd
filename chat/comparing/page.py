"""From two answers to the page that compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from chat.comparing.diff import Stretch, stretches
from chat.details import details
from chat.models import Conversation, Generation, Message, MessageRole
from chat.presenting.endings import model_label

#: Characters of an answer that are compared.
LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """One of the answers."""

    id: int
    label: str
    is_first: bool
    is_second: bool


@dataclass(frozen=True, slots=True)
class FactRow:
    """One thing known of either answer. ``differs``: it is not the same."""

    label: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Two answers. ``asked`` is a sentence about whether they were asked the same; ``cut``: they are too long."""

    choices: tuple[ChoiceView, ...]
    first_label: str
    second_label: str
    first_receipt: str
    second_receipt: str
    facts: tuple[FactRow, ...]
    asked: str
    stretches: tuple[Stretch, ...]
    same: bool
    cut: bool
    thread_url: str
    thread_title: str
    conversation_id: str


def siblings(answer: Message) -> list[Message]:
    """This and all other answers to the same question, the oldest first; of others no deleted ones."""
    if answer.parent_id is None:
        return []
    rows = Message.objects.filter(
        Q(deleted_at=None, conversation__deleted_at=None) | Q(pk=answer.pk),
        parent=answer.parent_id,
        role=MessageRole.ASSISTANT,
        conversation__owner=answer.conversation.owner_id,
    )
    return list(rows.order_by("pk"))


def query_of(answer: Message, conversation: Conversation) -> str:
    """What names the conversation in an address, where that is a fork which shares the answer."""
    return f"?conversation={conversation.pk}" if conversation.pk != answer.conversation_id else ""


def compare_url(answer: Message, conversation: Conversation) -> str:
    """Where it is compared with the others to the same question; empty where there are none."""
    if answer.role != MessageRole.ASSISTANT or answer.parent_id is None:
        return ""
    others = Message.objects.filter(
        parent=answer.parent_id, role=answer.role, deleted_at=None, conversation__deleted_at=None
    )
    if not others.exclude(pk=answer.pk).exists():
        return ""
    return reverse("chat:compare-answers", args=[answer.pk]) + query_of(answer, conversation)


def pair_of(found: Sequence[Message], wanted: Sequence[int], default: int) -> tuple[Message, Message]:
    """The two to compare: the wanted ones, else the given one and its neighbour. There are at least two."""
    by_id = {row.pk: row for row in found}
    ids = [pk for pk in dict.fromkeys(wanted) if pk in by_id][:2]
    if len(ids) == 2:
        return by_id[ids[0]], by_id[ids[1]]
    at = next(place for place, row in enumerate(found) if row.pk == default)
    at = max(1, at)
    return found[at - 1], found[at]


def comparison_view(
    found: Sequence[Message], first: Message, second: Message, answer: Message, conversation: Conversation
) -> ComparisonView:
    """The page, from the conversation that shows ``answer``, one of them. Two queries."""
    runs = newest_runs(found)
    shown_in = {answer.pk: query_of(answer, conversation)}
    labels = {row.pk: label_of(place, row, runs.get(row.pk)) for place, row in enumerate(found, 1)}
    return ComparisonView(
        choices=tuple(
            ChoiceView(row.pk, labels[row.pk], row.pk == first.pk, row.pk == second.pk) for row in found
        ),
        first_label=labels[first.pk],
        second_label=labels[second.pk],
        first_receipt=receipt_url(runs.get(first.pk), shown_in),
        second_receipt=receipt_url(runs.get(second.pk), shown_in),
        facts=fact_rows(runs.get(first.pk), runs.get(second.pk)),
        asked=asked(runs.get(first.pk), runs.get(second.pk)),
        stretches=tuple(stretches(first.text[:LONGEST], second.text[:LONGEST])),
        same=first.text == second.text,
        cut=max(len(first.text), len(second.text)) > LONGEST,
        thread_url=conversation.get_absolute_url(),
        thread_title=conversation.title,
        conversation_id=str(conversation.pk),
    )


def newest_runs(found: Sequence[Message]) -> dict[int, Generation]:
    """Message id -> the generation that wrote it last."""
    rows = Generation.objects.filter(message__in=[row.pk for row in found])
    return {row.message_id: row for row in rows.select_related("backend").order_by("created_at")}


def label_of(place: int, row: Message, run: Generation | None) -> str:
    """How the page calls an answer."""
    who = _("edited by you") if row.edited or run is None else model_label(run)
    when = formats.date_format(timezone.localtime(row.created_at), "SHORT_DATETIME_FORMAT")
    return _("Answer %(place)d · %(who)s · %(when)s") % {"place": place, "who": who, "when": when}


def receipt_url(run: Generation | None, shown_in: Mapping[int, str]) -> str:
    """Its receipt; ``shown_in``: message id -> what names the fork that shows it."""
    if run is None or run.alias:
        return ""
    return reverse("chat:receipt", args=[run.pk]) + shown_in.get(run.message_id, "")


def fact_rows(first: Generation | None, second: Generation | None) -> tuple[FactRow, ...]:
    """Model, timings and tokens of both, in the order of the details."""
    known = [{fact.name: fact for fact in details(run)} if run else {} for run in (first, second)]
    names = list(dict.fromkeys([*known[0], *known[1]]))
    found = []
    for name in names:
        pair = [facts.get(name) for facts in known]
        label = next(fact.label for fact in pair if fact)
        found.append(FactRow(label, *(fact.value if fact else "" for fact in pair)))
    return tuple(found)


def asked(first: Generation | None, second: Generation | None) -> str:
    """Whether the two models were asked the same, as far as the receipts tell."""
    if first is None or second is None or not (first.receipt.get("rounds") and second.receipt.get("rounds")):
        return ""
    differences = {
        _("the model"): first.model_id != second.model_id or first.backend_name != second.backend_name,
        _("the system text"): first.system_text_id != second.system_text_id,
        _("the options"): first.receipt.get("options") != second.receipt.get("options"),
        _("the messages"): first.receipt.get("turns") != second.receipt.get("turns"),
        _("the tools"): first.tools_text_id != second.tools_text_id,
    }
    told = [name for name, differs in differences.items() if differs]
    if not told:
        return _("Both were asked exactly the same.")
    return _("What was asked differs in: %(names)s.") % {"names": ", ".join(told)}
