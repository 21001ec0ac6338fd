"""Office documents, books and saved pages: read with their headings, tables and sheets, in bounds, asking nobody."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from chat.documents import Kind, Reason, Unreadable, document_text, kind_of, media_type_of
from chat.isolated import isolated
from tests.chat.attachments import office
from tests.chat.attachments.office import STYLES, bomb, docx, epub, ods, odt, paragraph, pptx, xlsx, zipped


def read(data: bytes) -> str:
    return document_text(kind_of("file", data[:1100]), data)


def why(data: bytes) -> Reason:
    with pytest.raises(Unreadable) as caught:
        read(data)
    return caught.value.reason


def cell(text: str) -> str:
    return f"<w:tc>{paragraph(text)}</w:tc>"


def test_a_word_document_keeps_its_headings_lists_tables_and_notes() -> None:
    point = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr>'
    body = (
        paragraph("Tides", '<w:pStyle w:val="berschrift1"/>')
        + paragraph("Spring", '<w:pStyle w:val="Own"/>')
        + "<w:p><w:r><w:t>High</w:t><w:tab/><w:t>water</w:t><w:br/><w:t>here</w:t>"
        + '<w:footnoteReference w:id="2"/></w:r></w:p>'
        + paragraph("first", point.format(0))
        + paragraph("inner", point.format(1))
        + f"<w:tbl><w:tr>{cell('Port')}{cell('m | ft')}</w:tr><w:tr>{cell('Emden')}</w:tr></w:tbl>"
        + f"<w:sdt><w:sdtContent>{paragraph('in a field')}</w:sdtContent></w:sdt>"
        + "<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        + "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>"
    )
    notes = (
        '<w:footnotes xmlns:w="x"><w:footnote w:id="0" w:type="separator"/>'
        f'<w:footnote w:id="2">{paragraph("At noon.")}</w:footnote></w:footnotes>'
    )

    text = read(docx(body, styles=STYLES, footnotes=notes))

    assert text.split("\n\n") == [
        "# Tides",
        "## Spring",
        "High\twater\nhere[^f2]",
        "- first\n  - inner",
        "| Port | m \\| ft |\n| --- | --- |\n| Emden |  |",
        "in a field",
        "new",
        "[^f2]: At noon.",
    ]


def test_text_boxes_are_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
    both = (
        f"<w:AlternateContent><w:Choice>{box}</w:Choice><w:Fallback>{box}</w:Fallback></w:AlternateContent>"
    )

    text = read(docx(f"<w:p><w:r><w:t>Around</w:t>{both}</w:r></w:p>"))

    assert text == "Around\n\nboxed"


def test_an_opendocument_text_keeps_the_same() -> None:
    table = (
        "<table:table><table:table-row><table:table-cell><text:p>Port</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell>'
        "</table:table-row></table:table>"
    )
    body = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:h text:outline-level="2">Tides</text:h>'
        '<text:p>High<text:s text:c="3"/>water<text:note><text:note-citation>1</text:note-citation>'
        "<text:note-body><text:p>At noon.</text:p></text:note-body></text:note></text:p>"
        "<text:list><text:list-item><text:p>first</text:p><text:list><text:list-item><text:p>inner</text:p>"
        "</text:list-item></text:list></text:list-item></text:list>" + table
    )

    assert read(odt(body)).split("\n\n") == [
        "## Tides",
        "High   water [At noon.]",
        "- first\n  - inner",
        "| Port | x | x |\n| --- | --- | --- |",
    ]


def test_slides_have_numbers_in_the_order_in_which_they_are_shown() -> None:
    slide = (
        "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
    )

    assert (
        read(pptx("End", "Begin", notes="Smile.")) == "[Slide 1]\nBegin\n\n[Slide 2]\nEnd\n\nNotes:\nSmile."
    )
    assert read(odt(slide.format("One") + slide.format("Two"), "presentation")) == (
        "[Slide 1]\nOne\n\n[Slide 2]\nTwo"
    )


def test_a_workbook_has_its_sheets_by_name_with_saved_values() -> None:
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Port</t></is></c><c r="B1" t="b"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><v>5</v></c><c r="B3"><f>[1]Sheet!A1</f><v>2.5</v></c>'
        '<c r="C3" s="1"><v>45000</v></c></row>'
    )

    text = read(xlsx({"Tides &amp; ports": rows, "Empty": ""}, linked="http://192.0.2.1/other.xlsx"))

    assert text == "## Sheet: Tides & ports\n\nPort\tTRUE\n5\t2.5\t2023-03-15"
    assert read(ods()) == "## Sheet: Tides\n\nPort\t3.5"


def test_a_book_is_read_in_order() -> None:
    assert read(epub("<h1>One</h1><p>a</p>", "<p>b</p>")) == "# One\na\n\nb"


def test_a_saved_page_is_read_and_a_piece_of_one_is_code() -> None:
    page = (
        b"<!-- saved from url -->\n<!DOCTYPE html><html><head><title>Ports</title>"
        b"<link rel=stylesheet href=//192.0.2.1/x.css><script>track()</script></head><body><h1>Tides</h1>"
        b"<table><tr><th>Port<th>m<tr><td>Emden<td>3.5</table><img src=http://192.0.2.1/p.png></body>"
    )

    assert kind_of("x.html", page) is Kind.PAGE
    assert read(page) == "# Ports\n\n# Tides\nPort | m\nEmden | 3.5"
    assert read("<html><meta charset=latin1><p>Zoë".encode("latin1")) == "Zoë"
    assert read("<html><p>Zoë".encode("utf-16")) == "Zoë"
    assert read(b"<p>{{ code }}</p>") == "<p>{{ code }}</p>"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zipped({"a.txt": "hello"}), Reason.BINARY),
        (b"PK\x03\x04\0\0", Reason.BROKEN),
        (docx(""), Reason.EMPTY),
        (docx("<w:p>"), Reason.BROKEN),
        (zipped({"word/document.xml": '<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>'}), Reason.BROKEN),
        (
            zipped({"content.xml": '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd"><x/>', "mimetype": "odt"}),
            Reason.BROKEN,
        ),
        (bomb("word/document.xml", 70), Reason.LONG),
        (bomb("content.xml", 200), Reason.LONG),
        (docx(paragraph("x" * 2_000_001)), Reason.LONG),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), Reason.OLD),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), Reason.LOCKED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, Reason.BROKEN),
        (b"<html></html>", Reason.EMPTY),
        (epub(), Reason.EMPTY),
        (
            zipped({"META-INF/container.xml": '<c><rootfile full-path="../../etc/passwd"/></c>'}),
            Reason.BROKEN,
        ),
    ],
)
def test_what_cannot_be_read_has_its_reason(data: bytes, reason: Reason) -> None:
    assert why(data) is reason


def test_workbooks_that_swell_harm_nothing() -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'

    repeated = ods('table:number-rows-repeated="1048576"', 'table:number-columns-repeated="16384"')

    assert why(repeated) in (Reason.LONG, Reason.BROKEN)
    assert why(bomb("xl/workbook.xml", 600)) is Reason.LONG
    assert why(xlsx({"Far": far})) in (Reason.LONG, Reason.BROKEN)
    entities = '<!DOCTYPE x [<!ENTITY a "' + "b" * 1000 + '">]>'
    assert read(xlsx({"A": '<row r="1"><c r="A1"><v>1</v></c></row>'}, prolog=entities)).endswith("\n\n1")


def test_elements_nested_without_end_harm_nothing() -> None:
    deep = "<w:sdt>" * 100_000 + "</w:sdt>" * 100_000
    lists = "<text:list><text:list-item>" * 5_000 + "</text:list-item></text:list>" * 5_000

    assert why(docx(deep)) in (Reason.EMPTY, Reason.LONG)
    assert read(odt(f"<text:p>seen</text:p>{lists}")) == "seen"


def test_nobody_outside_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.png"

        assert read(office.docx_with_remote_image(address)) == "Seen"
        assert "x" in read(f"<!doctype html><img src={address}><iframe src={address}></iframe>x".encode())
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.create_connection(('127.0.0.1', PORT))",
        "import subprocess; subprocess.run(['touch', 'PATH'])",
        "import os; os.system('touch PATH')",
        "import os; os.fork()",
        "open('PATH', 'w').write('x')",
    ],
)
def test_a_worker_that_is_taken_over_reaches_nothing(deed: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        mark, worker = tmp_path / "mark", tmp_path / "worker.py"
        deed = deed.replace("PORT", str(server.getsockname()[1])).replace("PATH", str(mark))
        worker.write_text(
            f"MEMORY = 10**9\nPROCESSOR_SECONDS = 5\ndef answer(data):\n    {deed}\n    return b'done'\n"
        )

        assert isolated(worker, b"", 20) == b""
        assert not mark.exists()
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("kind", "name", "media_type"),
    [
        (
            Kind.OFFICE,
            "A.DOCX",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (Kind.OFFICE, "a.html", "application/octet-stream"),
        (Kind.PAGE, "a.html", "text/plain"),
        (Kind.TEXT, "a.svg", "text/plain"),
        (Kind.PDF, "a.html", "application/pdf"),
    ],
)
def test_no_document_has_a_type_that_a_browser_shows_as_a_page(
    kind: Kind, name: str, media_type: str
) -> None:
    assert media_type_of(kind, name) == media_type
