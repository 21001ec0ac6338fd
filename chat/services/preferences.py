"""What a person wants of models: favourites, hidden ones, a default for new conversations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from backends.database import write_transaction
from backends.models import CatalogueModel, ModelPreference

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def set_wish(user: User, model: CatalogueModel, *, favourite: bool = False, hidden: bool = False) -> None:
    """A favourite, a hidden one, or neither. A hidden model is no longer the default."""
    mine = ModelPreference.objects.filter(user=user, model=model)
    with write_transaction():
        if not favourite and not hidden:
            mine.delete()
        elif not mine.update(favourite=favourite, hidden=hidden):
            ModelPreference.objects.get_or_create(
                user=user, model=model, defaults={"favourite": favourite, "hidden": hidden}
            )
        if hidden and user.default_model == model.ref:
            set_default(user, None)


def set_default(user: User, model: CatalogueModel | None) -> None:
    """The model of every new conversation, or none, so that it is the one of the last."""
    user.default_model = model.ref if model else ""
    user.save(update_fields=["default_model"])


def drop_default(user: User, model: CatalogueModel) -> None:
    """That model is not the default any more."""
    if user.default_model == model.ref:
        set_default(user, None)


#: What a button on the page of models asks for.
WISHES: Mapping[str, Callable[[User, CatalogueModel], None]] = {
    "favourite": partial(set_wish, favourite=True),
    "unfavourite": set_wish,
    "hide": partial(set_wish, hidden=True),
    "show": set_wish,
    "default": set_default,
    "no-default": drop_default,
}
