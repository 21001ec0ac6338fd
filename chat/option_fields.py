"""Form fields for what an adapter says can be set for its servers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from backends.adapters.options import MAX_VALUE, Option, OptionType
from backends.options import clean_option, options_of

#: What names of these fields begin with.
PREFIX = "option_"


def option_fields(kind: str, stored: Mapping[str, Any]) -> dict[str, forms.Field]:
    """One field for each option of the kind, filled with the stored values."""
    return {
        f"{PREFIX}{option.name}": option_field(option, str(stored.get(option.name, "")))
        for option in options_of(kind)
    }


def option_field(option: Option, stored: str) -> forms.Field:
    """The field of one option. None of them is required: an adapter knows what it does without."""
    usual: dict[str, Any] = {
        "label": _(option.label),
        "help_text": _(option.help) if option.help else "",
        "required": False,
        "initial": stored,
        "validators": [partial(clean_option, option)],
    }
    match option.type:
        case OptionType.CHOICE:
            labels = [(value, _(label)) for value, label in option.choices]
            return forms.ChoiceField(choices=[("", _(option.unset)), *labels], **usual)
        case OptionType.NUMBER:
            attributes = {"min": str(option.minimum), "inputmode": "numeric"}
            return forms.CharField(widget=forms.NumberInput(attrs=attributes), **usual)
        case _:
            attributes = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
            widget = forms.TextInput(attrs=attributes)
            return forms.CharField(max_length=MAX_VALUE, widget=widget, **usual)


def options_in(cleaned: Mapping[str, Any]) -> dict[str, str]:
    """The options that are set, as they are stored."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in cleaned.items()
        if name.startswith(PREFIX) and value
    }
