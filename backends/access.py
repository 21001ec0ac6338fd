"""Who may use a backend or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

Row = TypeVar("Row", bound="Restricted", covariant=True)


class Access(models.TextChoices):
    """Who may use it."""

    EVERYONE = "everyone", _("Everyone")
    GROUPS = "groups", _("Chosen groups")
    ADMINS = "admins", _("Administrators only")


class RestrictedQuerySet(models.QuerySet[Row]):
    """Finders of what not everybody may use."""

    def open_to(self, user: User) -> Self:
        """Those whose own rule lets this person in."""
        if user.is_staff:
            return self.all()
        row = {str(self.model._meta.model_name): models.OuterRef("pk")}  # noqa: SLF001 - Django documents it
        member = models.Exists(Group.objects.filter(user=user, **row))
        return self.filter(models.Q(access=Access.EVERYONE) | models.Q(member, access=Access.GROUPS))


class Restricted(models.Model):
    """What has a rule who may use it. Administrators always may."""

    access = models.CharField(_("who may use it"), max_length=10, choices=Access, default=Access.EVERYONE)
    groups = models.ManyToManyField(Group, verbose_name=_("groups"), blank=True)

    class Meta:
        abstract = True

    def is_open_to(self, user: User) -> bool:
        """Whether its own rule lets this person in. Asks the database only about groups."""
        if user.is_staff or self.access == Access.EVERYONE:
            return True
        return self.access == Access.GROUPS and self.groups.filter(user=user).exists()
