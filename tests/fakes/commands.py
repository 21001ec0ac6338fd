"""The command language: what the last user message and the model's name ask of the fake server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from tests.fakes import answers
from tests.fakes.answers import Piece

Cut = Literal["drop", "cut", "eof", "stall", "error", "garbage"]


@dataclass(frozen=True, slots=True)
class Instead:
    """A whole reply in place of a stream. ``message`` is None for the dialect's usual one."""

    kind: Literal["error", "bare", "html"]
    status: int
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one request gets. ``cut`` happens after ``cut_after`` tokens."""

    pieces: Iterator[Piece] | None = None
    rate: float | None = None
    silence: float = 0.0
    hang: bool = False
    instead: Instead | None = None
    cut: Cut | None = None
    cut_after: int = 0
    cut_message: str | None = None
    finish: str | None = None


_NAMES = (
    "tokens|stamped|reasoning|echo|markdown|code|words|paragraphs|call|"
    "rate|loading|hang|status|html|error|drop|cut|eof|stall|garbage|finish"
)
_COMMAND = re.compile(rf"(?<!\S)!({_NAMES})\b[ \t]*")
_THEN = re.compile(r"(?<!\S)!then\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DEFAULT_TOKENS = 1000


def plan_for(model: str, body: dict[str, Any], messages: list[dict[str, Any]]) -> Plan:
    """Read the model's name and the last user message."""
    rate = re.search(r"(?:steady|slow)-(\d+(?:\.\d+)?)", model)
    plan = Plan(rate=float(rate.group(1)) if rate else None)
    last = messages[-1] if messages else {}
    question, images = _last_question(messages)
    rounds = _THEN.split(question)
    done = max(1, _rounds_done(messages))
    if last.get("role") == "tool" and done < len(rounds):
        return parse(rounds[done], plan)
    if last.get("role") == "tool":
        return replace(plan, pieces=answers.split(f"The tool said: {_text_of(last)[0]}"))
    plan = parse(rounds[0], plan)
    if plan.pieces is None:
        plan = replace(plan, pieces=_natural_answer(plan, model, body, question, images))
    return plan


def parse(text: str, plan: Plan | None = None) -> Plan:
    """Apply the commands of a text, one after the other."""
    plan = plan or Plan()
    position = 0
    while found := _COMMAND.search(text, position):
        name = found.group(1)
        if name == "echo":
            return replace(plan, pieces=_after(plan, answers.split(text[found.end() :])))
        if name == "call":
            call, position = _read_call(text, found.end())
            plan = replace(plan, pieces=_after(plan, iter([("call", call)])))
            continue
        following = _COMMAND.search(text, found.end())
        position = following.start() if following else len(text)
        plan = _apply(plan, name, text[found.end() : position].strip())
    return plan


def _apply(plan: Plan, name: str, argument: str) -> Plan:
    count = _first_number(argument)
    rate = _keyword(argument, "rate")
    if rate is not None or name == "rate":
        plan = replace(plan, rate=rate if rate is not None else count)
    match name:
        case "hang":
            return replace(plan, hang=True)
        case "loading":
            return replace(plan, silence=count or 0.0)
        case "status":
            return replace(plan, instead=Instead("bare", int(count or 500)))
        case "html":
            return replace(plan, instead=Instead("html", int(count or 200)))
        case "finish":
            return replace(plan, finish=argument.split()[0] if argument else "length")
        case "rate":
            return plan
    after = _keyword(argument, "after")
    if name == "error" and after is None:
        message = _NUMBER.sub("", argument, count=1).strip()
        return replace(plan, instead=Instead("error", int(count or 500), message or None))
    if name in ("drop", "cut", "eof", "stall", "error", "garbage"):
        message = re.sub(r"\bafter\s+\d+", "", argument).strip()
        return replace(plan, cut=name, cut_after=int(after or 0), cut_message=message or None)
    return replace(plan, pieces=_after(plan, _content(name, argument, count)))


def _content(name: str, argument: str, count: float | None) -> Iterator[Piece]:
    number = int(count) if count is not None else _DEFAULT_TOKENS
    match name:
        case "stamped":
            shape = re.search(r"\bas\s+(paragraphs|paragraph|code)\b", argument)
            return answers.stamped(number, shape.group(1) if shape else "paragraph")  # type: ignore[arg-type]
        case "reasoning":
            then = _keyword(argument, "then")
            return chain(answers.reasoning(number), answers.tokens(int(then) if then is not None else 20))
        case "markdown":
            return answers.markdown()
        case "code":
            return answers.code(number)
        case "words":
            return answers.words(number)
        case "paragraphs":
            return answers.paragraphs(number)
    return answers.tokens(number)


def _after(plan: Plan, more: Iterator[Piece]) -> Iterator[Piece]:
    return chain(plan.pieces, more) if plan.pieces is not None else more


def _read_call(text: str, start: int) -> tuple[str, int]:
    """``NAME {json}`` as one piece of JSON, and where it ends."""
    name = re.compile(r"\S*").match(text, start)
    end = name.end() if name else start
    arguments: object = {}
    brace = re.compile(r"\s*(?=\{)").match(text, end)
    if brace:
        arguments, end = json.JSONDecoder().raw_decode(text, brace.end())
    return json.dumps({"name": name.group() if name else "", "arguments": arguments}), end


def _natural_answer(
    plan: Plan, model: str, body: dict[str, Any], question: str, images: int
) -> Iterator[Piece]:
    if plan.cut is not None or plan.finish is not None:
        return answers.tokens(_DEFAULT_TOKENS)
    offered = body.get("tools")
    if "tools" in model and isinstance(offered, list) and offered:
        return iter([("call", json.dumps({"name": offered[0]["function"]["name"], "arguments": {}}))])
    seen = f"I can see {images} image{'s' * (images != 1)}. " if images else ""
    answer = answers.split(seen + answers.pleasant(question))
    return chain(answers.reasoning(12), answer) if "thinking" in model else answer


def _last_question(messages: list[dict[str, Any]]) -> tuple[str, int]:
    for message in reversed(messages):
        if message.get("role") == "user":
            return _text_of(message)
    return "", 0


def _rounds_done(messages: list[dict[str, Any]]) -> int:
    """How often tools were called since the last question."""
    roles = [message.get("role") for message in messages]
    asked = max((at for at, role in enumerate(roles) if role == "user"), default=-1)
    return sum(bool(message.get("tool_calls")) for message in messages[asked + 1 :])


def _text_of(message: dict[str, Any]) -> tuple[str, int]:
    """The text of a message in either dialect, and how many images it carries."""
    content = message.get("content")
    images = len(message.get("images") or ())
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        images += sum(part.get("type") == "image_url" for part in parts)
        content = "".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
    return content if isinstance(content, str) else "", images


def _first_number(argument: str) -> float | None:
    found = _NUMBER.match(argument)
    return float(found.group()) if found else None


def _keyword(argument: str, word: str) -> float | None:
    found = re.search(rf"\b{word}\s+(\d+(?:\.\d+)?)", argument)
    return float(found.group(1)) if found else None
