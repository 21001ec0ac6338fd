"""Files that are too much or made to do harm, each sent by the form: a clear word, nothing fetched, nothing harmed."""

from __future__ import annotations

import io
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from backends.models import Backend
from chat.generation.prompt import prepare
from chat.models import Attachment, Conversation, Generation, TextIndex
from chat.workers.pdf import MOST_PAGES
from tests.chat.attachments.office import bomb, docx_with_remote_image, xlsx, zipped
from tests.chat.attachments.pictures import encoded, opened, upload
from tests.chat.attachments.test_documents import pdf


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "data" / "files"
    return tmp_path / "data" / "files"


@pytest.fixture
def somebody(folder: Path) -> Iterator[str]:
    """The address of a server that nobody may ask; fails the test where somebody did."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(TimeoutError):
            server.accept()


def post(browser: Client, name: str, data: bytes) -> HttpResponse:
    """Send a question with one file."""
    form = {"text": "What is it?", "model": "demo/play", "key": "k", "files": [upload(name, data)]}
    response: HttpResponse = browser.post("/chat/", form, follow=True)
    return response


def is_refused(response: HttpResponse, words: str, folder: Path) -> None:
    """With a sentence, and the text back; nothing is left of it anywhere."""
    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert words in page
    assert "What is it?</textarea>" in page
    assert not Conversation.objects.exists()
    assert not Attachment.objects.exists()
    assert [path for path in folder.parent.rglob("*") if path.is_file()] == []


def is_taken(response: HttpResponse) -> Attachment:
    """With its name in the thread."""
    assert response.status_code == 200
    row = Attachment.objects.get()
    assert row.name in unescape(response.content.decode())
    return row


def test_the_largest_pdf_is_read_and_asked_about_in_passages(as_alice: Client, demo: Backend) -> None:
    line = "Nothing of note happened and nobody wrote anything down about it. " * 9
    pages = [f"{number} {line}" for number in range(1, MOST_PAGES + 1)]
    pages[1499] = "The lighthouse keeper measured what is it."

    row = is_taken(post(as_alice, "largest.pdf", pdf(*pages)))

    question = prepare(Generation.objects.get().pk).request.messages[-1].text
    assert len(row.text) > 1_200_000
    assert "[Page 2000]" in row.text
    assert "The lighthouse keeper" in question
    assert len(question) < 20_000
    assert TextIndex.objects.count() == 1
    thread = as_alice.get(f"/attachments/{row.pk}/read/")
    assert b'id="page-2000"' in thread.content


def test_a_pdf_of_more_pages_is_refused(as_alice: Client, demo: Backend, folder: Path) -> None:
    response = post(as_alice, "a.pdf", pdf(*["x"] * (MOST_PAGES + 1)))

    is_refused(response, "“a.pdf” is too long", folder)


def test_a_photo_of_40_megapixels_is_made_small(as_alice: Client, demo: Backend) -> None:
    photo = encoded(Image.radial_gradient("L").resize((8000, 5000)).convert("RGB"), "JPEG")

    row = is_taken(post(as_alice, "photo.jpg", photo))

    assert (row.media_type, row.width, row.height) == ("image/jpeg", 2048, 1280)
    assert opened(row.content()).size == (2048, 1280)


def test_a_picture_that_swells_is_refused(as_alice: Client, demo: Backend, folder: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )

    is_refused(post(as_alice, "a.png", png), "“a.png” has too many pixels", folder)


@pytest.mark.parametrize(
    "name", ["word/document.xml", "content.xml", "xl/workbook.xml", "ppt/presentation.xml"]
)
def test_a_zip_bomb_is_refused(as_alice: Client, demo: Backend, folder: Path, name: str) -> None:
    is_refused(post(as_alice, "bomb.docx", bomb(name, 700)), "“bomb.docx” is too long", folder)


def test_a_zip_in_zips_is_not_unpacked(as_alice: Client, demo: Backend, folder: Path) -> None:
    inner = bomb("0", 100)
    for _depth in range(3):
        inner = zipped({f"{number}.zip": inner for number in range(10)})

    is_refused(post(as_alice, "42.zip", inner), "“42.zip” can’t be read here", folder)


def test_entities_that_multiply_are_refused(as_alice: Client, demo: Backend, folder: Path) -> None:
    laughs = "".join(f'<!ENTITY e{at + 1} "{f"&e{at};" * 10}">' for at in range(12))
    data = zipped({"word/document.xml": f'<!DOCTYPE x [<!ENTITY e0 "ha">{laughs}]><x>&e12;</x>'})

    is_refused(post(as_alice, "a.docx", data), "“a.docx” is damaged", folder)


def test_an_entity_from_outside_is_not_asked_for(
    as_alice: Client, demo: Backend, folder: Path, somebody: str
) -> None:
    data = zipped(
        {"word/document.xml": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{somebody}/x">]><x><body>&e;</body></x>'}
    )

    is_refused(post(as_alice, "a.docx", data), "“a.docx” is damaged", folder)


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "..\\..\\x.txt", "C:\\x.txt", "a/../../x.txt"])
def test_a_name_is_never_a_path(as_alice: Client, demo: Backend, folder: Path, name: str) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    fields = [(b"text", b"", b"Hi"), (b"model", b"", b"demo/play"), (b"key", b"", b"k")]
    body = b"".join(head % field for field in fields)
    body += head % (b"files", b'; filename="%s"' % name.encode(), b"hello") + b"--b--\r\n"

    as_alice.post("/chat/", body, content_type="multipart/form-data; boundary=b")

    row = Attachment.objects.get()
    assert row.name == "x.txt"
    assert [path for path in folder.parent.rglob("*") if path.is_file()] == [
        folder / row.digest[:2] / row.digest[2:]
    ]


def test_an_svg_with_a_script_is_text(as_alice: Client, demo: Backend, somebody: str) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("{somebody}")</script></svg>'.encode()

    row = is_taken(post(as_alice, "logo.svg", svg))

    served = as_alice.get(f"/attachments/{row.pk}/")
    page = as_alice.get(f"/attachments/{row.pk}/read/")
    assert served["Content-Type"] == "text/plain"
    assert served["Content-Disposition"] == 'attachment; filename="logo.svg"'
    assert served["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert b"<script>fetch" not in page.content
    assert b"&lt;script&gt;fetch" in page.content


def test_an_svg_that_is_called_a_picture_is_refused(as_alice: Client, demo: Backend, folder: Path) -> None:
    is_refused(post(as_alice, "a.png", b"<svg><script>1</script></svg>"), "“a.png” is not an image", folder)


def test_a_document_with_an_image_elsewhere_is_read_without_it(
    as_alice: Client, demo: Backend, somebody: str
) -> None:
    row = is_taken(post(as_alice, "a.docx", docx_with_remote_image(f"{somebody}/pixel.png")))

    assert row.text == "Seen"


def test_a_workbook_that_refers_elsewhere_shows_its_saved_values(
    as_alice: Client, demo: Backend, somebody: str
) -> None:
    rows = f'<row r="1"><c r="A1"><f>WEBSERVICE("{somebody}")</f><v>7</v></c></row>'

    row = is_taken(post(as_alice, "a.xlsx", xlsx({"A": rows}, linked=f"{somebody}/b.xlsx")))

    assert row.text == "## Sheet: A\n\n7"


def test_a_saved_page_asks_nobody(as_alice: Client, demo: Backend, somebody: str) -> None:
    page = f"<!doctype html><base href={somebody}><link rel=stylesheet href=x.css><iframe src=x></iframe><img src=x>Hi"

    row = is_taken(post(as_alice, "a.html", page.encode()))

    assert row.text == "Hi"
    assert row.media_type == "text/plain"


def test_a_pdf_with_a_script_and_a_link_is_only_text(as_alice: Client, demo: Backend, somebody: str) -> None:
    action = (
        f"/OpenAction << /S /URI /URI ({somebody}) >> /AA << /O << /S /JavaScript /JS (app.alert(1)) >> >>"
    )
    data = pdf("Tides rise").replace(b"/Type /Catalog", f"/Type /Catalog {action}".encode())

    row = is_taken(post(as_alice, "a.pdf", data))

    assert row.text == "[Page 1]\nTides rise"
    assert as_alice.get(f"/attachments/{row.pk}/")["Content-Disposition"].startswith("attachment")


def test_a_locked_zip_is_named_so(as_alice: Client, demo: Backend, folder: Path) -> None:
    buffer = io.BytesIO(zipped({"word/document.xml": "<x/>"}))
    data = bytearray(buffer.getvalue())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert zipfile.ZipFile(io.BytesIO(bytes(data))).infolist()[0].flag_bits & 1

    is_refused(post(as_alice, "a.docx", bytes(data)), "“a.docx” is protected by a password", folder)
