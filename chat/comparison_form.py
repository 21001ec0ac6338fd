"""The form that begins a comparison: two to four models, each with its own prompt and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from chat.generation.sampling import EVERY
from chat.models import FEWEST, MOST
from chat.presenters.models import ModelGroup
from chat.presenting.comparison import SlotView, column_name, slot_views
from chat.presenting.composer import submission_key
from chat.prompt_forms import PresetForm, PromptChoiceForm, preset_choices, prompt_choices
from chat.sampling_form import SamplingForm
from chat.services.comparing import Wish
from chat.services.models import usable_models
from chat.services.uploads import ACCEPT
from chat.start_forms import beginning_of

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """One column: the models to choose from, and the form of its prompt and options."""

    number: int
    name: str
    optional: bool
    chosen: bool
    groups: tuple[ModelGroup, ...]
    prompt: PromptChoiceForm
    preset: PresetForm
    sampling: SamplingForm

    @property
    def is_wrong(self) -> bool:
        """Whether there is a mistake in it, so that it is unfolded."""
        forms = (self.prompt, self.preset, self.sampling)
        return any(form.is_bound and form.errors for form in forms)

    def wish(self, user: User, ref: str) -> Wish:
        """The column as it is asked for; only where nothing is wrong. Raises Refused."""
        chosen = {"prompt": self.prompt.cleaned_data["prompt"], "preset": self.preset.cleaned_data["preset"]}
        text = self.prompt.cleaned_data["system_prompt"]
        return Wish(ref, text, self.sampling.options(), beginning_of(user, chosen))


class ComparisonForm:
    """What was posted, or a new form. Columns without a model are left out."""

    def __init__(self, user: User, data: Mapping[str, str] | None = None) -> None:
        data = data or {}
        self.is_bound = bool(data)
        self.text = data.get("text", "").replace("\x00", "") if self.is_bound else user.draft
        self.blind = data.get("blind") == "on"
        self.key = submission_key()
        self.accept = ACCEPT
        self.user = user
        offers = usable_models(user)
        self.has_models = bool(offers)
        self.refs = [data.get(f"model-{number}", "").replace("\x00", "") for number in range(MOST)]
        self._prompts = prompt_choices(user, _("A text of its own, or none"))
        self._presets = preset_choices(user)
        self.columns = [
            self.column(slot, data if self.is_bound else None)
            for slot in slot_views(user, offers, self.refs if self.is_bound else (), MOST)
        ]

    def column(self, slot: SlotView, data: Mapping[str, str] | None) -> ColumnForm:
        """The forms of one column."""
        prefix = f"column-{slot.number}"
        return ColumnForm(
            slot.number,
            column_name(slot.number),
            slot.number >= FEWEST,
            slot.chosen,
            slot.groups,
            PromptChoiceForm(data, prefix=prefix, choices=self._prompts),
            PresetForm(data, prefix=prefix, choices=self._presets),
            SamplingForm(data, prefix=prefix, options={}, names=EVERY),
        )

    @property
    def used(self) -> list[ColumnForm]:
        """The columns for which a model was chosen."""
        return [column for column in self.columns if self.refs[column.number]]

    def is_valid(self) -> bool:
        """Whether prompts and options of the columns are right; how many there are is the service's business."""
        return not any(column.is_wrong for column in self.used)

    @property
    def fits(self) -> bool:
        """Not posted yet, or without a mistake."""
        return not self.is_bound or self.is_valid()

    def wishes(self) -> list[Wish]:
        """The columns as they are asked for; only after :meth:`is_valid`. Raises Refused."""
        return [column.wish(self.user, self.refs[column.number]) for column in self.used]
