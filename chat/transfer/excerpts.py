"""Which passages of documents a model was given (see ``chat.generation.told``), in files: documents by their digests.

``{"files": {SHA256: NAME}, "passages": [{"file": SHA256, "place", "start", "end"}, …]}``

The second document of the same content is called by its digest and ``.2``, and so on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from chat.models import Attachment, Conversation
from chat.transfer import values

_MOST = 100
_KEY = re.compile(r"[0-9a-f]{64}(\.[1-9][0-9]{0,3})?")


def called(documents: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What each of these, an id with its digest, is called: by that, with a number from the second one on.

    First come those of the messages, in their order, then those of the project.
    """
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for key, digest in documents:
        counts[digest] += 1
        found[key] = digest if counts[digest] == 1 else f"{digest}.{counts[digest]}"
    return found


def outward(told: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """The stored value with the digests of files in place of their ids, without the files that are not here."""
    return _renamed(told, digests)


def inward(told: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """The other way round."""
    return _renamed(told, ids)


def read(value: Any) -> dict[str, Any]:
    """What a file says of it, in the shape that it has here; empty where it says nothing."""
    told = values.mapping(value)
    names = values.mapping(told.get("files"))
    files = {
        key: values.name(name, 200) for key, name in [*names.items()][:_MOST] if _KEY.fullmatch(str(key))
    }
    passages = [_passage(found) for found in values.objects(told.get("passages"))[:_MOST]]
    kept = [found for found in passages if found["file"] in files and found["start"] < found["end"]]
    return {"files": files, "passages": kept} if files else {}


def _passage(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "file": values.text(found.get("file"), 70),
        "place": values.name(found.get("place"), 100),
        "start": values.whole(found.get("start")) or 0,
        "end": values.whole(found.get("end")) or 0,
    }


def _renamed(told: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    files = {names[key]: name for key, name in told.get("files", {}).items() if key in names}
    passages = [
        {**found, "file": names[found["file"]]}
        for found in told.get("passages", ())
        if found["file"] in names
    ]
    return {"files": files, "passages": passages} if files else {}


def of_project(conversation: Conversation) -> list[tuple[str, str]]:
    """Id and digest of its project's files."""
    rows = Attachment.objects.filter(project=conversation.project_id).order_by("created_at", "pk")
    return [(str(pk), digest) for pk, digest in rows.values_list("pk", "digest")]
