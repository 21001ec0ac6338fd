"""A project: conversations with instructions, a memory and choices in common."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backends.models import Backend

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

NAME_LENGTH = 80
DESCRIPTION_LENGTH = 500
#: Characters; every answer in the project begins with reading them.
INSTRUCTIONS_LENGTH = 200_000
MEMORY_LENGTH = 50_000
#: Files of one project.
MOST_OF_PROJECT = 50


class Colour(models.TextChoices):
    """What a project is told by at a glance; the shades are the style sheet's."""

    GREY = "grey", _("Grey")
    RED = "red", _("Red")
    ORANGE = "orange", _("Orange")
    YELLOW = "yellow", _("Yellow")
    GREEN = "green", _("Green")
    TEAL = "teal", _("Teal")
    BLUE = "blue", _("Blue")
    INDIGO = "indigo", _("Indigo")
    VIOLET = "violet", _("Violet")
    PINK = "pink", _("Pink")


class Icon(models.TextChoices):
    """Symbols of ``static/icons/sprite.svg`` that stand for projects."""

    FOLDER = "folder", _("Folder")
    STAR = "star", _("Star")
    BOOK = "book-open", _("Book")
    BRIEFCASE = "briefcase", _("Briefcase")
    HOUSE = "house", _("House")
    HEART = "heart", _("Heart")
    WRENCH = "wrench", _("Wrench")
    BRAIN = "brain", _("Brain")
    GLOBE = "globe", _("Globe")
    CAMERA = "camera", _("Camera")
    PEN = "square-pen", _("Pen")
    SUN = "sun", _("Sun")


#: Pinned ones first, the last pinned on top; then by name.
ORDER = (models.F("pinned_at").desc(nulls_last=True), "name", "pk")


class ProjectQuerySet(models.QuerySet["Project"]):
    """Finders; the owner filter lives here and nowhere else."""

    def owned_by(self, user: User | int) -> ProjectQuerySet:
        """This person's own, archived ones too. There is no other way to reach a project."""
        return self.filter(owner=user)

    def open(self) -> ProjectQuerySet:
        """Those that are not put away."""
        return self.filter(archived_at=None)

    def counted(self) -> ProjectQuerySet:
        """Each with ``count``, the number of its conversations; in their order, which grouping forgets."""
        lines = models.Q(conversations__deleted_at=None, conversations__column=0)
        columns = {"count": models.Count("conversations", filter=lines)}
        return self.annotate(**columns).order_by(*ORDER)


class Project(models.Model):
    """What conversations of one subject have in common. All of it holds live: nothing is copied into them.

    ``instructions`` are the person's, ``memory`` is what models and the person note down; both are part of every
    system text. ``system_prompt``, ``tools`` (see ``chat.tools.switches``) and the model with its backend are what a
    conversation goes by that has chosen nothing of its own. ``attached`` counts its files, see ``Attachment``.
    ``origin_id`` is its id at the hub that it was imported from, so that it is imported once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    description = models.CharField(_("description"), max_length=DESCRIPTION_LENGTH, blank=True, default="")
    colour = models.CharField(_("colour"), max_length=10, choices=Colour, default=Colour.TEAL)
    icon = models.CharField(_("icon"), max_length=20, choices=Icon, default=Icon.FOLDER)
    instructions = models.TextField(_("instructions"), blank=True, default="")
    memory = models.TextField(_("memory"), blank=True, default="")
    system_prompt = models.TextField(_("system prompt"), blank=True, default="")
    tools = models.JSONField(default=dict, blank=True, editable=False)
    backend = models.ForeignKey(Backend, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    model_id = models.CharField(max_length=250, blank=True, default="")
    origin_id = models.CharField(max_length=200, blank=True, default="", editable=False)
    attached = models.PositiveSmallIntegerField(default=0, editable=False)
    pinned_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    #: There only where :meth:`ProjectQuerySet.counted` was asked.
    count: int

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = [*ORDER]
        indexes = [models.Index(fields=["owner", "name"], name="project_by_owner")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "origin_id"],
                condition=~models.Q(origin_id=""),
                name="one_project_per_origin",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Where it is; a stranger gets 404 there."""
        return reverse("chat:project", args=[self.pk])

    @property
    def ref(self) -> str:
        """The model that new conversations begin with, ``BACKEND-SLUG/MODEL-ID``; empty where none is chosen."""
        return f"{self.backend.slug}/{self.model_id}" if self.backend else ""
