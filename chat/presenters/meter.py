"""What fills a model's window, and what of a conversation is left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CutView:
    """The line in a thread above which the model does not see. ``kind`` as in ``chat.models.CutKind``.

    ``sentence`` says what is above it. ``summary`` is what is sent in its place, empty where nothing is;
    ``awaits`` is a sentence while that is not written yet. ``remove_url`` takes away a line without a summary.
    """

    id: str
    kind: str
    sentence: str
    summary: str = ""
    awaits: str = ""
    note: str = ""
    edit_url: str = ""
    change_url: str = ""
    remove_url: str = ""

    @property
    def is_in_force(self) -> bool:
        """Whether something is left out, and not only would be."""
        return self.kind != "proposed"


@dataclass(frozen=True, slots=True)
class MeterView:
    """How full the model's window is. ``used`` and ``window`` are tokens, the window None where nobody knows.

    ``level``: ``ok``, ``near``, ``over`` or ``unknown``. ``text`` is short, ``sentence`` says everything.
    ``bytes_per_token`` is what a draft is estimated by.
    """

    url: str
    level: str
    text: str
    sentence: str
    used: int = 0
    window: int | None = None
    bytes_per_token: float = 4.0


@dataclass(frozen=True, slots=True)
class FillingPart:
    """One thing that the window holds. ``tokens`` as text, ``share`` of the window in percent."""

    name: str
    label: str
    tokens: str
    share: int


@dataclass(frozen=True, slots=True)
class FillingView:
    """What fills a window, and what happens when it is full.

    ``exact``: the whole was counted by the model's server; the parts are estimates in any case. ``source`` says
    how the window's size is known, ``choices`` are ``(value, label, is chosen)``.
    """

    title: str
    url: str
    back_url: str
    settings_url: str
    carry_on_url: str
    model: str
    meter: MeterView
    parts: tuple[FillingPart, ...]
    exact: bool
    source: str
    choices: tuple[tuple[str, str, bool], ...]
    cut: CutView | None = None
