"""The line in a thread above which the model does not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.models import Conversation, Cut, CutKind
from chat.presenters.message import MessageView
from chat.presenters.meter import CutView


def with_cuts(conversation: Conversation, messages: Sequence[MessageView]) -> tuple[MessageView, ...]:
    """The messages, each with the line above it. No query where the conversation never had a line."""
    if not conversation.has_cuts or not messages:
        return tuple(messages)
    lines = {
        place: cut_view(cut) for place, cut in lines_on(conversation, [one.id for one in messages]).items()
    }
    return tuple(replace(one, cut=lines[one.id]) if one.id in lines else one for one in messages)


def first_line(conversation: Conversation) -> CutView | None:
    """The line above everything, of a conversation that goes on from another one."""
    cut = conversation.cuts.filter(after=None).first() if conversation.has_cuts else None
    return cut_view(cut) if cut else None


def last_line(conversation: Conversation, last: int) -> CutView | None:
    """The line below the last message of a path: the next question is the first that is sent."""
    cut = conversation.cuts.filter(after=last).first() if conversation.has_cuts else None
    return cut_view(cut) if cut else None


def line_in_force(conversation: Conversation) -> CutView | None:
    """The lowest line of the path that is shown, though it be far above. No query where there never was one."""
    if not conversation.has_cuts:
        return None
    cuts = conversation.cuts.exclude(kind=CutKind.PROPOSED).order_by(F("after").desc(nulls_last=True))
    return next((cut_view(cut) for cut in cuts if is_on_path(conversation, cut)), None)


def lines_on(conversation: Conversation, ids: Sequence[int]) -> dict[int, Cut]:
    """Message -> the line above it: the lowest of the path and the lowest proposal, if they are on this page."""
    cuts = sorted(conversation.cuts.all(), key=lambda cut: cut.after_id or 0, reverse=True)
    found: dict[int, Cut] = {}
    kinds: set[bool] = set()
    for cut in cuts:
        proposed = cut.kind == CutKind.PROPOSED
        if proposed in kinds:
            continue
        if (place := place_of(conversation, cut, ids)) is not None:
            kinds.add(proposed)
            found.setdefault(place, cut)
        elif (cut.after_id or 0) >= ids[-1] and is_on_path(conversation, cut):
            kinds.add(proposed)
    return found


def place_of(conversation: Conversation, cut: Cut, ids: Sequence[int]) -> int | None:
    """The message of the page that is the first below the line."""
    after = cut.after_id
    if after in ids:
        rest = ids[ids.index(after) + 1 :] if after is not None else ids
        return rest[0] if rest else None
    above = conversation.ids_up_from(ids[0], limit=2)[:-1]
    return ids[0] if above == ([] if after is None else [after]) else None


def is_on_path(conversation: Conversation, cut: Cut) -> bool:
    """Whether the line is on the path that is shown."""
    after = cut.after_id
    return after is None or conversation.ids_up_from(conversation.head_id, until=after, first=1) == [after]


def cut_view(cut: Cut) -> CutView:
    """The line in words."""
    return CutView(
        id=str(cut.pk),
        kind=cut.kind,
        sentence=sentence(cut),
        summary=cut.summary if cut.kind == CutKind.SUMMARISED else "",
        awaits=_("A summary of them is written before the next answer.") if cut.awaits_summary else "",
        note=note(cut),
        edit_url=reverse("chat:cut", args=[cut.pk]) if cut.kind == CutKind.SUMMARISED else "",
        change_url=reverse("chat:context", args=[cut.conversation_id]),
        remove_url=reverse("chat:cut-remove", args=[cut.pk]) if cut.kind == CutKind.DROPPED else "",
    )


def sentence(cut: Cut) -> str:
    """What the line means."""
    count = cut.left_out
    if cut.kind == CutKind.PROPOSED:
        text = ngettext(
            "The model’s window would begin here: %(count)d message above does not fit.",
            "The model’s window would begin here: %(count)d messages above do not fit.",
            count,
        )
    elif cut.after_id is None:
        return _("This chat goes on from another one, of which the model reads a summary.")
    elif cut.kind == CutKind.SUMMARISED:
        text = ngettext(
            "The model does not see the message above, only a summary of it.",
            "The model does not see the %(count)d messages above, only a summary of them.",
            count,
        )
    else:
        text = ngettext(
            "The model does not see the message above.",
            "The model does not see the %(count)d messages above.",
            count,
        )
    return text % {"count": count}


def note(cut: Cut) -> str:
    """What there is to know about the summary."""
    if cut.edited:
        return _("Edited by you.")
    if cut.unread:
        text = ngettext(
            "%(count)d older message was too much to be read for it.",
            "%(count)d older messages were too much to be read for it.",
            cut.unread,
        )
        return text % {"count": cut.unread}
    return ""
