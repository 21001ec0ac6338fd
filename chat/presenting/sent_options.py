"""The options of a conversation as they are really sent, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.generation.allocated import window_of, with_window
from chat.generation.sampling import (
    FIXED,
    Setting,
    Source,
    fixed_by,
    sampling_options,
    settings_for,
    taken_by,
)
from chat.models import Conversation
from chat.presets import preset_name, preset_options
from chat.sampling_form import SamplingForm, words

WINDOW = "context_length"


@dataclass(frozen=True, slots=True)
class SentOption:
    """One option: its name and value in words, and whose it is as a sentence's end."""

    name: str
    label: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class SentView:
    """What goes to the model of the conversation. ``left_out`` names options that its server doesn't take;
    ``fixed`` those that an administrator decided for everybody.
    """

    model: str
    backend: str
    options: tuple[SentOption, ...]
    left_out: tuple[str, ...]
    fixed: tuple[str, ...]


def sent_view(conversation: Conversation, model: CatalogueModel) -> SentView:
    """The options as the next question would send them."""
    found = settings_for(conversation, model)
    window = window_sent(model, found)
    wanted = conversation.options.keys() | preset_options(conversation).keys() | model.sampling.keys()
    fixed = fixed_by(model)
    return SentView(
        model=str(model),
        backend=model.backend.name,
        options=tuple(
            window
            if window and name == WINDOW
            else SentOption(
                name, label(name), words(name, found[name].value), whose(found[name].source, conversation)
            )
            for name in SamplingForm.names
            if name in found or (window and name == WINDOW)
        ),
        left_out=tuple(label(name) for name in SamplingForm.names if name in wanted - taken_by(model)),
        fixed=tuple(label(name) for name in FIXED if name in fixed),
    )


def window_sent(model: CatalogueModel, found: Mapping[str, Setting]) -> SentOption | None:
    """The window where it is another than what was set: none was, or the model cannot take so much."""
    own = {name: setting.value for name, setting in found.items() if setting.source is not Source.SERVER}
    options = sampling_options(own)
    window = window_of(model.backend, model, options.context_length)
    really = with_window(options, model.backend, window).context_length
    if (
        WINDOW not in taken_by(model)
        or really is None
        or (WINDOW in found and str(really) == str(found[WINDOW].value))
    ):
        return None
    source = _("as far as the model can") if WINDOW in found else _("the hub’s usual one")
    return SentOption(WINDOW, label(WINDOW), words(WINDOW, really), source)


def label(name: str) -> str:
    """What the form calls it."""
    return str(SamplingForm.base_fields[name].label)


def whose(source: Source, conversation: Conversation) -> str:
    """Who set a value."""
    return {
        Source.SERVER: _("an administrator’s, for the whole server"),
        Source.MODEL: _("an administrator’s, for this model"),
        Source.PRESET: _("from “%(preset)s”") % {"preset": preset_name(conversation)},
        Source.OWN: _("set here"),
    }[source]
