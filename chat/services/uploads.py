"""Files as they arrive: what each is, and what of it may be stored. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat import files
from chat.documents import Kind, Reason, Unreadable, document_text, kind_of, media_type_of
from chat.generation.attached import is_blind
from chat.imaging import BadImage, Trouble, clean
from chat.models.attachment import NAME_LENGTH
from chat.services.refusals import Refused

#: Files of one question.
MOST_FILES = 8
#: Bytes of one file; a photo of 50 million pixels has about 25 million.
LARGEST_FILE = 40 * 1024 * 1024
#: What file choosers offer. Without HEIC in it, an iPhone hands photos over as JPEG.
ACCEPT = (
    "image/jpeg,image/png,image/webp,image/gif,application/pdf,text/*,application/json,application/xml,"
    ".docx,.odt,.xlsx,.xlsb,.xls,.ods,.pptx,.odp,.epub,"
    ".md,.csv,.tsv,.json,.jsonl,.xml,.yaml,.yml,.toml,.ini,.cfg,.log,.tex,.diff,.patch,.sql,.sh,.bat,.ps1,"
    ".py,.js,.mjs,.ts,.tsx,.jsx,.html,.css,.c,.h,.cpp,.hpp,.cs,.java,.kt,.go,.rs,.rb,.php,.swift,.lua,.r"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that may be stored. ``text`` is what a model reads of it, empty for an image."""

    name: str
    media_type: str
    data: bytes
    digest: str
    text: str = ""
    thumbnail: bytes = b""
    width: int | None = None
    height: int | None = None


def refuse_early(uploads: Sequence[UploadedFile[bytes]], model: CatalogueModel) -> None:
    """What can be said without reading a file. Raises Refused."""
    if len(uploads) > MOST_FILES:
        raise Refused(_("Send at most %(count)d files with one message.") % {"count": MOST_FILES})
    for upload in uploads:
        if (upload.size or 0) > LARGEST_FILE:
            raise Refused(
                _("“%(name)s” is too large. The limit is %(size)s.")
                % {"name": name_of(upload), "size": filesizeformat(LARGEST_FILE)}
            )
    if is_blind(model) and any(kind_of_upload(upload) is Kind.IMAGE for upload in uploads):
        raise Refused(
            _("“%(model)s” can’t see images. Pick a model that can, or remove the images.") % {"model": model}
        )


def kind_of_upload(upload: UploadedFile[bytes]) -> Kind:
    """By its first bytes."""
    head = upload.read(1100)
    upload.seek(0)
    return kind_of(upload.name or "", head)


def prepared(upload: UploadedFile[bytes]) -> Ready:
    """One file, made harmless and read. Raises Refused."""
    kind, name = kind_of_upload(upload), name_of(upload)
    try:
        return image(name, upload) if kind is Kind.IMAGE else document(name, kind, upload.read())
    except BadImage as bad:
        raise Refused(no_image(bad.trouble) % {"name": name}) from None
    except Unreadable as unreadable:
        raise Refused(no_text(unreadable.reason) % {"name": name}) from None


def image(name: str, upload: UploadedFile[bytes]) -> Ready:
    """A picture, written anew. Raises BadImage."""
    found = clean(upload)
    return Ready(
        name=name,
        media_type=found.media_type,
        data=found.data,
        digest=files.digest_of(found.data),
        thumbnail=found.thumbnail,
        width=found.width,
        height=found.height,
    )


def document(name: str, kind: Kind, data: bytes) -> Ready:
    """Something to read, kept as it came. Raises Unreadable."""
    text = document_text(kind, data)
    return Ready(name, media_type_of(kind, name), data, files.digest_of(data), text)


def no_image(trouble: Trouble) -> str:
    """The sentence, with a place for the name."""
    return {
        Trouble.HEIC: _(
            "“%(name)s” is a HEIC photo, which AI servers can’t read. Save it as JPEG and attach that."
        ),
        Trouble.UNKNOWN: _("“%(name)s” is not an image that can be read. JPEG, PNG, WebP and GIF can."),
        Trouble.BROKEN: _("“%(name)s” is damaged and can’t be read."),
        Trouble.LARGE: _("“%(name)s” has too many pixels. Make it smaller and attach it again."),
    }[trouble]


def no_text(reason: Reason) -> str:
    """The same for documents."""
    return {
        Reason.BINARY: _(
            "“%(name)s” can’t be read here. Images, PDF, office documents, saved web pages, text and code can."
        ),
        Reason.BROKEN: _("“%(name)s” is damaged and can’t be read."),
        Reason.EMPTY: _("“%(name)s” is empty."),
        Reason.LONG: _("“%(name)s” is too long for a model. Attach the part that matters."),
        Reason.LOCKED: _("“%(name)s” is protected by a password. Save it without one and attach that."),
        Reason.OLD: _(
            "“%(name)s” is in a format of Office before 2007. Save it as DOCX, PPTX or PDF and attach that."
        ),
        Reason.SCANNED: _(
            "“%(name)s” has no text, only pictures of pages. Attach the pages as images instead."
        ),
    }[reason]


def name_of(upload: UploadedFile[bytes]) -> str:
    """The last part of the name, without what no name needs: folders, control characters, directions."""
    base = PurePosixPath((upload.name or "").replace("\\", "/")).name
    name = "".join(letter for letter in base if letter.isprintable()).strip()
    return shortened(name) if name.strip(".") else _("file")


def shortened(name: str) -> str:
    """At most as long as its column, with its ending."""
    if len(name) <= NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    return stem[: NAME_LENGTH - 12] + "…" + dot + ending[:10] if dot else name[:NAME_LENGTH]
