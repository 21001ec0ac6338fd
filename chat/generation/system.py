"""The system text of a request: everything that is not a turn, by its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chat.models import Conversation
from chat.prompts.builtin import known_to
from chat.prompts.variables import filled

#: The conversation's own instructions, or those that its project has for conversations without any.
PROMPT = "prompt"
#: What holds in every conversation of the project, and what was noted down in earlier ones.
PROJECT, PROJECT_FILES, MEMORY = "project", "project_files", "memory"


@dataclass(frozen=True, slots=True)
class SystemPart:
    """One source of the system text. ``name`` tells what it is, so that its size can be shown by itself."""

    name: str
    text: str


def system_parts(conversation: Conversation, model: str = "", files: str = "") -> tuple[SystemPart, ...]:
    """What the model is told before the first turn, in the order in which it is sent; empty parts left out.

    ``model`` is the name of the one that is asked, where it is not the conversation's. ``files`` are those of the
    project, as ``chat.generation.reading`` gives them.
    """
    found = [
        SystemPart(PROMPT, instructions(conversation, model)),
        *project_parts(conversation, model, files),
    ]
    return tuple(part for part in found if part.text)


def instructions(conversation: Conversation, model: str = "") -> str:
    """The conversation's own text or that of the library's entry, else its project's; with its variables filled."""
    return with_variables(prompt_of(conversation), conversation, model)


def with_variables(text: str, conversation: Conversation, model: str) -> str:
    """The text with what the hub knows, and what the person answered, in the places of its variables."""
    if "{{" not in text:
        return text
    known = known_to(conversation.owner, model or conversation.model_id)
    return filled(text, conversation.prompt_values, known).strip()


def prompt_of(conversation: Conversation) -> str:
    """The same as it was written."""
    own = conversation.prompt_text.strip()
    return own or (conversation.project.system_prompt.strip() if conversation.project else "")


def project_parts(conversation: Conversation, model: str = "", files: str = "") -> list[SystemPart]:
    """What all conversations of its project are told, as it is now. What changes most often comes last: servers keep
    what they have read of a request up to the first difference.
    """
    project = conversation.project
    if project is None:
        return []
    orders = with_variables(project.instructions, conversation, model)
    return [
        SystemPart(PROJECT, under(f"Instructions for the project “{project.name}”:", orders)),
        SystemPart(PROJECT_FILES, under(f"Files of the project “{project.name}”:", files)),
        SystemPart(MEMORY, under(f"Memory of the project “{project.name}”:", project.memory)),
    ]


def under(heading: str, text: str) -> str:
    """The text below its heading; nothing where there is none."""
    text = text.strip()
    return f"{heading}\n{text}" if text else ""


def joined(parts: Iterable[SystemPart]) -> str:
    """The parts as one text, a blank line between two."""
    return "\n\n".join(part.text for part in parts)
