"""Everything that is known of how one answer came about."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import formats
from django.utils.translation import gettext as _

from backends.adapters.registry import KINDS
from chat.cards import seconds
from chat.models import Generation
from chat.presenters.message import Fact
from chat.presenting.endings import finish_label, model_label
from chat.sampling_form import option_facts


def details(generation: Generation) -> tuple[Fact, ...]:
    """Who answered and how long it took, as far as it is known."""
    if generation.alias:
        return (Fact("asked", _("Model asked"), _("hidden until you vote")),)
    found = [*_who(generation), *_through(generation), *_times(generation), *_tokens(generation)]
    if generation.finish_reason:
        found.append(Fact("finish", _("Ended"), finish_label(generation.finish_reason)))
    return tuple(fact for fact in found if fact.value)


def options_sent(generation: Generation) -> tuple[Fact, ...]:
    """The sampling options that went along, in the words of their form; they may be those of one model only."""
    return () if generation.alias else option_facts(generation.options)


def _who(generation: Generation) -> Iterator[Fact]:
    yield Fact("backend", _("Server"), generation.backend_name)
    told = generation.receipt.get("server", {}).get("kind", "")  # all that an imported answer knows of it
    kind = KINDS.get(generation.backend.kind if generation.backend else told)
    yield Fact("kind", _("Kind of server"), str(kind.label) if kind else "")
    name = model_label(generation)
    asked = generation.model_id if name == generation.model_id else f"{name} ({generation.model_id})"
    yield Fact("asked", _("Model asked"), asked)
    yield Fact("answered", _("Model that answered"), generation.answered_by)


def _through(generation: Generation) -> Iterator[Fact]:
    """What a proxy in between told of the machine behind it."""
    labels = {
        "x-olla-endpoint": _("Endpoint"),
        "x-olla-model": _("Model there"),
        "x-olla-backend-type": _("Kind of endpoint"),
        "x-olla-response-time": _("Time until its headers"),
    }
    headers = {name.lower(): str(value) for name, value in generation.details.get("headers", {}).items()}
    for name, label in labels.items():
        yield Fact(name.removeprefix("x-olla-"), label, headers.pop(name, ""))
    for name, value in headers.items():
        yield Fact(name, name, value)


def _times(generation: Generation) -> Iterator[Fact]:
    if generation.load_ms is not None:
        yield Fact("load", _("Loading the model"), seconds(generation.load_ms / 1000))
    if generation.ttft_ms is not None:
        yield Fact("ttft", _("First token"), seconds(generation.ttft_ms / 1000))
    if generation.tokens_per_second:
        speed = formats.number_format(generation.tokens_per_second, 1)
        yield Fact("speed", _("Speed"), _("%(speed)s tokens/s") % {"speed": speed})
    if generation.started_at and generation.finished_at:
        whole = (generation.finished_at - generation.started_at).total_seconds()
        yield Fact("whole", _("The whole answer"), seconds(whole))


def _tokens(generation: Generation) -> Iterator[Fact]:
    counts = (
        ("input", _("Tokens read"), generation.input_tokens),
        ("cached", _("of these from the cache"), generation.cached_tokens),
        ("output", _("Tokens written"), generation.output_tokens),
        ("reasoning", _("of these for thinking"), generation.reasoning_tokens),
    )
    for name, label, count in counts:
        if count is not None:
            yield Fact(name, label, formats.number_format(count, use_l10n=True, force_grouping=True))
