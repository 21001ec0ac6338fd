"""Instructions that are kept to be used again."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Characters of one prompt.
LONGEST_PROMPT = 200_000


class SystemPromptQuerySet(models.QuerySet["SystemPrompt"]):
    """Finders; who may use and who may change what is decided here and nowhere else."""

    def usable_by(self, user: User) -> SystemPromptQuerySet:
        """This person's own and the shared ones."""
        return self.filter(Q(owner=user) | Q(owner=None))

    def editable_by(self, user: User) -> SystemPromptQuerySet:
        """This person's own; for administrators the shared ones too."""
        return self.usable_by(user) if user.is_staff else self.filter(owner=user)


class SystemPrompt(models.Model):
    """An entry of the library, by one person, or of the hub: shared ones have no ``owner``.

    ``text`` may hold variables, see ``chat.prompts.variables``. A conversation that follows it is sent the text
    as it is at that moment.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="system_prompts",
    )
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    text = models.TextField(_("text"), max_length=LONGEST_PROMPT)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SystemPromptQuerySet.as_manager()

    class Meta:
        ordering = ["name", "created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        """Whether everybody may use it."""
        return self.owner_id is None

    def is_editable_by(self, user: User) -> bool:
        """Whether this person may change it."""
        return user.is_staff if self.is_shared else self.owner_id == user.pk


@receiver(pre_delete, sender=SystemPrompt)
def leave_copies(instance: SystemPrompt, **_signal: Any) -> None:
    """Conversations that follow it keep its text as their own."""
    instance.conversations.update(system_prompt=instance.text)
