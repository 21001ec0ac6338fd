"""The library of system prompts and the presets as their page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from chat.models import SamplingPreset, SystemPrompt
from chat.presets import BUILTIN
from chat.prompts.variables import asked
from chat.sampling_form import option_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from privatechathub.accounts.models import User

#: Characters of a text that the list shows.
GLIMPSE = 160


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One entry. ``asks`` names what it asks at the start of a conversation."""

    id: str
    name: str
    description: str
    asks: tuple[str, ...]
    url: str
    use_url: str
    editable: bool


@dataclass(frozen=True, slots=True)
class PresetRow:
    """One preset. ``id`` is empty for those of the hub."""

    id: str
    name: str
    description: str
    options: str


@dataclass(frozen=True, slots=True)
class LibraryView:
    """Everything of the page."""

    mine: tuple[PromptRow, ...]
    shared: tuple[PromptRow, ...]
    presets: tuple[PresetRow, ...]
    builtin: tuple[PresetRow, ...]


def library_view(user: User) -> LibraryView:
    """The entries and presets that this person may use. Two queries."""
    rows = sorted(SystemPrompt.objects.usable_by(user), key=lambda row: row.name.casefold())
    return LibraryView(
        mine=tuple(prompt_row(user, row) for row in rows if not row.is_shared),
        shared=tuple(prompt_row(user, row) for row in rows if row.is_shared),
        presets=tuple(
            PresetRow(str(row.pk), row.name, "", in_words(row.options))
            for row in SamplingPreset.objects.owned_by(user)
        ),
        builtin=tuple(
            PresetRow("", str(preset.label), str(preset.description), in_words(preset.options))
            for preset in BUILTIN.values()
        ),
    )


def prompt_row(user: User, row: SystemPrompt) -> PromptRow:
    """One line of the list; without a description it begins like the text."""
    glimpse = " ".join(row.text[: GLIMPSE * 2].split())
    glimpse = f"{glimpse[:GLIMPSE]}…" if len(glimpse) > GLIMPSE else glimpse
    return PromptRow(
        id=str(row.pk),
        name=row.name,
        description=row.description or glimpse,
        asks=tuple(variable.label for variable in asked(row.text)),
        url=reverse("chat:prompt", args=[row.pk]),
        use_url=f"{reverse('chat:new')}?prompt={row.pk}",
        editable=row.is_editable_by(user),
    )


def in_words(options: Mapping[str, Any]) -> str:
    """Options in one line."""
    return " · ".join(f"{fact.label} {fact.value}" for fact in option_facts(options))
