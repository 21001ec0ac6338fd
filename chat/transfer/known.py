"""What a person has already, so that nothing is imported twice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from chat.models import Conversation, Origin
from chat.transfer import loading
from chat.transfer.portable import HUB, Talk

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class Known:
    """What a person has already: of earlier imports, of this hub itself, and of the same file."""

    def __init__(self, owner: User) -> None:
        self._owner = owner
        origins = Origin.objects.filter(owner=owner, conversation__deleted_at=None)
        self._seen = set(origins.values_list("source", "source_id", "digest"))
        self._own = set(Conversation.objects.owned_by(owner).values_list("pk", flat=True))

    def has(self, talk: Talk, digest: str) -> bool:
        """Whether this very conversation is there. From the second question on, always."""
        key = (talk.source, origin_id(talk, digest), digest)
        if key in self._seen:
            return True
        self._seen.add(key)
        return talk.source == HUB and self._is_here(talk.source_id, digest)

    def _is_here(self, source_id: str, digest: str) -> bool:
        """Whether the person still has the conversation that a file of this hub was made from."""
        try:
            pk = UUID(source_id)
        except ValueError:
            return False
        if pk not in self._own:
            return False
        found = Conversation.objects.owned_by(self._owner).filter(pk=pk).first()
        return found is not None and loading.load(found).digest() == digest


def origin_id(talk: Talk, digest: str) -> str:
    """What a conversation is known by at its origin; one without an id, by what it says."""
    return talk.source_id or digest
