"""The forms of the page that sets up one conversation: its system prompt, a preset, single options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.generation.sampling import EVERY, fixed_by, settings_for, taken_by
from chat.models import Conversation
from chat.prompt_forms import PresetForm, PromptChoiceForm, preset_choices, prompt_choices
from chat.prompts.fields import PREFIX, AnswersForm
from chat.prompts.variables import answer_of, asked
from chat.sampling_form import SamplingForm, words
from chat.services.presets import PresetChoice, choose_preset
from chat.services.prompts import choose_prompt

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class SettingsForms:
    """All forms of the page, filled from the conversation or from what was posted.

    ``chosen`` stands for the entry that a person has just picked in the page, without saving: its id, empty for
    none. Raises Refused where an entry may not be used.
    """

    def __init__(
        self,
        user: User,
        conversation: Conversation,
        model: CatalogueModel | None,
        data: Mapping[str, str] | None = None,
        chosen: str | None = None,
    ) -> None:
        self._conversation, self._data = conversation, data
        self.model = model
        if data is not None:
            chosen = data.get("prompt", "")
        self.entry = conversation.prompt if chosen is None else choose_prompt(user, chosen)
        self.choice = PromptChoiceForm(
            data,
            initial={"prompt": str(self.entry.pk) if self.entry else "", "system_prompt": self._own_text()},
            choices=prompt_choices(user, _("A text of its own, or none")),
        )
        # with a script what depends on the choice comes at once; only the choice goes into that address
        self.choice.fields["prompt"].widget.attrs |= {
            "hx-get": reverse("chat:settings", args=[conversation.pk]),
            "hx-target": "#prompt-choice",
            "hx-swap": "outerHTML",
        }
        text = self.entry.text if self.entry else self._typed_text()
        self.variables = asked(text)
        self.answers_form = AnswersForm(data, variables=self.variables, answers=conversation.prompt_values)
        self.preset = PresetForm(data, initial={"preset": self._preset_value()}, choices=preset_choices(user))
        names = EVERY if model is None else taken_by(model) - fixed_by(model).keys()
        self.sampling = SamplingForm(data, options=conversation.options, names=names)
        if model is not None:
            self._show_inherited(model)
        self.chosen_preset = choose_preset(user, data.get("preset", "")) if data else PresetChoice()

    def is_valid(self) -> bool:
        """Whether everything can be stored."""
        forms = (self.choice, self.answers_form, self.preset, self.sampling)
        return not [form for form in forms if not form.is_valid()]  # each of them shows its errors

    @property
    def answers(self) -> dict[str, str]:
        """What was answered; where a field was not on the page, what is stored."""
        stored = self._conversation.prompt_values
        names = [variable.name for variable in self.variables]
        kept = {name: stored[name] for name in names if name in stored and not self._posted(PREFIX + name)}
        return kept | self.answers_form.answers()

    @property
    def own_text(self) -> str:
        """The conversation's own text as it is to be stored. While it follows an entry the page has no field for it."""
        if self._posted("system_prompt"):
            return str(self.choice.cleaned_data["system_prompt"])
        if self.entry:
            return self._conversation.system_prompt
        return self._own_text() if self._conversation.prompt_id else ""

    @property
    def is_unfinished(self) -> bool:
        """Whether the page has to be shown again: for an answer, or a text that begins as a copy."""
        answers = self.answers
        copied = self.entry is None and bool(self.own_text) and not self._posted("system_prompt")
        return copied or not all(answer_of(variable, answers) for variable in self.variables)

    def _posted(self, name: str) -> bool:
        return self._data is not None and name in self._data

    def _own_text(self) -> str:
        """What a text of its own begins with: the one it had, or that of the entry that it followed."""
        conversation = self._conversation
        return conversation.system_prompt or conversation.prompt_text

    def _typed_text(self) -> str:
        return (
            self._data["system_prompt"] if self._data and self._posted("system_prompt") else self._own_text()
        )

    def _preset_value(self) -> str:
        conversation = self._conversation
        return conversation.builtin_preset or (str(conversation.preset_id) if conversation.preset_id else "")

    def _show_inherited(self, model: CatalogueModel) -> None:
        """What holds where a field stays empty."""
        for name, setting in settings_for(self._conversation, model, own=False).items():
            if name in self.sampling.fields:
                self.sampling.fields[name].widget.attrs["placeholder"] = words(name, setting.value)


def model_of(conversation: Conversation) -> CatalogueModel | None:
    """The model that the conversation talks to, None where nobody knows it (any more, or before a vote). One query."""
    if conversation.backend_id is None or conversation.alias:
        return None
    rows = CatalogueModel.objects.filter(backend=conversation.backend_id, model_id=conversation.model_id)
    return rows.select_related("backend").first()
