"""A person's library of system prompts and presets as portable values, and what becomes of those of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat.models import PRESET_NAME_LENGTH, Conversation, SamplingPreset, SystemPrompt
from chat.presets import BUILTIN
from chat.services.presets import MOST_PRESETS
from chat.transfer.portable import Library, Preset, Prompt

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


#: Entries of one person, above which a file brings no more: each one that comes is compared with them.
MOST_PROMPTS = 2_000


def library_of(user: User) -> Library:
    """Everything of this person's own. Two queries."""
    prompts = SystemPrompt.objects.filter(owner=user)
    presets = SamplingPreset.objects.owned_by(user)
    return Library(
        tuple(map(portable_prompt, prompts)), tuple(Preset(row.name, row.options) for row in presets)
    )


def portable_prompt(row: SystemPrompt) -> Prompt:
    """An entry outside of any database."""
    return Prompt(str(row.pk), row.name, row.description, row.text, shared=row.is_shared)


def preset_of(conversation: Conversation) -> Preset | None:
    """The preset that a conversation uses."""
    if conversation.builtin_preset:
        return Preset(builtin=conversation.builtin_preset)
    own = conversation.preset
    return Preset(own.name, own.options) if own else None


def lacking(owner: User, library: Library) -> Library:
    """What of it the person does not have yet."""
    return Library(
        tuple(prompt for prompt in library.prompts if known_prompt(owner, prompt) is None),
        tuple(preset for preset in library.presets if known_preset(owner, preset) is None),
    )


def take_in(owner: User, library: Library) -> int:
    """Store what the person does not have yet. Gives how many. Inside the caller's transaction."""
    missing = lacking(owner, library)
    made = [prompt_row(owner, prompt) for prompt in missing.prompts]
    kept = [preset_row(owner, preset) for preset in missing.presets]
    return sum(row is not None for row in [*made, *kept])


def known_prompt(owner: User, prompt: Prompt) -> SystemPrompt | None:
    """The same entry among those that this person may use, by what it says; their own one first."""
    rows = SystemPrompt.objects.usable_by(owner).filter(name=prompt.name, text=prompt.text)
    return min(rows, key=lambda row: (row.is_shared != prompt.shared, row.is_shared), default=None)


def prompt_row(owner: User, prompt: Prompt) -> SystemPrompt | None:
    """That entry, which becomes the person's own where they have none like it; None where they have too many."""
    if known := known_prompt(owner, prompt):
        return known
    if SystemPrompt.objects.filter(owner=owner).count() >= MOST_PROMPTS:
        return None
    return SystemPrompt.objects.create(
        owner=owner, name=prompt.name, description=prompt.description, text=prompt.text
    )


def known_preset(owner: User, preset: Preset) -> SamplingPreset | None:
    """The same preset of this person; one of that name with other options may have got a number."""
    rows = SamplingPreset.objects.owned_by(owner).filter(name__startswith=preset.name)
    return next((row for row in rows if row.options == dict(preset.options)), None)


def preset_row(owner: User, preset: Preset) -> SamplingPreset | None:
    """That preset, which becomes the person's own where they have none like it; None where they have too many."""
    if known := known_preset(owner, preset):
        return known
    taken = set(SamplingPreset.objects.owned_by(owner).values_list("name", flat=True))
    if len(taken) >= MOST_PRESETS:
        return None
    taken |= {str(builtin.label) for builtin in BUILTIN.values()}
    name, number = preset.name, 1
    while name in taken:
        number += 1
        name = f"{preset.name[: PRESET_NAME_LENGTH - 6]} ({number})"
    return SamplingPreset.objects.create(owner=owner, name=name, options=dict(preset.options))
