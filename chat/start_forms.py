"""What can be chosen for a new conversation: a system prompt with its answers, and a preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.prompt_forms import PresetForm, PromptChoiceForm, preset_choices, prompt_choices
from chat.prompts.fields import PREFIX, AnswersForm
from chat.prompts.variables import asked
from chat.services.beginning import Beginning
from chat.services.presets import choose_preset
from chat.services.project_finder import choose_project
from chat.services.prompts import choose_prompt
from chat.services.refusals import Refused

if TYPE_CHECKING:
    from chat.models import Project
    from privatechathub.accounts.models import User

#: The form that all fields belong to, wherever they stand.
COMPOSER = "composer"
#: Names in an address or a form that something was chosen by.
NAMES = ("prompt", "preset", "start")


class StartForms:
    """The fields of the page of a new chat. ``chosen`` is what its address or the sent form says; an entry that
    may not be used counts as none, and then the prompt of the ``project`` asks.
    """

    def __init__(self, user: User, chosen: Mapping[str, str], project: Project | None = None) -> None:
        try:
            self.entry = choose_prompt(user, chosen.get("prompt", ""))
        except Refused:
            self.entry = None
        self.choice = PromptChoiceForm(
            initial={"prompt": str(self.entry.pk) if self.entry else ""},
            choices=prompt_choices(user, _("None")),
        )
        self.preset = PresetForm(initial={"preset": chosen.get("preset", "")}, choices=preset_choices(user))
        self.preset.fields["preset"].help_text = ""
        for field in (self.choice.fields["prompt"], self.preset.fields["preset"]):
            field.widget.attrs["form"] = COMPOSER
        self.choice.fields["prompt"].widget.attrs |= {
            "hx-get": reverse("chat:start"),
            "hx-include": "#start-answers, #composer [name=project]",
            "hx-target": "#start-answers",
            "hx-swap": "outerHTML",
        }
        given = {name.removeprefix(PREFIX): chosen[name] for name in chosen if name.startswith(PREFIX)}
        variables = asked(self.entry.text if self.entry else prompt_in(project))
        self.answers = AnswersForm(variables=variables, answers=given, required=True, form_id=COMPOSER)


def beginning_of(user: User, data: Mapping[str, str]) -> Beginning:
    """What was chosen. Raises Refused, also where an answer is missing or wrong. No query where nothing was."""
    entry, preset = choose_prompt(user, data.get("prompt", "")), choose_preset(user, data.get("preset", ""))
    project = choose_project(user, data.get("project", ""))
    text = entry.text if entry else prompt_in(project)
    form = AnswersForm(_with_defaults(data, text), variables=asked(text), answers={}, required=True)
    if not form.is_valid():
        name = entry.name if entry else project.name if project else ""
        raise Refused(
            _("“%(name)s” asks for something. %(complaints)s")
            % {"name": name, "complaints": " ".join(form.complaints())}
        )
    return Beginning(entry, form.answers(), preset, project)


def prompt_in(project: Project | None) -> str:
    """What its conversations are told that have no prompt of their own."""
    return project.system_prompt if project else ""


def asks(project: Project | None) -> bool:
    """Whether that asks for something."""
    return bool(asked(prompt_in(project)))


def _with_defaults(data: Mapping[str, str], text: str) -> dict[str, Any]:
    """A field that was not on the page counts as left at its default."""
    defaults = {f"{PREFIX}{variable.name}": variable.default for variable in asked(text)}
    return {name: data.get(name, default) for name, default in defaults.items()}
