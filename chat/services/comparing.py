"""Asking several models the same at once: every column is an ordinary conversation."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.arrivals import Staged
from chat.models import FEWEST, MOST, Comparison, Conversation, Generation
from chat.services.answers import stop_answers
from chat.services.attaching import received
from chat.services.beginning import Beginning
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import (
    Sent,
    already_sent,
    ask,
    begin,
    checked,
    hold,
    refuse_deleted,
    refuse_while_answering,
)
from chat.services.titles import title_from
from chat.services.uploads import refuse_early

if TYPE_CHECKING:
    from backends.models import CatalogueModel
    from privatechathub.accounts.models import User

    Uploads = Sequence[UploadedFile[bytes]]


@dataclass(frozen=True, slots=True)
class Wish:
    """One column: its model (``BACKEND-SLUG/MODEL-ID``), what it begins with, its own text and sampling options."""

    ref: str
    system_prompt: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    beginning: Beginning = field(default_factory=Beginning)


def begin_comparison(
    user: User, text: str, wishes: Sequence[Wish], key: str, *, blind: bool = False, uploads: Uploads = ()
) -> Comparison:
    """A new comparison with its first question. Raises Refused."""
    text = checked(text, may_be_empty=bool(uploads))
    refuse_wrong_number(wishes)
    models = [find_model(user, wish.ref) for wish in wishes]
    for model in models[1:]:
        refuse_early(uploads, model)
    with received(uploads, models[0]) as files, write_transaction():
        hold(user)
        earlier = already_sent(user, key, text, files)
        if earlier and earlier.conversation.comparison:
            return earlier.conversation.comparison
        comparison = Comparison.objects.create(owner=user, blind=blind)
        pairs = list(zip(wishes, models, strict=True))
        if blind:
            random.shuffle(pairs)
        title = title_from(text or files[0].ready.name)
        columns = [column_of(comparison, place, wish, title) for place, (wish, _m) in enumerate(pairs)]
        sent = ask_each(user, columns, [model for _w, model in pairs], text, key, files)
        if user.draft:
            user.draft = ""
            user.save(update_fields=["draft"])
    start_all(sent)
    return comparison


def refuse_wrong_number(wishes: Sequence[Wish]) -> None:
    """Two to four. Raises Refused."""
    if not FEWEST <= len(wishes) <= MOST:
        raise Refused(_("Pick %(fewest)d to %(most)d models to compare.") % {"fewest": FEWEST, "most": MOST})


def column_of(comparison: Comparison, place: int, wish: Wish, title: str) -> Conversation:
    """The conversation of one column. Inside the caller's transaction."""
    return Conversation.objects.create(
        owner=comparison.owner,
        title=title,
        system_prompt=wish.system_prompt.replace("\r\n", "\n").strip(),
        options=wish.options,
        comparison=comparison,
        column=place,
        alias=alias_of(place) if comparison.blind else "",
        updated_at=timezone.now(),
        **wish.beginning.columns(),
    )


def alias_of(place: int) -> str:
    """What stands for the model of that column while its name is hidden."""
    return _("Model %(letter)s") % {"letter": "ABCD"[place]}


def ask_columns(
    user: User, columns: Sequence[Conversation], text: str, key: str, uploads: Uploads = ()
) -> list[Sent]:
    """The next question to these columns of one comparison. Raises Refused, also while one of them is answered.

    The same form sent again gives nothing. Raises Conversation.DoesNotExist where one of them is gone.
    """
    text = checked(text, may_be_empty=bool(uploads))
    models = [model_of(user, column) for column in columns]
    for column, model in zip(columns, models, strict=True):
        refuse_early(uploads, model, column.alias)
    with received(uploads, models[0]) as files, write_transaction():
        hold(user)
        if already_sent(user, key, text, files):
            return []
        locked = Conversation.objects.select_for_update().in_bulk([column.pk for column in columns])
        if len(locked) < len(columns):
            raise Conversation.DoesNotExist
        held = [locked[column.pk] for column in columns]
        for conversation in held:
            conversation.owner = user
            refuse_deleted(conversation)
            refuse_while_answering(conversation)
        sent = ask_each(user, held, models, text, key, files)
        Conversation.objects.filter(comparison=held[0].comparison_id).update(draft="")
    start_all(sent)
    return sent


def model_of(user: User, column: Conversation) -> CatalogueModel:
    """The model of a column. Raises Refused where it is gone, by the name that the page shows."""
    ref = f"{column.backend.slug}/{column.model_id}" if column.backend else ""
    try:
        return find_model(user, ref)
    except Refused:
        name = column.alias or column.model_id
        raise Refused(_("“%(model)s” is not available any more.") % {"model": name}) from None


def ask_each(
    user: User,
    columns: Iterable[Conversation],
    models: Sequence[CatalogueModel],
    text: str,
    key: str,
    files: Sequence[Staged],
) -> list[Sent]:
    """Store the question in each column; those of one backend answer one after the other.

    Two that are written at once on one machine would slow each other down, and their times would mean nothing.
    A backend without slots has room for all of them. Inside the caller's transaction.
    """
    before: dict[int, Generation] = {}
    sent: list[Sent] = []
    for column, model in zip(columns, models, strict=True):
        after = before.get(model.backend_id) if model.backend.slot_limit else None
        sent.append(ask(column, user, text, model, "" if sent else key, files, after=after))
        before[model.backend_id] = sent[-1].generation
    return sent


def start_all(sent: Iterable[Sent]) -> None:
    """After the transaction: run them, or tell those who wait."""
    for each in sent:
        begin(each.generation)


def stop_all(comparison: Comparison) -> int:
    """Stop whatever is written or waits in any column. Gives their number.

    The last column first, so that stopping one doesn't let the next one begin.
    """
    return sum(stop_answers(column) for column in comparison.columns.order_by("-column"))
