"""Sending the request of an earlier answer once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.generation.sampling import taken_by
from chat.generation.updates import Kind
from chat.models import Conversation, Generation
from chat.services.branches import held
from chat.services.models import find_model
from chat.services.refusals import Refused
from chat.services.sending import add_answer, begin, refuse_while_answering, tell

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def repeat(
    user: User, generation: Generation, ref: str = "", *, within: Conversation | None = None
) -> Generation:
    """Another answer to the same request, with the same options and seed, by the same model or that of ``ref``.

    Only options that the model's server takes go along. The answer stands beside the first in the tree.
    ``within`` is the conversation that shows it, where that is a fork which shares it. Raises Refused while an
    answer is being written, where the model is gone, and where it is not known what was sent.
    """
    answer = generation.message
    if not generation.receipt.get("rounds") or generation.continues:
        raise Refused(_("It is not known what was sent for this answer. Use “Answer again” instead."))
    if answer.parent is None:
        raise Refused(_("The question of this answer was deleted."))
    with write_transaction():
        conversation = held(within or answer.conversation)
        refuse_while_answering(conversation)
        model = find_model(user, ref or ref_of(generation))
        sent = generation.receipt.get("options", {})
        options = {name: sent[name] for name in sent if name in taken_by(model)}
        values = {"repeats": generation.pk, "options": options}
        _answer, repeated = add_answer(conversation, answer.parent, model, **values)
    begin(repeated)
    tell(Kind.CHANGED, conversation)
    return repeated


def ref_of(generation: Generation) -> str:
    """The model that was asked, ``BACKEND-SLUG/MODEL-ID``; empty where its server is gone.

    An imported answer is asked again where its conversation goes on with the same model.
    """
    conversation = generation.message.conversation
    goes_on = conversation.backend_id is not None and conversation.model_id == generation.model_id
    backend = generation.backend or (conversation.backend if goes_on else None)
    return f"{backend.slug}/{generation.model_id}" if backend else ""
