"""Projects as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.models import Conversation, Project, ProjectRevision, Told
from chat.presenters.sidebar import ProjectMark

if TYPE_CHECKING:
    from chat.models.conversation import ConversationQuerySet
    from privatechathub.accounts.models import User

#: The fields of a mark.
MARK = ("id", "name", "colour", "icon")
#: Projects that the sidebar names; the others are a link away.
SIDEBAR_PROJECTS = 6
#: Conversations that a project's page lists at once.
PAGE = 50


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """One line of the list of projects."""

    mark: ProjectMark
    description: str
    count: int
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class ProjectConversation:
    """One conversation in the list of a project."""

    title: str
    url: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project's page. ``model`` is what people call it; ``older_url`` lists conversations before these."""

    mark: ProjectMark
    description: str
    instructions: str
    memory: str
    system_prompt: str
    model: str
    files: int
    is_pinned: bool
    is_archived: bool
    new_url: str
    conversations: tuple[ProjectConversation, ...]
    older_url: str


@dataclass(frozen=True, slots=True)
class RevisionView:
    """What a field said before. ``by`` says who replaced it, ``where`` in which conversation, if that is there."""

    id: int
    field: str
    text: str
    until: datetime
    by: str
    where: str = ""
    where_url: str = ""


def mark_of(project: Project | None) -> ProjectMark | None:
    """What a conversation shows of its project."""
    return mark(project) if project else None


def mark(project: Project) -> ProjectMark:
    """What a project is told by."""
    return ProjectMark(
        str(project.pk), project.name, project.get_absolute_url(), project.colour, project.icon
    )


def sidebar_projects(user: User) -> tuple[ProjectMark, ...]:
    """The first of them. One query."""
    rows = Project.objects.owned_by(user).open().only(*MARK)
    return tuple(map(mark, rows[:SIDEBAR_PROJECTS]))


def project_cards(user: User, *, archived: bool) -> list[ProjectCard]:
    """The open ones, or those that were put away. One query."""
    rows = Project.objects.owned_by(user).filter(archived_at__isnull=not archived)
    return [
        ProjectCard(mark(row), row.description, row.count, row.pinned_at is not None)
        for row in rows.counted()
    ]


def marks_for(conversation: Conversation) -> tuple[ProjectMark, ...]:
    """The projects that it can be moved to: the open ones, and its own though that was put away. One query."""
    mine = Project.objects.owned_by(conversation.owner_id)
    rows = mine.filter(Q(archived_at=None) | Q(pk=conversation.project_id))
    return tuple(map(mark, rows.only(*MARK)))


def project_view(project: Project, before: datetime | None = None) -> ProjectView:
    """A project with its newest conversations, or those before a moment. Three queries."""
    rows = conversations_of(project).only("id", "title", "updated_at", "comparison")
    found = list((rows.filter(updated_at__lt=before) if before else rows)[: PAGE + 1])
    shown = found[:PAGE]
    older = f"?before={shown[-1].updated_at.timestamp()}" if len(found) > PAGE else ""
    return ProjectView(
        mark=mark(project),
        description=project.description,
        instructions=project.instructions,
        memory=project.memory,
        system_prompt=project.system_prompt,
        model=model_label(project),
        files=project.attached,
        is_pinned=project.pinned_at is not None,
        is_archived=project.archived_at is not None,
        new_url=f"{reverse('chat:new')}?project={project.pk}",
        conversations=tuple(map(conversation_line, shown)),
        older_url=older,
    )


def conversations_of(project: Project) -> ConversationQuerySet:
    """Its conversations, a line each."""
    return Conversation.objects.owned_by(project.owner).filter(project=project).lines()


def conversation_line(row: Conversation) -> ProjectConversation:
    """One conversation."""
    return ProjectConversation(row.title or _("New chat"), row.get_absolute_url(), row.updated_at)


def model_label(project: Project) -> str:
    """The model that new conversations begin with; empty where none is chosen."""
    if project.backend is None:
        return ""
    row = CatalogueModel.objects.filter(backend=project.backend, model_id=project.model_id).first()
    return str(row) if row else project.model_id


def revision_views(project: Project, *fields: Told) -> list[RevisionView]:
    """What these fields said before, the newest first. One query."""
    rows = ProjectRevision.objects.filter(project=project, field__in=fields).select_related("conversation")
    return [revision_view(row) for row in rows]


def revision_view(row: ProjectRevision) -> RevisionView:
    """One of them."""
    where = row.conversation if row.conversation and row.conversation.deleted_at is None else None
    return RevisionView(
        id=row.pk,
        field=str(Told(row.field).label),
        text=row.text,
        until=row.created_at,
        by=_("Changed by a model") if row.by_model else _("Changed by you"),
        where=(where.title or _("New chat")) if where else "",
        where_url=where.get_absolute_url() if where else "",
    )
