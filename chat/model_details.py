"""Everything that is known of one model, as its page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backends.models import CatalogueModel
from chat.catalogue import abilities, is_loaded, whole_number
from chat.presenters.message import Fact


def model_facts(model: CatalogueModel) -> tuple[Fact, ...]:
    """The catalogue's columns, then whatever else the server told."""
    facts = [fact for fact in (*columns(model), *details(model)) if fact.value]
    return tuple(facts)


def columns(model: CatalogueModel) -> Iterable[Fact]:
    """What servers of every kind tell."""
    backend = model.backend
    yield Fact("id", _("Name at the server"), model.model_id)
    if model.name != model.model_id:
        yield Fact("name", _("Title at the server"), model.name)
    yield Fact("backend", _("Backend"), backend.name)
    yield Fact("kind", _("Kind"), backend.kind_label)
    yield Fact("family", _("Family"), model.family)
    yield Fact("parameters", _("Parameters"), model.parameter_size)
    yield Fact("quantization", _("Quantisation"), model.quantization)
    yield Fact("size", _("Size on disk"), filesizeformat(model.size_bytes) if model.size_bytes else "")
    yield Fact("context", _("Context"), tokens(model.context_length))
    yield Fact("max_context", _("Longest context"), tokens(model.max_context_length))
    yield Fact("can", _("Can do"), abilities_text(model))
    yield Fact("loaded", _("In memory"), loaded_text(model))
    yield Fact("place", _("Runs"), _("elsewhere, in the cloud") if model.remote else _("at its server"))
    yield Fact("digest", _("Digest"), model.digest)
    if backend.checked_at:
        yield Fact("checked", _("Last looked at"), moment(backend.checked_at))


def abilities_text(model: CatalogueModel) -> str:
    """What it can do, in words; also that the server does not tell."""
    if model.capabilities is None:
        return _("the server does not tell")
    chat = [_("Chat")] if model.is_chat else []
    return ", ".join([*chat, *(ability.label for ability in abilities(model.capabilities))])


def loaded_text(model: CatalogueModel) -> str:
    """Whether it is in memory, where that is known."""
    if is_loaded(model):
        return _("yes")
    return "" if model.loaded is None or model.loaded else _("no")


def details(model: CatalogueModel) -> Iterable[Fact]:
    """What this kind of server tells beside that."""
    for name, value in model.details.items():
        shape = SHAPES.get(name, str)
        label = LABELS.get(name) or name.replace("_", " ").capitalize()
        yield Fact(name, str(label), shape(str(value)))


def tokens(count: int | None) -> str:
    """A number of tokens."""
    return _("%(count)s tokens") % {"count": whole_number(count)} if count else ""


def as_tokens(text: str) -> str:
    """A number of tokens that came as text."""
    return tokens(int(text)) if text.isdecimal() else text


def as_size(text: str) -> str:
    """A number of bytes that came as text."""
    return filesizeformat(int(text)) if text.isdecimal() else text


def as_moment(text: str) -> str:
    """A moment that came as text; as it came where it cannot be read."""
    try:
        found = datetime.fromisoformat(text)
        return moment(found) if found.tzinfo else text
    except (ValueError, OverflowError):
        return text


def moment(when: datetime) -> str:
    """Date and time here."""
    return formats.date_format(timezone.localtime(when), "DATETIME_FORMAT")


LABELS: Mapping[str, object] = {
    "build": gettext_lazy("Build of the server"),
    "description": gettext_lazy("Description"),
    "device": gettext_lazy("Device"),
    "endpoints": gettext_lazy("Servers behind the proxy"),
    "engine": gettext_lazy("Engine"),
    "expires_at": gettext_lazy("Stays in memory until"),
    "file": gettext_lazy("File"),
    "format": gettext_lazy("Format"),
    "max_output": gettext_lazy("Longest answer"),
    "modified_at": gettext_lazy("Changed"),
    "note": gettext_lazy("Note"),
    "owned_by": gettext_lazy("Publisher"),
    "plan": gettext_lazy("How the server would run it"),
    "provider": gettext_lazy("Provider"),
    "reasoning": gettext_lazy("Levels of thinking"),
    "release_date": gettext_lazy("Released"),
    "remote_host": gettext_lazy("Runs at"),
    "size_vram": gettext_lazy("On the graphics card"),
    "status": gettext_lazy("Status"),
    "support": gettext_lazy("Support"),
    "variant": gettext_lazy("Variant"),
    "variants": gettext_lazy("Variants"),
}

SHAPES: Mapping[str, Callable[[str], str]] = {
    "expires_at": as_moment,
    "max_output": as_tokens,
    "modified_at": as_moment,
    "size_vram": as_size,
}
