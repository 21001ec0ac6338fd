"""The lock file holds what the code takes out of it."""

from __future__ import annotations

import re

import pytest

from backends.builtin import pins
from backends.builtin.facts import ENGINE_PACKAGE, MODEL_PACKAGE


@pytest.mark.parametrize("package", [ENGINE_PACKAGE, MODEL_PACKAGE])
def test_is_pinned_with_sums(package: str) -> None:
    assert re.fullmatch(rf"{package}==[\d.]+", pins.pinned(package))
    assert re.fullmatch(r"\S+( +--hash=sha256:[0-9a-f]{64})+\n", pins.block(package))


def test_nothing_else_is_in_it() -> None:
    names = re.findall(r"^([\w-]+)==", pins.LOCK.read_text(), re.MULTILINE)
    assert names == [ENGINE_PACKAGE, MODEL_PACKAGE]


def test_an_unknown_package() -> None:
    with pytest.raises(LookupError):
        pins.block("requests")
