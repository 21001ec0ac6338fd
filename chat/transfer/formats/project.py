"""The file of a project; FORMAT.md tells what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.models import Told
from chat.models.project import MOST_OF_PROJECT, NAME_LENGTH
from chat.models.project_revision import KEPT
from chat.transfer import fields, values
from chat.transfer.formats.attached import read_file, written_file
from chat.transfer.portable import PortableProject, ProjectName, Unreadable

PROJECT = "private-chat-hub-project"
#: Grows when a reader of the old shape could not read the new one.
VERSION = 1
#: Earlier versions that are read.
MOST_EARLIER = KEPT * len(Told)


def recognises(item: Mapping[str, Any]) -> bool:
    """Whether it is such a file."""
    return item.get("format") == PROJECT


def document(project: PortableProject) -> dict[str, Any]:
    """A project as JSON values."""
    return {
        "format": PROJECT,
        "version": VERSION,
        "project": {
            "id": project.id,
            **_written(project.values),
            "backend": project.backend,
            "model_id": project.model_id,
            "files": [written_file(file) for file in project.files],
            "earlier": [_written(revision) for revision in project.earlier],
        },
    }


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields.written(value) for name, value in row.items()}


def read(item: Mapping[str, Any]) -> PortableProject:
    """A project from JSON values. Raises Unreadable, also for the file of a newer hub."""
    version, project = values.whole(item.get("version")), values.mapping(item.get("project"))
    name = read_name(project)
    if version is None or not 1 <= version <= VERSION or name is None:
        raise Unreadable
    earlier = (
        fields.read(fields.REVISION, each) for each in values.objects(project.get("earlier"))[:MOST_EARLIER]
    )
    return PortableProject(
        id=name.id,
        values=fields.read(fields.PROJECT, project),
        backend=values.name(project.get("backend"), 60),
        model_id=values.text(project.get("model_id"), 250),
        files=tuple(map(read_file, values.objects(project.get("files"))[:MOST_OF_PROJECT])),
        earlier=tuple(revision for revision in earlier if revision["field"]),
    )


def written_name(name: ProjectName | None) -> dict[str, str] | None:
    """To which project a conversation belongs, as JSON values."""
    return {"id": name.id, "name": name.name} if name else None


def read_name(value: Any) -> ProjectName | None:
    """The same from JSON values, None where it says nothing."""
    source = values.mapping(value)
    found = ProjectName(values.name(source.get("id"), 200), values.name(source.get("name"), NAME_LENGTH))
    return found if found.id and found.name else None
