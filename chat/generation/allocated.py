"""The window that a request really gets, as far as anybody tells."""

from __future__ import annotations

from dataclasses import replace

from backends.adapters.messages import SamplingOptions
from backends.adapters.registry import adapter_class
from backends.models import Backend, CatalogueModel
from chat.generation.window import Source, Window

_OPTION = "num_ctx"


def window_of(backend: Backend, model: CatalogueModel | None, asked: int | None = None) -> Window:
    """For requests to that model that ask for a window of ``asked`` tokens, or for none.

    What is asked for goes first, then what its server has allocated, then what such a server is asked for
    by this hub, and at last what the model could take. The window of a model on another machine of the
    server's maker is not ours to set.
    """
    adapter = adapter_class(backend.kind)
    longest = model.max_context_length if model else None
    if "context_length" in adapter.sampling_fields and (wanted := asked or configured(backend)):
        return Window(min(wanted, longest or wanted), Source.ASKED)
    if model is None:
        return Window(adapter.usual_window, Source.ASKED) if adapter.usual_window else Window()
    if model.refused_window and not is_allocated(model):
        return Window(model.refused_window, Source.ALLOCATED)
    if adapter.usual_window and not model.remote:
        wanted = model.context_length or min(adapter.usual_window, longest or adapter.usual_window)
        return Window(wanted, Source.ALLOCATED if model.loaded and model.context_length else Source.ASKED)
    if is_allocated(model):
        return Window(model.context_length, Source.ALLOCATED)
    limit = model.context_length or longest
    return Window(limit, Source.LIMIT) if limit else Window()


def is_allocated(model: CatalogueModel) -> bool:
    """Whether the server says how large the window is, and not only how large it could be."""
    if not model.context_length:
        return False
    return model.loaded is not False or model.context_length != model.max_context_length


def configured(backend: Backend) -> int | None:
    """What an administrator has set for all models of that server."""
    value = str(backend.options.get(_OPTION, ""))
    return int(value) if value.isdecimal() else None


def with_window(sampling: SamplingOptions, backend: Backend, window: Window) -> SamplingOptions:
    """The options that name the window, to servers that would choose one by themselves and cut in silence."""
    if adapter_class(backend.kind).usual_window is None or window.source is Source.LIMIT:
        return sampling
    return replace(sampling, context_length=window.tokens)
