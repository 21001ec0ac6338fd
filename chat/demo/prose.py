"""Texts that are as long and as mixed as those of a chat, of few frequent and many rare words. Always the same."""

from __future__ import annotations

from itertools import accumulate
from random import Random

_COMMON = """
the of to and a in is it that for on you with as are this be can or by from at which an if not have use will one but
when they all more how has was each we about then than so into other some these only what there may most make like
time water after first also where because between model number good work line set same part small case under data
long way need even while both add change point new keep list order different without water find place give against
example value result read write open start end call name day might should often several enough however therefore
""".split()  # noqa: SIM905
_TOPICS = """
tides sourdough bicycle python garden tax lighthouse violin compiler glacier recipe database budget marathon orchid
telescope letter contract camera history chess insulation battery poem coffee spreadsheet network holiday allergy
physics bread thesis interview carpentry novel router vaccine mortgage kayak origami thermostat bees invoice
""".split()  # noqa: SIM905
_ASKS = (
    "How does {a} work with {b}?",
    "Explain {a} to a beginner who knows {b}.",
    "What is the difference between {a} and {b}?",
    "Write a short text about {a}, and mention {b}.",
    "Plan a weekend around {a} and {b}.",
    "My {a} has a problem with {b}. What can I do?",
)
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo ya ze bra clo dre fli gra".split()  # noqa: SIM905
_RARE = 8_000
_CODE = """```python
def {a}(values: list[int]) -> int:
    total = 0
    for value in values:
        total += value * {n}
    return total
```"""


class Prose:
    """A source of texts."""

    def __init__(self, seed: int = 0) -> None:
        self.random = Random(seed)  # noqa: S311 - nothing here is secret
        words = [*_COMMON, *_TOPICS, *(self._rare() for _ in range(_RARE))]
        self._words = words
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))  # as Zipf counted them

    def _rare(self) -> str:
        return "".join(self.random.choices(_SYLLABLES, k=self.random.randint(3, 5)))

    def topic(self) -> str:
        """Something to talk about."""
        return self.random.choice(_TOPICS)

    def title(self) -> str:
        """What a conversation is called."""
        return f"{self.topic().capitalize()} and {self.topic()}"

    def question(self) -> str:
        """Mostly a sentence, now and then with a page of context."""
        ask = self.random.choice(_ASKS).format(a=self.topic(), b=self.topic())
        return ask if self.random.random() < 0.8 else f"{ask}\n\n{self.paragraphs(self.random.randint(1, 4))}"

    def answer(self) -> str:
        """Some paragraphs, sometimes with code or a list."""
        parts = [self.paragraphs(self.random.randint(1, 4))]
        chance = self.random.random()
        if chance < 0.15:
            parts.append(_CODE.format(a=self.topic(), n=self.random.randint(2, 99)))
        elif chance < 0.4:
            parts.append("\n".join(f"- **{self.topic()}**: {self.sentence()}" for _ in range(4)))
        return "\n\n".join([*parts, self.sentence()])

    def paragraphs(self, count: int) -> str:
        """Running text."""
        return "\n\n".join(
            " ".join(self.sentence() for _ in range(self.random.randint(2, 5))) for _ in range(count)
        )

    def sentence(self) -> str:
        """Words with a full stop."""
        words = self.random.choices(self._words, cum_weights=self._weights, k=self.random.randint(6, 18))
        return f"{' '.join(words).capitalize()}."
