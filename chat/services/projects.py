"""What can be done with projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from backends.database import write_transaction
from chat.models import Conversation, Project, ProjectRevision, Told
from chat.services import order

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

_TOLD = frozenset(Told.values)


def create(user: User, values: Mapping[str, Any]) -> Project:
    """A new project with these fields."""
    return Project.objects.create(owner=user, **values)


def change(project: Project, values: Mapping[str, Any]) -> None:
    """Other values for these fields. What its words said before is kept."""
    plain = {name: value for name, value in values.items() if name not in _TOLD}
    with write_transaction():
        for name, value in plain.items():
            setattr(project, name, value)
        if plain:
            project.save(update_fields=[*plain, "updated_at"])
        for name in values.keys() & _TOLD:
            ProjectRevision.objects.tell(project, Told(name), values[name])


def restore(revision: ProjectRevision) -> None:
    """Let the project say again what it said before; what it says now is kept in its place."""
    ProjectRevision.objects.tell(revision.project, Told(revision.field), revision.text)


def archive(project: Project, *, away: bool) -> None:
    """Put it away, or take it out again. It is not pinned any more."""
    project.archived_at = timezone.now() if away else None
    project.pinned_at = None
    with write_transaction():
        project.save(update_fields=["archived_at", "pinned_at"])


def pin(project: Project, *, on_top: bool) -> None:
    """Let it stand before the others, or not any more."""
    project.pinned_at = timezone.now() if on_top else None
    with write_transaction():
        project.save(update_fields=["pinned_at"])


def delete(project: Project, *, with_conversations: bool) -> None:
    """Delete it; its conversations are deleted too, as others are, or stay without a project."""
    if with_conversations:
        mine = Conversation.objects.owned_by(project.owner).filter(project=project)
        order.delete(project.owner, list(mine.values_list("pk", flat=True)))
    with write_transaction():
        project.delete()
