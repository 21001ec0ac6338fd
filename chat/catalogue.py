"""The page of all models: what it lists, in which groups, and what narrows it down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import QueryDict
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from backends.adapters.base import Capability
from backends.manager import operations
from backends.models import Access, Backend, CatalogueModel, State
from chat.health import health_view
from chat.presenters.models import HealthView
from chat.services.models import Offer, visible_models

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows the list. ``show`` is empty, ``favourites`` or ``hidden``."""

    text: str = ""
    backend: str = ""
    can: str = ""
    loaded: bool = False
    show: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """From an address; what is unknown there is ignored."""
        show = query.get("show", "")
        return cls(
            text=query.get("q", "").strip()[:200],
            backend=query.get("backend", "")[:60],
            can=query.get("can", "")[:20],
            loaded=bool(query.get("loaded")),
            show=show if show in ("favourites", "hidden") else "",
        )

    @property
    def query(self) -> str:
        """The same in an address, without ``?``."""
        values = {"q": self.text, "backend": self.backend, "can": self.can, "show": self.show}
        values["loaded"] = "1" if self.loaded else ""
        return urlencode({name: value for name, value in values.items() if value})

    def admit(self, offer: Offer) -> bool:
        """Whether that model is listed."""
        model = offer.model
        return (
            offer.is_shown == (self.show != "hidden")
            and (self.show != "favourites" or offer.favourite)
            and self.backend in ("", model.backend.slug)
            and (not self.can or self.can in (model.capabilities or ()))
            and (not self.loaded or is_loaded(model))
            and all(word in words_of(model) for word in self.text.casefold().split())
        )


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that a model can do, with its icon."""

    value: str
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of the list. ``hidden`` is the person's own wish, ``off_list`` the hub's."""

    id: int
    ref: str
    name: str
    model_id: str
    url: str
    facts: tuple[str, ...]
    abilities: tuple[Ability, ...]
    loaded: bool
    remote: bool
    can_chat: bool
    favourite: bool
    hidden: bool
    off_list: bool
    is_default: bool
    is_first_choice: bool
    access_label: str


@dataclass(frozen=True, slots=True)
class ModelRows:
    """The models of one backend. ``manage_url`` is for administrators, else empty."""

    backend: str
    slug: str
    health: HealthView
    manage_url: str
    models: tuple[ModelRow, ...]


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """The list and the choices of its filters. ``total`` counts all that the person may see."""

    filters: Filters
    groups: tuple[ModelRows, ...]
    count: int
    hidden_count: int
    total: int
    backends: tuple[tuple[str, str], ...]
    abilities: tuple[Ability, ...]


def catalogue_view(user: User, filters: Filters, keep: str = "") -> CatalogueView:
    """The models that this person may see. ``keep`` is the ref of one that stays listed in any case. One query."""
    offers = visible_models(user)
    listed = [offer for offer in offers if filters.admit(offer) or offer.model.ref == keep]
    known = {can for offer in offers for can in offer.model.capabilities or ()}
    return CatalogueView(
        filters=filters,
        groups=tuple(groups(user, listed)),
        count=len(listed),
        hidden_count=sum(not offer.is_shown for offer in offers),
        total=len(offers),
        backends=tuple({offer.model.backend.slug: offer.model.backend.name for offer in offers}.items()),
        abilities=tuple(abilities(known)),
    )


def groups(user: User, offers: list[Offer]) -> Iterable[ModelRows]:
    """One group a backend."""
    by_backend: dict[int, list[Offer]] = {}
    for offer in offers:
        by_backend.setdefault(offer.model.backend_id, []).append(offer)
    for members in by_backend.values():
        backend = members[0].model.backend
        yield ModelRows(
            backend=backend.name,
            slug=backend.slug,
            health=health_view(backend),
            manage_url=manage_url(backend) if user.is_staff else "",
            models=tuple(model_row(user, offer) for offer in members),
        )


def model_row(user: User, offer: Offer) -> ModelRow:
    """One model."""
    model = offer.model
    return ModelRow(
        id=model.pk,
        ref=model.ref,
        name=str(model),
        model_id=model.model_id,
        url=reverse("chat:model", args=[model.pk]),
        facts=tuple(short_facts(model)),
        abilities=tuple(abilities(model.capabilities or ())),
        loaded=is_loaded(model),
        remote=model.remote,
        can_chat=model.is_chat,
        favourite=offer.favourite,
        hidden=offer.hidden,
        off_list=model.hidden,
        is_default=user.default_model == model.ref,
        is_first_choice=model.hub_default,
        access_label=rule_label(user, model),
    )


def short_facts(model: CatalogueModel) -> Iterable[str]:
    """Family, sizes and context, as far as they are known."""
    yield from filter(None, (model.family, model.parameter_size, model.quantization))
    if model.size_bytes:
        yield filesizeformat(model.size_bytes)
    if model.context_length:
        yield _("%(n)s tokens of context") % {"n": whole_number(model.context_length)}


def abilities(capabilities: Iterable[str]) -> Iterable[Ability]:
    """What is worth a word of what a model can do: that it chats is not."""
    known = set(capabilities)
    for capability, icon, label in (
        (Capability.VISION, "image", _("Vision")),
        (Capability.AUDIO, "audio-lines", _("Audio")),
        (Capability.TOOLS, "wrench", _("Tools")),
        (Capability.REASONING, "brain", _("Thinking")),
        (Capability.EMBEDDING, "waypoints", _("Embedding")),
    ):
        if capability.value in known:
            yield Ability(capability.value, label, icon)


def is_loaded(model: CatalogueModel) -> bool:
    """Whether it is in memory now; nobody knows that of a server that is off."""
    return bool(model.loaded) and model.backend.state != State.OFFLINE


def rule_label(user: User, model: CatalogueModel) -> str:
    """Who may use it, where that is not everybody; for administrators."""
    limited = user.is_staff and model.access != Access.EVERYONE
    return str(Access(model.access).label) if limited else ""


def manage_url(backend: Backend) -> str:
    """Where administrators look after the server's models, or else after the server."""
    page = "chat:backend-models" if operations(backend) else "chat:backend-edit"
    return reverse(page, args=[backend.slug])


def words_of(model: CatalogueModel) -> str:
    """What a search looks through."""
    words = (
        model.alias, model.name, model.model_id, model.family,
        model.parameter_size, model.quantization, model.backend.name,
    )  # fmt: skip
    return "\n".join(words).casefold()


def whole_number(value: int) -> str:
    """With the separators of the person's language."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)
