"""What an answer's row tells about how it went: how it ended, what was measured."""

from __future__ import annotations

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backends.adapters.events import FinishReason
from chat.cards import seconds
from chat.generation.run import ToolsEnd
from chat.models import Generation, Message, Status
from chat.presenters.message import ErrorView, Fact

#: Tokens by which servers stop before the end of the window.
ROUNDING = 8


def error_view(generation: Generation) -> ErrorView | None:
    """What went wrong, None where nothing did."""
    if generation.status != Status.FAILED:
        return None
    if generation.alias:  # a server's words may name the model
        return ErrorView(generation.error_kind, _("The answer failed."), "")
    return ErrorView(
        generation.error_kind, generation.error_message or _("The answer failed."), generation.error_hint
    )


def note(generation: Generation, row: Message) -> str:
    """What there is to know about the answer: how it ended, and what the model did not get."""
    if generation.is_active:
        return ""
    return " ".join(filter(None, (ending(generation, row), left_out(generation))))


def left_out(generation: Generation) -> str:
    """A sentence where the model was not sent the images of the conversation."""
    count = generation.images_left_out
    if not count:
        return ""
    sentence = ngettext(
        "%(model)s can’t see images: %(count)d image of this conversation was left out.",
        "%(model)s can’t see images: %(count)d images of this conversation were left out.",
        count,
    )
    return sentence % {"model": model_label(generation), "count": count}


def ending(generation: Generation, row: Message) -> str:
    """A sentence about how the answer ended, where it is not the ordinary way."""
    if generation.status == Status.STOPPED:
        return _("You stopped this answer.")
    if generation.status == Status.INTERRUPTED:
        return _("The hub was restarted while this was being written. The text up to then was kept.")
    if generation.status != Status.COMPLETED:
        return ""
    if end := tools_end(generation, answered=bool(row.text)):
        return end
    if generation.finish_reason == FinishReason.LENGTH and window_is_full(generation):
        return _("The model’s window is full: there was no room for the rest of the answer.")
    return {
        FinishReason.LENGTH: _("The answer reached the length limit."),
        FinishReason.CONTENT_FILTER: _("The AI server's content filter ended this answer."),
        FinishReason.INCOMPLETE: _(
            "The AI server closed the connection without saying that the answer was complete."
        ),
    }.get(FinishReason(generation.finish_reason or "unknown")) or (
        _("The model ended without an answer.") if not row.text else ""
    )


def window_is_full(generation: Generation) -> bool:
    """Whether question and answer took the whole window, as far as it is known."""
    known = generation.context
    window, filled = known.get("window"), known.get("input", 0) + known.get("output", 0)
    return bool(window) and filled >= window - ROUNDING


def tools_end(generation: Generation, *, answered: bool) -> str:
    """Why the model's calls ended before it was done."""
    end = generation.details.get("tools_end", "")
    if end == ToolsEnd.REFUSED:
        return _("This model can’t use tools, so it was asked without them.")
    if not answered:
        return {
            ToolsEnd.STEPS.value: _("The model called tools too many times and gave no answer."),
            ToolsEnd.TIME.value: _("The model’s tools took too long, and it gave no answer."),
            ToolsEnd.REPEATED.value: _("The model repeated itself and gave no answer."),
        }.get(end, "")
    return {
        ToolsEnd.STEPS.value: _("The model called tools too many times; it answered with what it had."),
        ToolsEnd.TIME.value: _("The model’s tools took too long; it answered with what it had."),
        ToolsEnd.REPEATED.value: _("The model repeated itself; it answered with what its tools had given."),
    }.get(end, "")


def facts(generation: Generation) -> tuple[Fact, ...]:
    """What was measured: model, first token, speed, tokens, why it ended."""
    found = [Fact("model", _("Model"), model_label(generation))]
    other = generation.answered_by
    if other and not generation.alias and other not in (generation.model_id, generation.model_name):
        found.append(Fact("answered_by", _("Answered by"), other))
    if generation.ttft_ms is not None:
        found.append(Fact("ttft", _("First token"), seconds(generation.ttft_ms / 1000)))
    if generation.tokens_per_second:
        speed = formats.number_format(generation.tokens_per_second, 1)
        found.append(Fact("speed", _("Speed"), _("%(speed)s tokens/s") % {"speed": speed}))
    if generation.output_tokens is not None:
        tokens = formats.number_format(generation.output_tokens, use_l10n=True, force_grouping=True)
        words = ngettext("%(count)s token", "%(count)s tokens", generation.output_tokens)
        found.append(Fact("tokens", _("Tokens"), words % {"count": tokens}))
    if generation.finish_reason:
        found.append(Fact("finish", _("Ended"), finish_label(generation.finish_reason)))
    return tuple(found)


def finish_label(reason: str) -> str:
    """Why it ended, in words."""
    return {
        FinishReason.STOP.value: _("complete"),
        FinishReason.LENGTH.value: _("length limit"),
        FinishReason.TOOL_CALLS.value: _("asked for a tool"),
        FinishReason.CONTENT_FILTER.value: _("content filter"),
        FinishReason.CANCELLED.value: _("stopped"),
        FinishReason.INCOMPLETE.value: _("cut off"),
    }.get(reason, _("unknown"))


def model_label(generation: Generation) -> str:
    """What the page calls the model; never empty."""
    return generation.alias or generation.model_name or generation.model_id


def can_continue(generation: Generation, row: Message) -> bool:
    """Whether the answer ended before its end."""
    cut = generation.status in (Status.STOPPED, Status.INTERRUPTED, Status.FAILED)
    cut = cut or generation.finish_reason in (FinishReason.LENGTH, FinishReason.INCOMPLETE)
    return bool(row.text or row.has_steps) and cut and not generation.is_active


def thought_tokens(generation: Generation, row: Message) -> str:
    """How many tokens the thinking took: the server's own count, else its share of what was written.

    An answer that was gone on with was written by several runs, of which this is only the last.
    """
    if not row.reasoning or generation.is_active or generation.continues:
        return ""
    count, text = generation.reasoning_tokens, _("%(count)s tokens")
    if not count and generation.output_tokens:
        share = len(row.reasoning) / (len(row.reasoning) + len(row.text))
        count, text = round(generation.output_tokens * share), _("about %(count)s tokens")
    return text % {"count": formats.number_format(count, use_l10n=True, force_grouping=True)} if count else ""
