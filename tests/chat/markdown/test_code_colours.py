"""The colours of code can be read, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "static/css/code.css").read_text()
COLOURS = re.findall(r"(--code-\w+): light-dark\((#\w{6}), (#\w{6})\)", CSS)
# The lightest and darkest surfaces that code may stand on.
LIGHT, DARK = ("#ffffff", "#ebe7e1"), ("#171614", "#2a2825")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("name", "light", "dark"), COLOURS)
def test_every_colour_has_enough_contrast(name: str, light: str, dark: str) -> None:
    assert min(contrast(light, surface) for surface in LIGHT) >= 4.5, name
    assert min(contrast(dark, surface) for surface in DARK) >= 4.5, name


def test_every_colour_is_defined_and_used() -> None:
    defined = {name for name, _, _ in COLOURS}
    assert defined == set(re.findall(r"var\((--code-\w+)\)", CSS))


def test_the_sheet_is_small() -> None:
    assert len(CSS.encode()) < 6_000
