"""What a person decides about a conversation that outgrows its model's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.cutting import draw
from chat.generation.reach import in_force
from chat.generation.updates import Kind
from chat.models import Conversation, Cut, CutKind, Generation, Message, MessageRole, Overflow
from chat.services.answers import bump, ref_of, retry
from chat.services.branches import COPIED, held, refuse_before_vote
from chat.services.editing import attach_again
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import add_answer, begin, refuse_while_answering, tell

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Characters of a summary.
LONGEST_SUMMARY = 20_000


def decide(conversation: Conversation, overflow: str) -> None:
    """What happens from now on. Lines that were only proposed go; they are drawn anew where needed. Raises Refused."""
    if overflow not in Overflow.values:
        raise Refused(_("Choose what happens when the chat outgrows the window."))
    with write_transaction():
        conversation.cuts.filter(kind=CutKind.PROPOSED).delete()
        Conversation.objects.filter(pk=conversation.pk).update(overflow=overflow)
        bump(conversation)
    conversation.refresh_from_db(fields=["overflow", "revision"])
    tell(Kind.CHANGED, conversation)


def answer_so(user: User, answer: Message, overflow: str, ref: str = "") -> Generation:
    """Decide, and ask the question of that answer again. Raises Refused."""
    refuse_while_answering(answer.conversation)
    decide(answer.conversation, overflow)
    return retry(user, answer, ref)


def carry_on(user: User, conversation: Conversation, answer: Message | None = None) -> Conversation:
    """A new conversation that begins with a summary of this one. Raises Refused.

    With a failed ``answer`` its question is asked there; the summary is then of what came before.
    """
    refuse_before_vote(conversation)
    question = answer.parent if answer else None
    last = question.parent if question else conversation.head
    if last is None:
        raise Refused(_("There is nothing to summarise yet."))
    model = find_model(user, ref_of(answer)) if answer and question else None
    with write_transaction():
        conversation = held(conversation)
        new = Conversation.objects.create(
            **{name: getattr(conversation, name) for name in COPIED} | {"overflow": Overflow.SUMMARISE},
            title=conversation.title,
            has_cuts=True,
            updated_at=timezone.now(),
        )
        new.cuts.create(kind=CutKind.SUMMARISED, covers=last, left_out=len(conversation.ids_up_from(last.pk)))
        if question is None or model is None:
            return new
        _answer, generation = add_answer(new, copied(question, new), model)
    begin(generation)
    return new


def copied(question: Message, conversation: Conversation) -> Message:
    """The question with its files as the first message of another conversation. Inside the caller's transaction."""
    attachments = list(question.attachments.all())
    copy = Message.objects.create(
        conversation=conversation, role=MessageRole.USER, text=question.text, attached=question.attached
    )
    attach_again(copy, attachments)
    return copy


def edit_summary(cut: Cut, text: str) -> None:
    """Another summary, in the person's own words; an empty one is written anew by the model. Raises Refused."""
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if len(text) > LONGEST_SUMMARY:
        raise Refused(
            _("This summary is too long. Keep it below %(count)d characters.") % {"count": LONGEST_SUMMARY}
        )
    with write_transaction():
        Cut.objects.filter(pk=cut.pk).update(
            summary=text, edited=bool(text), unread=0 if text else cut.unread, kind=CutKind.SUMMARISED
        )
        bump(cut.conversation)
    told(cut)


def leave_out(conversation: Conversation, message: Message) -> None:
    """Send nothing above a question, or up to an answer, from now on. Raises Refused."""
    with write_transaction():
        conversation = held(conversation)
        refuse_while_answering(conversation)
        after = line_above(conversation, message)
        if after is None:
            raise Refused(_("The model does not see what is above anyway."))
        draw(conversation, Message.objects.get(pk=after), CutKind.DROPPED)
        bump(conversation)
    tell(Kind.CHANGED, conversation)


def line_above(conversation: Conversation, message: Message) -> int | None:
    """The message below which a line would leave out what is above a question, or all up to an answer.

    None where nothing is above it, where it is not shown, and where a line that leaves out as much is drawn already.
    """
    if conversation.comparison_id is not None:  # its columns are asked the same
        return None
    above = conversation.ids_up_from(message.pk, limit=2)
    after = message.pk if message.role == MessageRole.ASSISTANT else [None, *above[:-1]][-1]
    below = conversation.ids_up_from(conversation.head_id, until=after) if after else []
    if after is None or below[:1] != [after]:
        return None
    lines = Cut.of(conversation)
    return None if any(in_force(lines.get(place)) for place in below) else after


def remove_line(cut: Cut) -> None:
    """Send everything again, as far as it fits."""
    with write_transaction():
        cut.delete()
        bump(cut.conversation)
    told(cut)


def told(cut: Cut) -> None:
    """Have pages show the line as it is now."""
    cut.conversation.refresh_from_db(fields=["revision"])
    tell(Kind.CHANGED, cut.conversation)
