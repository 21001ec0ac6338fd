"""What a project said before: every change of its words can be read and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from backends.database import write_transaction
from chat.models.conversation import Conversation
from chat.models.project import Project

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: The newest that are kept of one field of one project.
KEPT = 30


class Told(models.TextChoices):
    """The words of a project, by their fields."""

    NAME = "name", _("Name")
    DESCRIPTION = "description", _("Description")
    INSTRUCTIONS = "instructions", _("Instructions")
    MEMORY = "memory", _("Memory")


class ProjectRevisionQuerySet(models.QuerySet["ProjectRevision"]):
    """Finders and the verb."""

    def owned_by(self, user: User) -> ProjectRevisionQuerySet:
        """Of this person's own projects."""
        return self.filter(project__owner=user).select_related("project")

    def tell(self, project: Project, field: Told, text: str, conversation_id: UUID | None = None) -> bool:
        """Let the project say that, and keep what it said before. False where it says so already.

        ``conversation_id``: where a model did it; None for the person.
        """
        with write_transaction():
            before = (
                Project.objects.select_for_update().values_list(field.value, flat=True).get(pk=project.pk)
            )
            setattr(project, field.value, text)
            if before == text:
                return False
            self.create(
                project=project,
                field=field,
                text=before,
                by_model=conversation_id is not None,
                conversation_id=conversation_id,
            )
            project.save(update_fields=[field.value, "updated_at"])
            mine = self.filter(project=project, field=field).order_by("-pk")
            self.filter(pk__in=list(mine.values_list("pk", flat=True)[KEPT:])).delete()
        return True


class ProjectRevision(models.Model):
    """What one field said until ``created_at``. ``conversation`` is where a model changed it; None where the
    person did, or where that conversation is gone, which ``by_model`` tells apart.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="revisions")
    field = models.CharField(max_length=12, choices=Told)
    text = models.TextField(blank=True)
    by_model = models.BooleanField(default=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectRevisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.field} until {self.created_at:%Y-%m-%d %H:%M}"
