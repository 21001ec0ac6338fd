"""Forms of projects."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from backends.models import CatalogueModel
from chat.models import Project
from chat.models.project import (
    DESCRIPTION_LENGTH,
    INSTRUCTIONS_LENGTH,
    MEMORY_LENGTH,
    NAME_LENGTH,
    Colour,
    Icon,
)
from chat.services.models import Offer


class PlainTextField(forms.CharField):
    """Text of several lines as it is stored: one kind of line end, no NUL."""

    def __init__(self, rows: int, **options: Any) -> None:
        super().__init__(
            required=False, widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}), **options
        )

    def clean(self, value: Any) -> str:
        return str(super().clean(str(value or "").replace("\r\n", "\n").replace("\x00", "")))


class ProjectForm(forms.Form):
    """A project, but for its memory and its tools, which have pages of their own."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=DESCRIPTION_LENGTH,
        widget=forms.TextInput(attrs={"dir": "auto"}),
        help_text=_("For you; models are not told."),
    )
    colour = forms.ChoiceField(label=_("Colour"), choices=Colour.choices, widget=forms.RadioSelect)
    icon = forms.ChoiceField(label=_("Icon"), choices=Icon.choices, widget=forms.RadioSelect)
    instructions = PlainTextField(
        rows=6,
        label=_("Instructions"),
        max_length=INSTRUCTIONS_LENGTH,
        help_text=_(
            "Sent before every answer in this project, in addition to the system prompt. "
            "{{date}}, {{name}} and the like are filled in."
        ),
    )
    system_prompt = PlainTextField(
        rows=3,
        label=_("System prompt"),
        max_length=INSTRUCTIONS_LENGTH,
        help_text=_(
            "For conversations of this project that have none of their own. {{topic:text}} and the like are asked "
            "when one begins."
        ),
    )
    model = forms.ChoiceField(
        label=_("Model"), required=False, help_text=_("New conversations of this project begin with it.")
    )

    def __init__(
        self, *args: Any, offers: list[Offer], project: Project | None = None, **kwargs: Any
    ) -> None:
        kwargs.setdefault(
            "initial", initial_from(project) if project else {"colour": "teal", "icon": "folder"}
        )
        super().__init__(*args, **kwargs)
        self._models = {offer.model.ref: offer.model for offer in offers if offer.is_shown}
        self._project = project
        self.fields["model"].choices = self._choices()  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """One line."""
        return " ".join(self.cleaned_data["name"].split())

    def values(self) -> dict[str, Any]:
        """The project's fields. Only after ``is_valid``."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "model"}
        ref = self.cleaned_data["model"]
        if self._project and ref == self._project.ref:
            return values
        model = self._models.get(ref)
        return values | {
            "backend": model.backend if model else None,
            "model_id": model.model_id if model else "",
        }

    def _choices(self) -> list[Any]:
        def place(model: CatalogueModel) -> str:
            return model.backend.name

        models = sorted(self._models.values(), key=place)
        groups = [(name, [(row.ref, str(row)) for row in rows]) for name, rows in groupby(models, key=place)]
        kept = self._project.ref if self._project else ""
        gone = [(kept, self._project.model_id)] if self._project and kept and kept not in self._models else []
        return [("", _("No choice")), *gone, *groups]


def initial_from(project: Project) -> dict[str, Any]:
    """A project as the form shows it."""
    names = ("name", "description", "colour", "icon", "instructions", "system_prompt")
    return {name: getattr(project, name) for name in names} | {"model": project.ref}


class MemoryForm(forms.Form):
    """What a project keeps between its conversations."""

    memory = PlainTextField(rows=12, label=_("Memory"), max_length=MEMORY_LENGTH)
