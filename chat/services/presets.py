"""Presets of sampling options: choosing one, keeping one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.models import PRESET_NAME_LENGTH, SamplingPreset
from chat.presets import BUILTIN
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Presets of one person.
MOST_PRESETS = 200


@dataclass(frozen=True, slots=True)
class PresetChoice:
    """A preset of the hub, one of a person's own, or none."""

    builtin: str = ""
    own: SamplingPreset | None = None

    def columns(self) -> dict[str, Any]:
        """As a conversation has it."""
        return {"builtin_preset": self.builtin, "preset": self.own}


def choose_preset(user: User, value: str) -> PresetChoice:
    """What a form names: a built-in one, the id of an own one, or nothing. Raises Refused."""
    if value in BUILTIN:
        return PresetChoice(builtin=value)
    if not value:
        return PresetChoice()
    try:
        found = SamplingPreset.objects.owned_by(user).filter(pk=UUID(value)).first()
    except ValueError:
        found = None
    if found is None:
        raise Refused(_("This preset is gone. Choose another one."))
    return PresetChoice(own=found)


def keep_preset(user: User, name: str, options: Mapping[str, Any]) -> SamplingPreset:
    """Keep options under a name; another preset of that name gets them instead of its own. Raises Refused."""
    name = checked_name(name)
    mine = SamplingPreset.objects.owned_by(user)
    with write_transaction():
        if preset := mine.filter(name=name).first():
            preset.options = dict(options)
            preset.save(update_fields=["options"])
            return preset
        if mine.count() >= MOST_PRESETS:
            raise Refused(_("You have too many presets. Delete one first."))
        return SamplingPreset.objects.create(owner=user, name=name, options=dict(options))


def rename_preset(preset: SamplingPreset, name: str) -> None:
    """Give it another name. Raises Refused."""
    name = checked_name(name)
    others = SamplingPreset.objects.filter(owner_id=preset.owner_id, name=name).exclude(pk=preset.pk)
    with write_transaction():
        if others.exists():
            raise Refused(_("You have a preset “%(name)s” already.") % {"name": name})
        preset.name = name
        preset.save(update_fields=["name"])


def delete_preset(preset: SamplingPreset) -> None:
    """Delete it; conversations that use it keep its options."""
    with write_transaction():
        preset.delete()


def checked_name(name: str) -> str:
    """One line. Raises Refused."""
    name = " ".join(name.split())[:PRESET_NAME_LENGTH].strip()
    if not name:
        raise Refused(_("A preset needs a name."))
    if name.casefold() in {str(preset.label).casefold() for preset in BUILTIN.values()}:
        raise Refused(_("The hub has a preset “%(name)s” already. Choose another name.") % {"name": name})
    return name
