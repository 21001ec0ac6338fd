"""A backend with three models and one slot, and comparisons on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from backends.adapters import scripted
from backends.adapters.events import TextDelta
from backends.models import Backend, CatalogueModel
from chat.models import Comparison
from chat.services.comparing import Wish, begin_comparison
from privatechathub.accounts.models import User

Compare = Callable[..., Comparison]


@pytest.fixture(autouse=True)
def _script() -> Iterator[None]:
    with scripted.registered("play", [TextDelta("an answer")]):
        yield


@pytest.fixture
def three(demo: Backend) -> Backend:
    """Play, Second and Third on a server with one slot."""
    CatalogueModel.objects.create(backend=demo, model_id="second", name="Second")
    CatalogueModel.objects.create(backend=demo, model_id="third", name="Third")
    demo.slots = 1
    demo.save()
    return demo


@pytest.fixture
def compare(alice: User, three: Backend) -> Compare:
    """Alice compares models, Play and Second where nothing else is said."""

    def begin(*refs: str, text: str = "Hello", blind: bool = False, key: str = "") -> Comparison:
        wishes = [Wish(ref) for ref in refs or ("demo/play", "demo/second")]
        return begin_comparison(alice, text, wishes, key or uuid.uuid4().hex, blind=blind)

    return begin
