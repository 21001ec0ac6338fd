"""Questions typed ahead: kept while an answer is written, asked in their order when it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation import runtime
from chat.generation.updates import Kind
from chat.models import Conversation, Generation, Status, UpcomingQuestion
from chat.services import branches
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import Sent, already_sent, ask, begin, checked, tell

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Questions that may wait in one conversation.
LIMIT = 20
#: Conversations that one look for forgotten questions takes on.
AT_ONCE = 50


class Gone(Refused):
    """The question waits no more."""


def add(user: User, conversation: Conversation, text: str, ref: str, key: str) -> UpcomingQuestion | None:
    """Keep a question for later. None where this form was sent before. Raises Refused."""
    text = checked(text)
    with write_transaction():
        held = branches.held(conversation)
        if key and (held.upcoming.filter(key=key[:64]).exists() or already_sent(user, key, text)):
            return None
        if held.upcoming_count >= LIMIT:
            raise Refused(
                _("%(count)d questions are waiting already. Let some of them go first.") % {"count": LIMIT}
            )
        row = UpcomingQuestion.objects.create(conversation=held, text=text, ref=ref[:320], key=key[:64])
        count(held, draft="")
    tell(Kind.UPCOMING, held)
    send_next(held.pk)  # the answer may have ended meanwhile
    return row


def edit(row: UpcomingQuestion, text: str) -> None:
    """Another text. Raises Refused, also where it was sent meanwhile."""
    text = checked(text)
    with write_transaction():
        held = branches.held(row.conversation)
        if not held.upcoming.filter(pk=row.pk).update(text=text, trouble=""):
            raise gone()
        count(held)
    tell(Kind.UPCOMING, held)


def remove(row: UpcomingQuestion) -> None:
    """Take it back. Raises Refused where it was sent meanwhile."""
    with write_transaction():
        held = branches.held(row.conversation)
        if not held.upcoming.filter(pk=row.pk).delete()[0]:
            raise gone()
        count(held)
    tell(Kind.UPCOMING, held)


def send_now(row: UpcomingQuestion) -> None:
    """Send what is held back, from the first one on; for after an answer that failed. Raises Refused."""
    if Generation.objects.active().filter(message__conversation=row.conversation).exists():
        raise Refused(_("An answer is still being written. This question follows it."))
    send_next(row.conversation_id, after_failure=True)


def gone() -> Gone:
    """What is said where a question waits no more."""
    return Gone(_("This question no longer waits: it was sent or removed meanwhile."))


def send_next(conversation_id: UUID | str, *, after_failure: bool = False) -> Sent | None:
    """Ask the first question that waits, where the conversation is quiet and nothing went wrong before it."""
    rows = Conversation.objects.filter(pk=conversation_id, deleted_at=None, upcoming_count__gt=0)
    if not rows.exists():
        return None
    with write_transaction():
        conversation = rows.select_for_update(of=("self",)).select_related("owner").first()
        if conversation is None or is_busy(conversation, after_failure=after_failure):
            return None
        sent = send_first(conversation, asked_for=after_failure)
    tell(Kind.CHANGED, conversation)
    if sent:
        begin(sent.generation)
    return sent


def is_busy(conversation: Conversation, *, after_failure: bool) -> bool:
    """Whether an answer is written, or the last one went wrong, so that the person should look first."""
    within = Generation.objects.filter(message__conversation=conversation).order_by("-created_at")
    newest = within.values_list("status", flat=True).first()
    if newest in (Status.FAILED, Status.INTERRUPTED) and not after_failure:
        return True
    return within.active().exists()


def send_first(conversation: Conversation, *, asked_for: bool) -> Sent | None:
    """Turn the first one into a question with its answer. Inside the caller's transaction.

    None where its model is gone: that is noted, and it stays. So does one that is held, unless the person asked.
    """
    row = conversation.upcoming.order_by("pk").first()
    if row is None:
        Conversation.objects.filter(pk=conversation.pk).update(upcoming_count=0)
        return None
    if row.held and not asked_for:
        return None
    try:
        model = find_model(conversation.owner, row.ref)
        sent = ask(conversation, conversation.owner, row.text, model, row.key)
    except Refused as refused:
        if row.trouble != str(refused):
            conversation.upcoming.filter(pk=row.pk).update(trouble=str(refused))
            count(conversation)
        return None
    row.delete()
    count(conversation)
    return sent


def count(conversation: Conversation, **values: str) -> None:
    """Count what waits, and that the page changed. Inside the caller's transaction."""
    waiting = conversation.upcoming.count()
    Conversation.objects.filter(pk=conversation.pk).update(
        upcoming_count=waiting, revision=F("revision") + 1, **values
    )
    conversation.refresh_from_db(fields=["upcoming_count", "revision"])


def send_forgotten() -> None:
    """Ask what waits in quiet conversations: after a restart, or where another process ended the answer."""
    ready = UpcomingQuestion.objects.filter(held=False)
    waiting = Conversation.objects.filter(
        upcoming_count__gt=0, deleted_at=None, pk__in=ready.values("conversation")
    )
    active = Generation.objects.active().filter(message__conversation__in=waiting)
    quiet = waiting.exclude(pk__in=active.values("message__conversation"))
    for pk in list(quiet.values_list("pk", flat=True)[:AT_ONCE]):
        send_next(pk)


runtime.after_end.append(send_next)
runtime.sweeps.append(send_forgotten)
