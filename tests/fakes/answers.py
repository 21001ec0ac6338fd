"""The texts that the fake models give, as lazy streams of pieces.

A piece is ``(kind, text)``. Lazy matters: a stamped token takes its time when it is asked for, which
is when it is sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Literal

Kind = Literal["text", "reasoning", "call"]
Piece = tuple[Kind, str]
Shape = Literal["paragraph", "paragraphs", "code"]

PARAGRAPH_TOKENS = 60
CODE_LINE_TOKENS = 6

_SENTENCE = (
    "the light falls on a quiet table where someone has left an open book and half a cup of tea "
    "outside rain moves over the roofs while a small clock counts what is left of the afternoon"
)
_VOCABULARY = tuple(_SENTENCE.split())


def tokens(count: int) -> Iterator[Piece]:
    """``count`` words, one a token, without an end of line."""
    return (("text", word + " ") for word in islice(cycle(_VOCABULARY), count))


def reasoning(count: int) -> Iterator[Piece]:
    """``count`` words of thinking."""
    return (("reasoning", word + " ") for word in islice(cycle(_VOCABULARY), count))


def stamped(count: int, shape: Shape = "paragraph") -> Iterator[Piece]:
    """``count`` tokens ``t17@1732189000.123456``, numbered from 0, each with its time of sending."""
    clock = time.time
    yield from _opening(shape)
    for number in range(count):
        gap = " "
        if shape == "paragraphs" and number % PARAGRAPH_TOKENS == PARAGRAPH_TOKENS - 1:
            gap = "\n\n"
        elif shape == "code" and number % CODE_LINE_TOKENS == CODE_LINE_TOKENS - 1:
            gap = "\n"
        yield "text", f"t{number}@{clock():.6f}{gap}"
    if shape == "code":
        yield "text", "\n```\n"


def _opening(shape: Shape) -> Iterator[Piece]:
    if shape == "code":
        yield "text", "```python\n"


def split(text: str) -> Iterator[Piece]:
    """A text word by word; every word keeps the white space in front of it."""
    return (("text", match.group()) for match in re.finditer(r"\s*\S+|\s+", text))


def pleasant(question: str) -> str:
    """The answer to a message without a command."""
    words = " ".join(question.split())
    return f"Thank you for asking. You wrote: {words} — and it is a pleasure to answer that."


def words(count: int) -> Iterator[Piece]:
    """``count`` words in one paragraph, ended by a full stop."""
    yield from tokens(count - 1)
    yield "text", "end."


def paragraphs(count: int) -> Iterator[Piece]:
    """``count`` words in paragraphs of 60."""
    for number, word in enumerate(islice(cycle(_VOCABULARY), count), start=1):
        yield "text", word + (".\n\n" if number % PARAGRAPH_TOKENS == 0 else " ")


def code(lines: int) -> Iterator[Piece]:
    """One fence of ``lines`` lines of Python, a few tokens a line."""
    yield "text", "```python\n"
    for number in range(1, lines + 1):
        yield "text", f"value_{number} = "
        yield "text", f"compute({number}, "
        yield "text", f'"step {number}")'
        yield "text", f"  # line {number}\n"
    yield "text", "```\n"


def markdown() -> Iterator[Piece]:
    """A long answer with a bit of everything."""
    return split(MARKDOWN)


MARKDOWN = r"""# Growing tomatoes on a balcony

A **short guide** with *everything* that Markdown has: ~~mistakes~~, `inline code`, a
[link](https://example.org/tomatoes "Tomatoes"), an address https://example.org/plain and an image
![a tomato](https://example.org/tomato.png).

## What you need

1. A pot of at least 20 litres
2. Good soil
   - compost
   - some sand
     - not from the beach
3. Patience

- [x] Buy seeds
- [ ] Water them
- [ ] Wait

> Water in the morning.
>
> > And never on the leaves.

### Varieties

| Variety      | Days | Height (cm) | Taste     |
|:-------------|-----:|:-----------:|-----------|
| Matina       |   62 |     180     | classic   |
| Black Cherry |   70 |     200     | **sweet** |
| Roma `VF`    |   75 |     120     | for sauce |

## A little program

```python
from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    name: str
    days: int

    def ripe(self, day: int) -> bool:
        "Whether it can be picked."
        return day >= self.days  # <- not before & not "after"


print([plant for plant in (Plant("Matina", 62),) if plant.ripe(64)])
```

```html
<script>alert("This is text, not a script")</script>
```

    An indented block.

## Some mathematics

The yield follows $y = a \cdot e^{-k t}$, and over a summer

$$
\int_0^T a \, e^{-k t} \, dt = \frac{a}{k} \left( 1 - e^{-k T} \right)
$$

<b>Raw HTML</b> stays text, a [bad link](javascript:alert(1)) is harmless, and a price of $5 is not a formula.

---

That is all. Good luck, viel Glück, 祝你好运, بالتوفيق and 🍅!
"""
