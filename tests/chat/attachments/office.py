"""Office documents for tests, written by hand as their programs write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_DRAWING = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OPEN = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
)


def _relations(*listed: str) -> str:
    return f"<Relationships {_RELATIONS}>{''.join(listed)}</Relationships>"


def _relation(name: str, kind: str, target: str, mode: str = "Internal") -> str:
    return f'<Relationship Id="{name}" Type="{_KIND}/{kind}" Target="{target}" TargetMode="{mode}"/>'


def _open(kind: str, body: str) -> str:
    inside = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return f"<office:document-content {_OPEN}>{inside}</office:document-content>"


STYLES = f"""<w:styles {_WORD}>
<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="Own"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
</w:styles>"""


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """A package with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def paragraph(text: str, properties: str = "") -> str:
    """A paragraph of a text."""
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def docx(body: str, **members: str) -> bytes:
    """A text with that body; further members by name without folder and ending."""
    more = {f"word/{name}.xml": content for name, content in members.items()}
    document = f"<w:document {_WORD}><w:body>{body}</w:body></w:document>"
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document} | more)


def docx_with_remote_image(address: str) -> bytes:
    """A text whose picture lies elsewhere."""
    picture = (
        f'<w:p><w:r><w:drawing><a:blip {_DRAWING} r:link="rId1" xmlns:r="{_KIND}"/></w:drawing></w:r></w:p>'
    )
    relations = _relations(_relation("rId1", "image", address, "External"))
    document = f"<w:document {_WORD}><w:body>{paragraph('Seen')}{picture}</w:body></w:document>"
    return zipped({"word/document.xml": document, "word/_rels/document.xml.rels": relations})


def odt(body: str, kind: str = "text") -> bytes:
    """An OpenDocument text or presentation with that body."""
    content = _open(kind, body)
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content})


def ods(rows: str = "", columns: str = "") -> bytes:
    """A workbook of one sheet; attributes of its row and of its first cell."""
    table = (
        f'<table:table table:name="Tides"><table:table-row {rows}>'
        f'<table:table-cell office:value-type="string" {columns}><text:p>Port</text:p></table:table-cell>'
        '<table:table-cell office:value-type="float" office:value="3.5"><text:p>3.5</text:p></table:table-cell>'
        "</table:table-row></table:table>"
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    content = _open("spreadsheet", table)
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": manifest,
        }
    )


def xlsx(sheets: Mapping[str, str], *, linked: str = "", prolog: str = "") -> bytes:
    """A workbook; each sheet by name with the XML of its rows. ``linked`` is a workbook elsewhere."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(sheets, 1)
    )
    relations = [
        _relation(f"rId{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)
    ]
    members = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": _relations(_relation("r", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{prolog}<workbook xmlns="{main}" xmlns:r="{_KIND}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(*relations),
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        "</styleSheet>",
    }
    for at, rows in enumerate(sheets.values(), 1):
        members[f"xl/worksheets/sheet{at}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        )
    if linked:
        members["xl/externalLinks/_rels/externalLink1.xml.rels"] = _relations(
            _relation("rId1", "externalLinkPath", linked, "External")
        )
    return zipped(members)


def pptx(*slides: str, notes: str = "") -> bytes:
    """A presentation; the second slide in the package is shown first."""
    order = "".join(f'<p:sldId r:id="rId{at}"/>' for at in range(len(slides), 0, -1))
    name = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    relations = [_relation(f"rId{at}", "slide", f"slides/slide{at}.xml") for at in range(1, len(slides) + 1)]
    members = {
        "ppt/presentation.xml": f'<p:presentation {name} xmlns:r="{_KIND}"><p:sldIdLst>{order}</p:sldIdLst>'
        "</p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations(*relations),
        "ppt/slides/_rels/slide1.xml.rels": _relations(_relation("n", "notesSlide", "../notesSlides/n1.xml")),
        "ppt/notesSlides/n1.xml": f"<p:notes {name} {_DRAWING}><a:p><a:r><a:t>{notes}</a:t></a:r></a:p></p:notes>",
    }
    for at, text in enumerate(slides, 1):
        members[f"ppt/slides/slide{at}.xml"] = (
            f"<p:sld {name} {_DRAWING}><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r><a:fld><a:t>7</a:t></a:fld>"
            "</a:p></p:txBody></p:sld>"
        )
    return zipped(members)


def epub(*chapters: str) -> bytes:
    """A book."""
    items = "".join(f'<item id="c{at}" href="c%20{at}.xhtml"/>' for at in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{at}"/>' for at in range(len(chapters)))
    texts = {f"OPS/c {at}.xhtml": f"<html><body>{text}</body></html>" for at, text in enumerate(chapters)}
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="OPS/book.opf"/></container>',
            "OPS/book.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
        }
        | texts
    )


def bomb(name: str, megabytes: int) -> bytes:
    """A package with one member that swells."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _megabyte in range(megabytes):
            member.write(b" " * 1024 * 1024)
    return buffer.getvalue()
