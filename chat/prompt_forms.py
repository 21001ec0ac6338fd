"""Forms of system prompts and presets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chat.models import LONGEST_PROMPT, SamplingPreset, SystemPrompt
from chat.presets import BUILTIN

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

Choices = list[tuple[str, Any]]


class SystemPromptForm(forms.ModelForm):  # type: ignore[type-arg]
    """An entry of the library. ``shared`` is only there for administrators who make a new one."""

    shared = forms.BooleanField(
        label=gettext_lazy("For everybody"),
        required=False,
        help_text=gettext_lazy("Everybody may use it and make a copy; only administrators change it."),
    )

    class Meta:
        model = SystemPrompt
        fields = ["name", "description", "text"]
        widgets = {
            "name": forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
            "description": forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
            "text": forms.Textarea(attrs={"rows": 12, "dir": "auto"}),
        }

    def __init__(self, *args: Any, may_share: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["shared"]

    def clean_name(self) -> str:
        """One line."""
        return " ".join(self.cleaned_data["name"].split())

    def clean_text(self) -> str:
        """With line ends as the hub has them."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").replace("\r", "\n").strip()


class PromptChoiceForm(forms.Form):
    """An entry of the library, or a text of the conversation's own."""

    prompt = forms.ChoiceField(label=gettext_lazy("System prompt"), required=False)
    system_prompt = forms.CharField(
        label=gettext_lazy("Text of this conversation"),
        required=False,
        max_length=LONGEST_PROMPT,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text=gettext_lazy("Sent before every answer of this conversation. Variables work here too."),
    )

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["prompt"]
        field.choices = choices


class PresetForm(forms.Form):
    """A preset, or none."""

    preset = forms.ChoiceField(
        label=gettext_lazy("Preset"),
        required=False,
        help_text=gettext_lazy("What you set below goes before it."),
    )

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["preset"]
        field.choices = choices


def prompt_choices(user: User, without: str) -> Choices:
    """The library for a select; ``without`` says what it means to choose none. One query."""
    rows = list(SystemPrompt.objects.usable_by(user).only("id", "name", "owner_id"))
    return [
        ("", without),
        *_group(_("Yours"), (row for row in rows if not row.is_shared)),
        *_group(_("For everybody"), (row for row in rows if row.is_shared)),
    ]


def preset_choices(user: User) -> Choices:
    """The presets for a select. One query."""
    builtin = [(key, f"{preset.label} · {preset.description}") for key, preset in BUILTIN.items()]
    mine = SamplingPreset.objects.owned_by(user).only("id", "name")
    return [("", _("None: as the model does")), *builtin, *_group(_("Yours"), mine)]


def _group(label: str, rows: Iterable[SystemPrompt | SamplingPreset]) -> Choices:
    choices = [(str(row.pk), row.name) for row in sorted(rows, key=lambda row: row.name.casefold())]
    return [(label, choices)] if choices else []
