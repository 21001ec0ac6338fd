"""The file of what a person has set for themselves; FORMAT.md tells what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.transfer import fields, values
from chat.transfer.portable import ModelName, Settings, Unreadable, Wish

SETTINGS = "private-chat-hub-settings"
#: Grows when a reader of the old shape could not read the new one.
VERSION = 1
#: Wishes and votes that are read.
MOST_WISHES = 5_000
MOST_VOTES = 20_000


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether it is such a file."""
    return item.get("format") == SETTINGS


def document(settings: Settings) -> dict[str, Any]:
    """What a person has set as JSON values."""
    return {
        "format": SETTINGS,
        "version": VERSION,
        "settings": {
            **settings.values,
            "default_model": _written_model(settings.default_model),
            "last_model": _written_model(settings.last_model),
            "models": [
                {**_model(wish.model), "favourite": wish.favourite, "hidden": wish.hidden}
                for wish in settings.wishes
            ],
            "votes": [
                {name: fields.written(value) for name, value in vote.items()} for vote in settings.votes
            ],
        },
    }


def read(item: Mapping[str, Any]) -> Settings:
    """The same from JSON values. Raises Unreadable, also for the file of a newer hub."""
    version, source = values.whole(item.get("version")), item.get("settings")
    if version is None or not 1 <= version <= VERSION or not isinstance(source, dict):
        raise Unreadable
    votes = (fields.read(fields.VOTE, vote) for vote in values.objects(source.get("votes"))[:MOST_VOTES])
    return Settings(
        values=fields.read(fields.PERSON, source),
        default_model=_read_model(source.get("default_model")),
        last_model=_read_model(source.get("last_model")),
        wishes=tuple(filter(None, map(_read_wish, values.objects(source.get("models"))[:MOST_WISHES]))),
        votes=tuple(vote for vote in votes if vote["ballot"] and vote["outcome"] and vote["model_id"]),
    )


def _model(model: ModelName) -> dict[str, str]:
    return {"backend": model.backend, "model_id": model.model_id}


def _written_model(model: ModelName | None) -> dict[str, str] | None:
    return _model(model) if model else None


def _read_model(value: Any) -> ModelName | None:
    source = values.mapping(value)
    found = ModelName(values.name(source.get("backend"), 60), values.text(source.get("model_id"), 250))
    return found if found.backend and found.model_id else None


def _read_wish(source: Mapping[str, Any]) -> Wish | None:
    """A favourite or a hidden model; nothing is both."""
    model, favourite = _read_model(source), source.get("favourite") is True
    hidden = source.get("hidden") is True and not favourite
    return Wish(model, favourite, hidden) if model and (favourite or hidden) else None
