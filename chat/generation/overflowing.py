"""After a server has refused a request because it is longer than the model's window."""

from __future__ import annotations

from dataclasses import replace

from django.utils import formats
from django.utils.translation import gettext as _

from backends.adapters.errors import ContextOverflow
from backends.models import CatalogueModel
from chat.generation.cutting import DoesNotFit
from chat.generation.estimate import AROUND_TURN, LARGEST, SMALLEST
from chat.generation.fit import Fit
from chat.generation.prompt import Prepared, prepare

#: How often an answer is tried again with less, as far as its owner allows that.
REFUSALS = 4
#: By how much an estimate is corrected where the server does not say what it counted.
_CORRECTION = 0.8
#: The window is at most this share of what was refused, where neither list nor refusal tells.
_GUESS = 0.75


def prepare_shorter(prepared: Prepared, error: ContextOverflow) -> Prepared:
    """The same answer from what the refusal has taught. Raises DoesNotFit, and whatever ``prepare`` does."""
    fit, generation = prepared.fit, prepared.generation
    window = number(error, "n_ctx")
    if window and (generation.backend_id is not None) and window != fit.window.tokens:
        rows = CatalogueModel.objects.filter(backend=generation.backend_id, model_id=generation.model_id)
        rows.update(refused_window=window)
    demand = replace(
        prepared.demand,
        ratio=corrected(fit, number(error, "n_prompt_tokens")),
        window=window or fit.window.tokens or int(fit.tokens * _GUESS),
        sure=True,
    )
    return prepare(generation.pk, demand)


def tells_window(prepared: Prepared, error: ContextOverflow) -> bool:
    """Whether it is known how much the model reads, and not only guessed."""
    return bool(number(error, "n_ctx") or prepared.fit.window.tokens)


def corrected(fit: Fit, counted: int | None) -> float:
    """Bytes for each token, now that the server has counted; a bold guess where it does not say how many."""
    size = fit.size
    rest = counted - size.turns * AROUND_TURN if counted and not size.images else 0
    if rest > 0:
        return min(max(size.text / rest, SMALLEST), LARGEST)
    return max(fit.ratio * _CORRECTION, SMALLEST)


def number(error: ContextOverflow, name: str) -> int | None:
    """A count that the server has given; None where it has not."""
    value = error.data.get(name, "")
    return int(value) if value.isdecimal() and int(value) > 0 else None


def sentences(refused: DoesNotFit, model: str) -> tuple[str, str]:
    """What happened, and what there is to do, for the owner."""
    numbers = {"tokens": whole(refused.tokens), "window": whole(refused.window.tokens or 0), "model": model}
    if refused.alone:
        return (
            _("This question alone is too long: about %(tokens)s tokens, and %(model)s reads %(window)s.")
            % numbers,
            _("Send it in parts, take a file out, or pick a model with a larger window."),
        )
    return (
        _("The conversation is too long: about %(tokens)s tokens, and %(model)s reads %(window)s at once.")
        % numbers,
        _("Nothing was left out. Choose what happens with what doesn’t fit."),
    )


def whole(number: int) -> str:
    """A number with its thousands apart."""
    return formats.number_format(number, use_l10n=True, force_grouping=True)
