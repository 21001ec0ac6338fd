"""Form fields for what a prompt asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from chat.prompts.variables import LONGEST_LINE, LONGEST_LINES, Kind, Variable

#: What names of these fields begin with.
PREFIX = "answer-"


class AnswersForm(forms.Form):
    """One field for each variable, filled with the stored answers.

    ``required``: those without a default have to be answered. ``form_id`` ties the fields to a form elsewhere.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        variables: Iterable[Variable],
        answers: Mapping[str, object],
        required: bool = False,
        form_id: str = "",
    ) -> None:
        super().__init__(data)
        for variable in variables:
            field = answer_field(variable, str(answers.get(variable.name, "")))
            field.required = required and not variable.default
            if form_id:
                field.widget.attrs["form"] = form_id
            self.fields[f"{PREFIX}{variable.name}"] = field

    def answers(self) -> dict[str, str]:
        """What was answered."""
        given = {name.removeprefix(PREFIX): value for name, value in self.cleaned_data.items()}
        return {name: value for name, value in given.items() if value}

    def complaints(self) -> list[str]:
        """What is wrong, a sentence for each field."""
        return [f"{self.fields[name].label}: {errors[0]}" for name, errors in self.errors.items()]


def answer_field(variable: Variable, stored: str) -> forms.Field:
    """The field of one variable."""
    usual: dict[str, Any] = {
        "label": variable.label,
        "initial": stored or variable.default,
        "widget": _widget(variable.kind),
    }
    if variable.kind is Kind.CHOICE:
        return forms.ChoiceField(choices=[(choice, choice) for choice in variable.choices], **usual)
    longest = LONGEST_LINES if variable.kind is Kind.LINES else LONGEST_LINE

    def check(value: str) -> None:
        if not variable.accepts(value):
            raise ValidationError(_problem(variable.kind))

    return _Answer(max_length=longest, validators=[check], **usual)


class _Answer(forms.CharField):
    """A text with the line ends that the hub has everywhere."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _widget(kind: Kind) -> forms.Widget:
    match kind:
        case Kind.CHOICE:
            return forms.Select()
        case Kind.LINES:
            return forms.Textarea(attrs={"rows": 3, "dir": "auto"})
        case Kind.NUMBER:
            return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        case Kind.DATE:
            return forms.DateInput(attrs={"type": "date"})
        case Kind.TEXT:
            return forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"})


def _problem(kind: Kind) -> str:
    match kind:
        case Kind.NUMBER:
            return _("Enter a number.")
        case Kind.DATE:
            return _("Enter a date like 2026-05-31.")
        case _:
            return _("This can’t be the answer.")
