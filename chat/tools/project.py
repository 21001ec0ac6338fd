"""Tools of a project: its memory, its name and its description. They know the conversation's own project only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext, gettext_lazy

from backends.database import in_database
from chat.models import Project, ProjectRevision, Told
from chat.models.project import DESCRIPTION_LENGTH, MEMORY_LENGTH, NAME_LENGTH
from chat.tools.base import Caller, Reach, Tool, ToolError, ToolResult


class ProjectTool(Tool):
    """Works where the conversation belongs to a project."""

    async def available(self, caller: Caller) -> bool:
        """No query: whoever calls has the conversation's row at hand."""
        return caller.project_id is not None

    def project(self, caller: Caller) -> Project:
        """The caller's project as it is now. Raises ToolError: the conversation may have been moved meanwhile."""
        mine = Project.objects.owned_by(caller.user_id).filter(conversations=caller.conversation_id)
        found = mine.filter(pk=caller.project_id).first() if caller.project_id else None
        if found is None:
            raise ToolError(gettext("This conversation does not belong to that project any more."))
        return found


class GetProjectMemory(ProjectTool):
    """Reads what was noted down."""

    name: ClassVar[str] = "get_project_memory"
    label: ClassVar[Any] = gettext_lazy("Read the project’s memory")
    description: ClassVar[str] = (
        "Read the memory of the project that this conversation belongs to: notes that are kept between its "
        "conversations."
    )

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """The notes. Raises ToolError."""
        project = await in_database(self.project, caller)
        return ToolResult(project.memory or "The memory of the project is empty.")


class ProjectWritingTool(ProjectTool):
    """Lets the project say something else. What it said before is kept, so that the person can take it back."""

    reach: ClassVar[frozenset[Reach]] = frozenset({Reach.CHANGES})
    field: ClassVar[Told]
    #: The name of the one argument.
    argument: ClassVar[str]
    #: Characters.
    longest: ClassVar[int]

    async def run(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        """Raises ToolError for what is too long or, where there must be something, empty."""
        text = self.checked(str(arguments[self.argument]))
        changed = await in_database(self._tell, caller, text)
        what = self.field.value
        return ToolResult(f"The project’s {what} was changed." if changed else f"The {what} is that already.")

    def checked(self, text: str) -> str:
        """As it is stored. Raises ToolError."""
        text = text.replace("\x00", "").replace("\r\n", "\n").strip()
        if len(text) > self.longest:
            sentence = gettext("That is too long: at most %(count)d characters are kept.")
            raise ToolError(sentence % {"count": self.longest})
        return text

    def _tell(self, caller: Caller, text: str) -> bool:
        return ProjectRevision.objects.tell(self.project(caller), self.field, text, caller.conversation_id)


class UpdateProjectMemory(ProjectWritingTool):
    """Replaces the notes."""

    name: ClassVar[str] = "update_project_memory"
    label: ClassVar[Any] = gettext_lazy("Change the project’s memory")
    description: ClassVar[str] = (
        "Replace the memory of the project that this conversation belongs to. Give the whole text: what it holds "
        "now and is still true, and what is new. It is read at the start of every conversation of the project."
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"instructions": {"type": "string", "description": "The whole new memory."}},
        "required": ["instructions"],
    }
    field: ClassVar[Told] = Told.MEMORY
    argument: ClassVar[str] = "instructions"
    longest: ClassVar[int] = MEMORY_LENGTH


class RenameProject(ProjectWritingTool):
    """Gives the project another name."""

    name: ClassVar[str] = "rename_project"
    label: ClassVar[Any] = gettext_lazy("Rename the project")
    description: ClassVar[str] = "Give the project that this conversation belongs to another name."
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"name": {"type": "string", "description": "A few words."}},
        "required": ["name"],
    }
    field: ClassVar[Told] = Told.NAME
    argument: ClassVar[str] = "name"
    longest: ClassVar[int] = NAME_LENGTH

    def checked(self, text: str) -> str:
        """One line. Raises ToolError also for none."""
        text = super().checked(" ".join(text.split()))
        if not text:
            raise ToolError(gettext("A project needs a name."))
        return text


class UpdateProjectDescription(ProjectWritingTool):
    """Says anew what the project is about."""

    name: ClassVar[str] = "update_project_description"
    label: ClassVar[Any] = gettext_lazy("Change the project’s description")
    description: ClassVar[str] = "Replace the description of the project that this conversation belongs to."
    parameters: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"description": {"type": "string", "description": "One or two sentences."}},
        "required": ["description"],
    }
    field: ClassVar[Told] = Told.DESCRIPTION
    argument: ClassVar[str] = "description"
    longest: ClassVar[int] = DESCRIPTION_LENGTH
