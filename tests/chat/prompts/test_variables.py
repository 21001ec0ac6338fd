"""Places in a prompt: which are filled, with what, and what stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.prompts.variables import LONGEST_LINE, MOST, Kind, Variable, answer_of, asked, filled

KNOWN = {"date": "2026-05-31", "name": "Alice"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("It is {{date}}.", "It is 2026-05-31."),
        ("{{ name }}, {{name}}", "Alice, Alice"),
        ("{{unknown}} {{}} {{ }} {date} {{date", "{{unknown}} {{}} {{ }} {date} {{date"),
        (r"\{{date}} \{{unknown}}", r"{{date}} \{{unknown}}"),
        ("{{Date}}", "{{Date}}"),
        ("{{{date}}}", "{2026-05-31}"),
        ("{{date.__class__}} {{name|upper}} {{7*7}}", "{{date.__class__}} {{name|upper}} {{7*7}}"),
        ("{{topic:poem}} {{a b:text}} {{7a:text}}", "{{topic:poem}} {{a b:text}} {{7a:text}}"),
        ("{{count:number=many}} {{day:date=soon}}", "{{count:number=many}} {{day:date=soon}}"),
        ("{{language:choice}} {{language:choice:|}}", "{{language:choice}} {{language:choice:|}}"),
    ],
)
def test_what_is_known_is_filled_and_everything_else_stays(text: str, result: str) -> None:
    assert filled(text, {}, KNOWN) == result


@pytest.mark.parametrize(
    ("place", "variable"),
    [
        ("topic:text", Variable("topic", Kind.TEXT)),
        (" topic : text = the tides ", Variable("topic", Kind.TEXT, "the tides")),
        ("rules:lines", Variable("rules", Kind.LINES)),
        ("count:number=-2.5", Variable("count", Kind.NUMBER, "-2.5")),
        ("day:date=2026-05-01", Variable("day", Kind.DATE, "2026-05-01")),
        ("l:choice:German|English", Variable("l", Kind.CHOICE, "German", ("German", "English"))),
        ("l: choice: a=b | a=b | c:d", Variable("l", Kind.CHOICE, "a=b", ("a=b", "c:d"))),
        ("größe_2:text", Variable("größe_2", Kind.TEXT)),
    ],
)
def test_what_can_be_asked(place: str, variable: Variable) -> None:
    assert asked(f"About {{{{{place}}}}}.") == (variable,)


def test_an_answer_stands_wherever_its_name_does() -> None:
    text = "{{topic:text}}: {{topic}}, {{ topic }}, {{topic:lines}}"

    assert filled(text, {"topic": "tides"}, KNOWN) == "tides: tides, tides, tides"
    assert [variable.label for variable in asked("{{the_topic:text}}")] == ["The topic"]


def test_without_an_answer_a_default_holds_and_without_a_default_the_place_stays() -> None:
    text = "{{a:text=tides}} {{l:choice:German|English}} {{b:text}}"

    assert filled(text, {}, KNOWN) == "tides German {{b:text}}"
    assert filled(text, {"a": "", "l": "French", "b": "one\ntwo"}, KNOWN) == "tides German {{b:text}}"


def test_what_is_asked_goes_before_what_the_hub_knows() -> None:
    assert filled("{{date:date}} {{date}}", {"date": "2020-01-01"}, KNOWN) == "2020-01-01 2020-01-01"
    assert filled("{{date:date}} {{date}}", {}, KNOWN) == "{{date:date}} {{date}}"
    assert asked(r"\{{date:date}}") == ()


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Kind.TEXT, ["a", "{{date}}"], ["a\nb", "x" * (LONGEST_LINE + 1)]),
        (Kind.LINES, ["a\nb"], ["x" * 20_001]),
        (Kind.NUMBER, ["1", "-1", "1.5", "1,5"], ["1e9", "one", "1.", "٣", "1\n"]),
        (Kind.DATE, ["2026-02-28"], ["2026-02-30", "20260228", "tomorrow"]),
    ],
)
def test_answers_are_of_their_kind(kind: Kind, good: list[str], bad: list[str]) -> None:
    variable = Variable("v", kind)

    assert [answer_of(variable, {"v": value}) for value in good] == good
    assert [answer_of(variable, {"v": value}) for value in bad] == [""] * len(bad)


def test_an_answer_is_text_and_nothing_more() -> None:
    evil = "{{name}} {{b:text=x}} \\1 \\g<0> ${name} {% now %} __import__('os')"

    assert filled("{{a:text}}|{{b:text=y}}", {"a": evil}, KNOWN) == f"{evil}|y"


def test_only_so_much_is_asked() -> None:
    assert len(asked(" ".join(f"{{{{v{number}:text}}}}" for number in range(MOST * 2)))) == MOST


@given(st.text(alphabet="{}:=|\\ adtexn\n", max_size=60), st.text(max_size=20))
def test_no_text_breaks_it_and_a_text_without_places_stays(text: str, answer: str) -> None:
    result = filled(text, {"a": answer, "text": answer}, KNOWN)

    if "{{" not in text:
        assert result == text
    assert len(asked(text)) <= text.count("{{")


def test_a_huge_text_takes_no_time() -> None:
    began = time.process_time()
    for text in ("{{" * 100_000, "{{a:text" * 25_000, "{{a:text=" + "x" * 200_000, "\\{{date}}" * 20_000):
        filled(text, {}, KNOWN)
    assert time.process_time() - began < 2
