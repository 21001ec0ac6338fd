"""Form fields for sampling options, and their words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backends.adapters.messages import Reasoning
from chat.presenters.message import Fact

#: Seconds that a model stays loaded after an answer. Negative: for ever.
KEPT_FOR = (
    ("-1", gettext_lazy("For ever")),
    ("0", gettext_lazy("Not at all")),
    ("300", gettext_lazy("5 minutes")),
    ("1800", gettext_lazy("30 minutes")),
    ("3600", gettext_lazy("1 hour")),
    ("14400", gettext_lazy("4 hours")),
    ("86400", gettext_lazy("1 day")),
)
#: Words to stop at, and characters of one.
MOST_STOPS, LONGEST_STOP = 16, 200


class SamplingForm(forms.Form):
    """Every option; an empty field leaves the choice to whoever is asked next: a preset, the model, its server."""

    temperature = forms.FloatField(
        label=gettext_lazy("Temperature"),
        required=False,
        min_value=0,
        max_value=2,
        help_text=gettext_lazy("0 exact, 1 lively, up to 2."),
    )
    top_p = forms.FloatField(
        label=gettext_lazy("Top-p"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Share of the likeliest words, 0 to 1."),
    )
    top_k = forms.IntegerField(
        label=gettext_lazy("Top-k"),
        required=False,
        min_value=0,
        max_value=1000,
        help_text=gettext_lazy("How many of the likeliest words."),
    )
    min_p = forms.FloatField(
        label=gettext_lazy("Min-p"),
        required=False,
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Drops words this much less likely than the best, 0 to 1."),
    )
    repeat_penalty = forms.FloatField(
        label=gettext_lazy("Repeat penalty"),
        required=False,
        min_value=0,
        max_value=3,
        help_text=gettext_lazy("1 none, 1.1 a little."),
    )
    max_tokens = forms.IntegerField(
        label=gettext_lazy("Longest answer"),
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text=gettext_lazy("Tokens; thinking counts too."),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        required=False,
        min_value=-(2**31),
        max_value=2**31 - 1,
        help_text=gettext_lazy("The same seed gives the same answer."),
    )
    context_length = forms.IntegerField(
        label=gettext_lazy("Context window"),
        required=False,
        min_value=256,
        max_value=100_000_000,
        help_text=gettext_lazy("Tokens. Another window loads the model anew."),
    )
    keep_alive = forms.TypedChoiceField(
        label=gettext_lazy("Stays loaded"),
        required=False,
        coerce=float,
        empty_value=None,
        choices=[("", gettext_lazy("As the server does")), *KEPT_FOR],
        help_text=gettext_lazy("How long the model stays in memory after an answer."),
    )
    reasoning = forms.ChoiceField(
        label=gettext_lazy("Thinking"),
        required=False,
        choices=[
            ("", gettext_lazy("As the model does")),
            (Reasoning.OFF.value, gettext_lazy("Off")),
            (Reasoning.ON.value, gettext_lazy("On")),
            (Reasoning.LOW.value, gettext_lazy("Little")),
            (Reasoning.MEDIUM.value, gettext_lazy("Medium")),
            (Reasoning.HIGH.value, gettext_lazy("Much")),
        ],
    )
    stop = forms.CharField(
        label=gettext_lazy("Stop words"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One a line. The answer ends before the first of them."),
    )

    #: All names, in the order of the form.
    names: ClassVar[tuple[str, ...]]

    def __init__(
        self, data: Any = None, *, options: Mapping[str, Any], names: Collection[str], **kwargs: Any
    ) -> None:
        """``options`` are those that are stored, ``names`` those that there is a field for."""
        super().__init__(data, initial=_shown(options), **kwargs)
        self._stored = dict(options)
        for name in self.fields.keys() - frozenset(names):
            del self.fields[name]
        if "keep_alive" in self.fields and "keep_alive" in options:
            self._keep_other_time(options["keep_alive"])

    def _keep_other_time(self, seconds: Any) -> None:
        """A time that came from a file stays one that can be chosen."""
        field: Any = self.fields["keep_alive"]
        if _seconds(seconds) not in dict(KEPT_FOR):
            field.choices = [*field.choices, (_seconds(seconds), words("keep_alive", seconds))]

    def clean_stop(self) -> list[str]:
        """The words as a list."""
        lines = [line for line in self.cleaned_data["stop"].splitlines() if line.strip()]
        return [line[:LONGEST_STOP] for line in lines][:MOST_STOPS]

    def options(self) -> dict[str, Any]:
        """What is to be stored: the fields that were filled, and what there was no field for."""
        unseen = {name: value for name, value in self._stored.items() if name not in self.fields}
        seen = {name: self.cleaned_data[name] for name in self.fields}
        return unseen | {name: value for name, value in seen.items() if value not in (None, "", [])}


SamplingForm.names = tuple(SamplingForm.base_fields)


def option_facts(options: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Options in the words of their form."""
    return tuple(
        Fact(name, str(SamplingForm.base_fields[name].label), words(name, options[name]))
        for name in options
        if name in SamplingForm.names
    )


def words(name: str, value: Any) -> str:
    """The value of one option, for people."""
    if isinstance(value, list | tuple):
        return ", ".join(f"“{word}”" for word in value)
    if name == "keep_alive":
        return str(dict(KEPT_FOR).get(_seconds(value), "")) or _duration(value)
    choices = dict(getattr(SamplingForm.base_fields[name], "choices", ()))
    if value in choices:
        return str(choices[value])
    return formats.number_format(value) if isinstance(value, int | float) else str(value)


def _duration(value: Any) -> str:
    """Seconds, or a time as a server's setting has it."""
    return (
        _("%(count)s seconds") % {"count": _seconds(value)} if isinstance(value, int | float) else str(value)
    )


def _seconds(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """Stored options as the form's fields have them."""
    shown = {name: value for name, value in options.items() if name in SamplingForm.names}
    if "stop" in shown:
        shown["stop"] = "\n".join(shown["stop"])
    if "keep_alive" in shown:
        shown["keep_alive"] = _seconds(shown["keep_alive"])
    return shown
