"""Files as they arrive: what each is, and what of it may be stored. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from backends.models import CatalogueModel
from chat.arrivals import Ready, document, file_name, image
from chat.documents import Kind, Reason, Unreadable, kind_of
from chat.generation.attached import is_blind
from chat.imaging import BadImage, Trouble
from chat.services.refusals import Refused

#: Files of one question.
MOST_FILES = 8
#: Bytes of one file; a photo of 50 million pixels has about 25 million.
LARGEST_FILE = 40 * 1024 * 1024
#: What file choosers offer. Without HEIC in it, an iPhone hands photos over as JPEG.
ACCEPT_DOCUMENTS = (
    "application/pdf,text/*,application/json,application/xml,"
    ".docx,.odt,.xlsx,.xlsb,.xls,.ods,.pptx,.odp,.epub,"
    ".md,.csv,.tsv,.json,.jsonl,.xml,.yaml,.yml,.toml,.ini,.cfg,.log,.tex,.diff,.patch,.sql,.sh,.bat,.ps1,"
    ".py,.js,.mjs,.ts,.tsx,.jsx,.html,.css,.c,.h,.cpp,.hpp,.cs,.java,.kt,.go,.rs,.rb,.php,.swift,.lua,.r"
)
ACCEPT = "image/jpeg,image/png,image/webp,image/gif," + ACCEPT_DOCUMENTS


def refuse_early(uploads: Sequence[UploadedFile[bytes]], model: CatalogueModel, alias: str = "") -> None:
    """What can be said without reading a file. ``alias`` stands for a hidden model. Raises Refused."""
    refuse_many(uploads)
    refuse_large(uploads)
    if is_blind(model) and any(kind_of_upload(upload) is Kind.IMAGE for upload in uploads):
        raise Refused(
            _("“%(model)s” can’t see images. Pick a model that can, or remove the images.")
            % {"model": alias or model}
        )


def refuse_many(uploads: Sequence[UploadedFile[bytes]]) -> None:
    """Only so many at once. Raises Refused."""
    if len(uploads) > MOST_FILES:
        raise Refused(_("Send at most %(count)d files with one message.") % {"count": MOST_FILES})


def refuse_large(uploads: Sequence[UploadedFile[bytes]]) -> None:
    """Only so many bytes of one. Raises Refused."""
    for upload in uploads:
        if (upload.size or 0) > LARGEST_FILE:
            raise Refused(
                _("“%(name)s” is too large. The limit is %(size)s.")
                % {"name": name_of(upload), "size": filesizeformat(LARGEST_FILE)}
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
    """What the file is called here."""
    return file_name(upload.name or "")
