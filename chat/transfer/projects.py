"""Between rows and portable projects. A project is known by its id at the hub that made it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q

from backends.database import write_transaction
from chat.arrivals import Staged, keep, row_of
from chat.models import Attachment, Conversation, Project, ProjectRevision
from chat.transfer import fields
from chat.transfer.files import told_of
from chat.transfer.portable import PortableProject, ProjectName
from chat.transfer.servers import usable_backend

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def of(user: User, ids: Collection[UUID] | None) -> list[Project]:
    """The projects of these conversations, or all of this person."""
    mine = Project.objects.owned_by(user).select_related("backend")
    if ids is None:
        return list(mine)
    conversations = Conversation.objects.owned_by(user).whole(ids)
    return list(mine.filter(pk__in=conversations.values("project")))


def load(project: Project) -> PortableProject:
    """A project with what it said before."""
    return PortableProject(
        id=id_of(project),
        values={name: getattr(project, name) for name in fields.PROJECT},
        backend=project.backend.name if project.backend else "",
        model_id=project.model_id,
        earlier=tuple(
            {name: getattr(row, name) for name in fields.REVISION} for row in project.revisions.order_by("pk")
        ),
        files=tuple(map(told_of, project.attachments.defer("text") if project.attached else ())),
    )


def id_of(project: Project) -> str:
    """What it is known by everywhere."""
    return project.origin_id or str(project.pk)


def name_of(project: Project | None) -> ProjectName | None:
    """What a conversation tells of its project."""
    return ProjectName(id_of(project), project.name) if project else None


def find(owner: User, origin_id: str) -> Project | None:
    """The project of that id, where the person has it already."""
    same = Q(origin_id=origin_id)
    with suppress(ValueError):
        same |= Q(pk=UUID(origin_id))
    return Project.objects.owned_by(owner).filter(same).first()


def named(owner: User, name: ProjectName | None) -> Project | None:
    """The project of a conversation; where the person has none of that id, an empty one of that name."""
    if name is None:
        return None
    return find(owner, name.id) or Project.objects.create(owner=owner, name=name.name, origin_id=name.id)


def is_here(owner: User, project: PortableProject) -> bool:
    """Whether the person has it already, with something in it."""
    row = find(owner, project.id)
    return row is not None and not is_bare(row)


def save(owner: User, project: PortableProject, brought: Sequence[Staged] = ()) -> None:
    """Store it with its files. One that is there stays as it is, unless it holds nothing but its name."""
    with write_transaction():
        row = find(owner, project.id) or Project(owner=owner, origin_id=project.id)
        if not is_bare(row):
            return
        row.attached = len(brought)
        for name, value in project.values.items():
            if name != "created_at":
                setattr(row, name, value)
        row.backend = usable_backend(owner, project.backend, project.model_id)
        row.model_id = project.model_id if row.backend else ""
        row.save()
        if created := project.values["created_at"]:
            Project.objects.filter(pk=row.pk).update(created_at=created)
        for revision in project.earlier:
            save_revision(row, revision)
        keep(brought)
        Attachment.objects.bulk_create(row_of(owner, row, place, item) for place, item in enumerate(brought))


def is_bare(row: Project) -> bool:
    """Whether nobody has written anything into it."""
    said = (row.description, row.instructions, row.memory, row.system_prompt)
    return not any((*said, row.tools, row.attached))


def save_revision(project: Project, values: Mapping[str, Any]) -> None:
    """What it said before, with the moment of then."""
    row = ProjectRevision.objects.create(
        project=project, field=values["field"], text=values["text"], by_model=values["by_model"]
    )
    if moment := values["created_at"]:
        ProjectRevision.objects.filter(pk=row.pk).update(created_at=moment)
