"""The file of a person's system prompts and presets; FORMAT.md tells what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.models import LONGEST_PROMPT, PRESET_NAME_LENGTH
from chat.presets import BUILTIN
from chat.prompts.variables import LONGEST_LINES, MOST
from chat.transfer import values
from chat.transfer.portable import Library, Preset, Prompt, Unreadable

LIBRARY = "private-chat-hub-library"
#: Grows when a reader of the old shape could not read the new one.
VERSION = 1
#: Entries of either kind that are read.
MOST_ENTRIES = 2_000
MOST_PRESETS = 200


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether it is such a file."""
    return item.get("format") == LIBRARY


def document(library: Library) -> dict[str, Any]:
    """A library as JSON values."""
    return {
        "format": LIBRARY,
        "version": VERSION,
        "prompts": [written_prompt(prompt) for prompt in library.prompts],
        "presets": [written_preset(preset) for preset in library.presets],
    }


def read(item: Mapping[str, Any]) -> Library:
    """A library from JSON values. Raises Unreadable for the file of a newer hub."""
    version = values.whole(item.get("version"))
    if version is None or not 1 <= version <= VERSION:
        raise Unreadable
    prompts = map(read_prompt, values.objects(item.get("prompts"))[:MOST_ENTRIES])
    presets = map(read_preset, values.objects(item.get("presets"))[:MOST_PRESETS])
    return Library(
        tuple(dict.fromkeys(filter(None, prompts))),
        tuple(preset for preset in presets if preset and preset.name),
    )


def written_prompt(prompt: Prompt | None) -> dict[str, Any] | None:
    """An entry as JSON values."""
    if prompt is None:
        return None
    return {
        "id": prompt.id,
        "name": prompt.name,
        "description": prompt.description,
        "text": prompt.text,
        "shared": prompt.shared,
    }


def read_prompt(value: Any) -> Prompt | None:
    """An entry from JSON values, None where there is none."""
    source = values.mapping(value)
    name, text = values.name(source.get("name"), 80), values.text(source.get("text"), LONGEST_PROMPT)
    if not name or not text.strip():
        return None
    return Prompt(
        id=values.name(source.get("id"), 100),
        name=name,
        description=values.name(source.get("description"), 300),
        text=text,
        shared=source.get("shared") is True,
    )


def written_preset(preset: Preset | None) -> dict[str, Any] | None:
    """A preset as JSON values."""
    if preset is None:
        return None
    if preset.builtin:
        return {"builtin": preset.builtin}
    return {"name": preset.name, "options": dict(preset.options)}


def read_preset(value: Any) -> Preset | None:
    """A preset from JSON values, None where there is none."""
    source = values.mapping(value)
    if builtin := values.one_of(BUILTIN)(source.get("builtin")):
        return Preset(builtin=builtin)
    name = values.name(source.get("name"), PRESET_NAME_LENGTH)
    return Preset(name, values.options(source.get("options"))) if name else None


def answers(value: Any) -> dict[str, str]:
    """What a prompt asked and a person answered."""
    pairs = list(values.mapping(value).items())[:MOST]
    return {values.text(name, 40): values.text(answer, LONGEST_LINES) for name, answer in pairs}
