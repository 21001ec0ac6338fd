"""A conversation as the content of a file. JSON holds everything; the others the path that is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from chat.markdown import render, render_user
from chat.models import MessageRole
from chat.services.comparing import alias_of
from chat.transfer import limits
from chat.transfer.formats import hub, library, project, settings
from chat.transfer.grounds import Call, Ground, calls_of, citations_of, grounds_of, one_line
from chat.transfer.portable import Column, Library, PortableProject, Settings, Talk, Turn


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its ending, its media type, its name for people, and how it is written."""

    ending: str
    media_type: str
    label: str | Promise
    write: Callable[[Talk], str]


@dataclass(frozen=True, slots=True)
class Part:
    """One message as the HTML file shows it."""

    role: str
    speaker: str
    when: str
    html: SafeString
    reasoning: SafeString
    files: tuple[str, ...]
    calls: tuple[Call, ...] = ()
    grounds: tuple[Ground, ...] = ()


def as_json(talk: Talk) -> str:
    """Everything, see FORMAT.md; without the exact requests where they would make it too large to be imported."""
    found = json.dumps(hub.document(talk), ensure_ascii=False, indent=1)
    if len(found) > limits.LARGEST_ITEM // 4 and len(found.encode()) > limits.LARGEST_ITEM:
        found = json.dumps(hub.document(talk.without_requests()), ensure_ascii=False, indent=1)
    return found


def library_as_json(entries: Library) -> str:
    """System prompts and presets, see FORMAT.md."""
    return json.dumps(library.document(entries), ensure_ascii=False, indent=1)


def settings_as_json(found: Settings) -> str:
    """What a person has set for themselves, see FORMAT.md."""
    return json.dumps(settings.document(found), ensure_ascii=False, indent=1)


def project_as_json(found: PortableProject) -> str:
    """A project, see FORMAT.md."""
    return json.dumps(project.document(found), ensure_ascii=False, indent=1)


def as_markdown(talk: Talk) -> str:
    """Headings for the turns, the texts as they are."""
    lines = [f"# {one_line(talk.title) or _('New chat')}", ""]
    if talk.instructions:
        lines += [f"## {_('System prompt')}", "", talk.instructions, ""]
    for turn in talk.path():
        lines += [f"## {speaker(turn, talk.column)}", ""]
        if when := moment(turn):
            lines += [f"*{when}*", ""]
        if turn.reasoning:
            lines += [
                f"> {line}".rstrip() for line in [f"**{_('Thinking')}**", "", *turn.reasoning.split("\n")]
            ]
            lines.append("")
        for call in calls_of(turn):
            lines += [*call_lines(call), ""]
        lines += [turn.text, ""]
        if grounds := grounds_of(turn):
            lines += [f"{_('Sources')}:", "", *map(ground_line, grounds), ""]
        if turn.files:
            lines += [*(f"- {_('File')}: {name}" for name in file_names(turn)), ""]
    return "\n".join(lines)


def call_lines(call: Call) -> list[str]:
    """A call in Markdown: what was called with what, and what came back."""
    name, title = call.name.replace("`", "'"), f" {as_words(call.title)}" if call.title else ""
    lines = [f"**{_('Tool')}** `{name}`{title} · {call.state}"]
    for language, text in (("json", call.arguments), ("text", call.result)):
        if text:
            lines += ["", *fenced(text, language)]
    return lines


def fenced(text: str, language: str) -> list[str]:
    """A block of code whose fence the text cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text, fence]


def ground_line(ground: Ground) -> str:
    """A source in Markdown. Its number stands as it does in the answer."""
    number = f"\\[{ground.number}\\] " if ground.number else ""
    return f"- {number}{as_words(ground.title)}{f' <{ground.url}>' if ground.url else ''}"


def as_words(text: str) -> str:
    """Text from outside in Markdown, in which nothing of it means anything."""
    return re.sub(r"([\\`*_\[\]<>#|~!&])", r"\\\1", text)


def as_text(talk: Talk) -> str:
    """The texts, each below its speaker."""
    title = one_line(talk.title) or _("New chat")
    lines = [title, "=" * len(title), ""]
    if talk.instructions:
        lines += [f"[{_('System prompt')}]", talk.instructions, ""]
    for turn in talk.path():
        lines.append(" · ".join(filter(None, (f"[{speaker(turn, talk.column)}]", moment(turn)))))
        lines += [f"[{_('Tool')}: {call.name} · {call.state}]" for call in calls_of(turn)]
        lines.append(turn.text)
        lines += [
            " ".join(filter(None, (f"[{ground.number}]" if ground.number else "-", ground.title, ground.url)))
            for ground in grounds_of(turn)
        ]
        lines += [*(f"[{_('File')}: {name}]" for name in file_names(turn)), ""]
    return "\n".join(lines)


def as_html(talk: Talk) -> str:
    """A page that needs nothing else and runs nothing: the hub's own rendering, its styles inside."""
    context = {
        "title": talk.title or _("New chat"),
        "language": get_language(),
        "system_prompt": talk.instructions,
        "parts": list(_parts(talk)),
    }
    return render_to_string("chat/transfer/conversation.html", context)


def _parts(talk: Talk) -> Iterator[Part]:
    for turn in talk.path():
        mine = turn.role == MessageRole.USER
        yield Part(
            role=turn.role,
            speaker=speaker(turn, talk.column),
            when=moment(turn),
            html=_safe(render_user(turn.text) if mine else render(turn.text, citations_of(turn))),
            reasoning=_safe(render(turn.reasoning)),
            files=file_names(turn),
            calls=calls_of(turn),
            grounds=grounds_of(turn),
        )


def _safe(html: str) -> SafeString:
    """HTML that the Markdown renderer made; it lets no markup of the text through."""
    return mark_safe(html)  # noqa: S308


def speaker(turn: Turn, column: Column | None = None) -> str:
    """Who says it: the person, or the model by its name. (All of it as JSON names it even before a vote.)"""
    if turn.role == MessageRole.USER:
        return _("You")
    if column and column.wants_vote:
        return alias_of(column.number)
    run = turn.runs[-1].values if turn.runs else {}
    return one_line(run.get("model_name") or run.get("model_id") or "") or _("Assistant")


def file_names(turn: Turn) -> tuple[str, ...]:
    """What came with it, by name."""
    return tuple(one_line(file["name"]) for file in turn.files)


def moment(turn: Turn) -> str:
    """When, as a date for people."""
    when = turn.created_at
    return formats.date_format(timezone.localtime(when), "DATETIME_FORMAT") if when else ""


KINDS: Mapping[str, Kind] = {
    kind.ending: kind
    for kind in (
        Kind("json", "application/json", gettext_lazy("JSON, complete"), as_json),
        Kind("md", "text/markdown", gettext_lazy("Markdown"), as_markdown),
        Kind("html", "text/html", gettext_lazy("Web page"), as_html),
        Kind("txt", "text/plain", gettext_lazy("Plain text"), as_text),
    )
}
