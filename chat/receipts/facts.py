"""What a receipt tells of model, server and options, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from chat.details import details
from chat.model_details import LABELS, SHAPES, tokens
from chat.models import Generation
from chat.presenters.message import Fact


def facts(generation: Generation) -> tuple[Fact, ...]:
    """Who answered, by which build of a model, how long it took."""
    kept = generation.receipt
    found = [*details(generation), *model_facts(kept.get("model", {})), *server_facts(kept.get("server", {}))]
    if kept.get("state") or kept.get("reminded"):
        found.append(Fact("state", _("Sent as"), _("what was new; the server remembered the rest")))
    if kept.get("retried"):
        found.append(Fact("retried", _("Asked once more"), kept["retried"]))
    return tuple(found)


def model_facts(known: Mapping[str, Any]) -> Iterator[Fact]:
    """The build of the model, as its server told it then."""
    named = {
        "digest": _("Digest of the model"),
        "family": _("Family"),
        "parameter_size": _("Parameters"),
        "quantization": _("Quantisation"),
    }
    for name, label in named.items():
        if value := known.get(name):
            yield Fact(name, label, str(value))
    if size := known.get("size_bytes"):
        yield Fact("size", _("Size on disk"), filesizeformat(size))
    if window := known.get("context_length"):
        yield Fact("context", _("Context"), tokens(window))
    for name, value in known.items():
        if name in LABELS:
            yield Fact(name, str(LABELS[name]), SHAPES.get(name, str)(str(value)))


def server_facts(known: Mapping[str, Any]) -> Iterator[Fact]:
    """The server's version, and what was set for it."""
    named = {
        "version": _("Version of the server"),
        "num_ctx": _("Context window set for the server"),
        "truncate": _("Dropping the beginning"),
        "shift": _("Forgetting the beginning"),
        "store": _("Remembering at the server"),
        "api": _("Route"),
    }
    for name, label in named.items():
        if value := known.get(name):
            yield Fact(f"server-{name}", label, str(value))
