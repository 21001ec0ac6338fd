"""What administrators decide about a model."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backends.database import write_transaction
from backends.models import Access, CatalogueModel


class ModelRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Its name on this hub, who may use it, and whether it is offered."""

    first_choice = forms.BooleanField(
        label=_("First choice of this hub"),
        required=False,
        help_text=_("Selected in a new chat for people who have no default and have asked no model yet."),
    )

    class Meta:
        model = CatalogueModel
        fields = ["alias", "access", "groups", "hidden"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_choice"].initial = self.instance.hub_default
        if not self.instance.is_chat:
            del self.fields["first_choice"]

    def clean_alias(self) -> str:
        """One line."""
        return " ".join(self.cleaned_data["alias"].split())

    def clean(self) -> dict[str, Any]:
        """Chosen groups have to be chosen."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("access") == Access.GROUPS and not cleaned.get("groups"):
            self.add_error("groups", _("Choose at least one group."))
        return cleaned

    def save(self, commit: bool = True) -> CatalogueModel:
        """Store the row. There is one first choice: the others lose it."""
        chosen = self.cleaned_data.get("first_choice", False)
        with write_transaction():
            if chosen:
                others = CatalogueModel.objects.filter(hub_default=True).exclude(pk=self.instance.pk)
                others.update(hub_default=False)
            self.instance.hub_default = chosen
            model: CatalogueModel = super().save(commit)
        return model
