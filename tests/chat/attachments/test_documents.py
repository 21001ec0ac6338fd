"""Text, code and PDF: read in bounded time and memory, sent to the letter, served as nothing but text."""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfWriter

from backends.models import Backend, CatalogueModel
from chat.documents import Kind, Reason, Unreadable, document_text, kind_of
from chat.documents.plain import plain_text
from chat.documents.unreadable import LONGEST_TEXT
from chat.generation.prompt import prepare
from chat.models import Attachment, Generation
from chat.services.refusals import Refused
from chat.services.sending import Sent, start_conversation
from privatechathub.accounts.models import User
from tests.chat.attachments.pictures import plain, upload

pdf_text = partial(document_text, Kind.PDF)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def ask_with(alice: User, demo: Backend) -> Callable[..., Sent]:
    """Alice asks with a file, of a model that cannot see."""
    CatalogueModel.objects.update(capabilities=["chat"])

    def send(name: str, data: bytes, text: str = "Sum it up.") -> Sent:
        return start_conversation(alice, text, "demo/play", "", [upload(name, data)])

    return send


def pdf(*pages: str, stream: bytes | None = None, pages_said: int | None = None) -> bytes:
    """A PDF with one line on each page, written by hand (ISO 32000-1, 7.5)."""
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(pages)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {pages_said or len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, line in enumerate(pages):
        at = 10 + 2 * number
        content = stream or (f"BT /F1 12 Tf 72 720 Td ({line}) Tj ET".encode() if line else b"")
        packed = zlib.compress(content)
        objects[at] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {at + 1} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        objects[at + 1] = head + packed + b"\nendstream"
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, io.SEEK_END)
    places = {}
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    out.write(b"trailer\n<< /Root 1 0 R /Size 1000 >>\nstartxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()


def locked() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def why(read: Callable[[bytes], str], data: bytes) -> Reason:
    with pytest.raises(Unreadable) as caught:
        read(data)
    return caught.value.reason


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.bin", plain(kind="JPEG"), Kind.IMAGE),
        ("a.txt", plain(kind="WEBP"), Kind.IMAGE),
        ("a.jpg", b"\0\0\0\x18ftypheic", Kind.IMAGE),
        ("a.png", b"hello", Kind.IMAGE),
        ("a.txt", b"%PDF-1.4\n", Kind.PDF),
        ("a.pdf", b"\xef\xbb\xbf %PDF-1.4\n", Kind.PDF),
        ("a.svg", b"<svg/>", Kind.TEXT),
        ("a.pdf", b"hello", Kind.TEXT),
    ],
)
def test_the_bytes_say_what_a_file_is(name: str, data: bytes, kind: Kind) -> None:
    assert kind_of(name, data) is kind


def test_remarks_without_end_take_no_time() -> None:
    began = time.process_time()

    assert kind_of("a.html", b"<!---->" * 26 + b"x") is Kind.TEXT  # was 67 million ways to read it
    assert kind_of("a.html", b"<!---->" * 26 + b"<html>") is Kind.PAGE
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Zoë\r\nné\r".encode(), "Zoë\nné\n"),
        (b"\xef\xbb\xbfwith a mark", "with a mark"),
        ("Zoë".encode("utf-16"), "Zoë"),
        ("Zoë – “é”".encode("cp1252"), "Zoë – “é”"),
        (b"\x1b[31mred\x1b[0m\tand\x0c", "\x1b[31mred\x1b[0m\tand\x0c"),
    ],
)
def test_text_is_read_in_the_usual_encodings(data: bytes, text: str) -> None:
    assert plain_text(data) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK\x03\x04\0\0", Reason.BINARY),
        (b"\x7fELF\x02\x01", Reason.BINARY),
        (b"abc\x81\x8d", Reason.BINARY),
        (b"\0" * 9_000_000, Reason.BINARY),
        (b"x" * (LONGEST_TEXT + 1), Reason.LONG),
        (b"x" * (4 * LONGEST_TEXT + 1), Reason.LONG),
        (b" \n", Reason.EMPTY),
        (b"", Reason.EMPTY),
    ],
)
def test_what_is_no_text_or_too_much_is_not_read(data: bytes, reason: Reason) -> None:
    assert why(plain_text, data) is reason


def test_a_pdf_is_read_page_by_page() -> None:
    assert pdf_text(pdf("Tides rise", "", "and fall")) == "[Page 1]\nTides rise\n\n[Page 3]\nand fall"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf(""), Reason.SCANNED),
        (locked(), Reason.LOCKED),
        (b"%PDF-1.7\nnothing", Reason.BROKEN),
        (pdf(*["x"] * 2_001), Reason.LONG),
        (pdf("", stream=b"BT /F1 12 Tf " + b"(" + b"x" * 2_100_000 + b") Tj ET"), Reason.LONG),
    ],
    ids=["scan", "locked", "broken", "pages", "text"],
)
def test_what_cannot_be_read_of_a_pdf_has_its_reason(data: bytes, reason: Reason) -> None:
    assert why(pdf_text, data) is reason


def test_a_pdf_that_swells_harms_nothing() -> None:
    assert why(pdf_text, pdf("", stream=b" " * 150_000_000)) in (Reason.LONG, Reason.BROKEN)


def test_a_pdf_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr("chat.documents.extracting.READERS", {Kind.PDF: slow})
    monkeypatch.setattr("chat.documents.extracting.PATIENCE", 0.5)

    assert why(pdf_text, pdf("x")) is Reason.LONG


def test_a_model_that_cannot_see_reads_documents(ask_with: Callable[..., Sent]) -> None:
    sent = ask_with('a"b.py', b"print('tide')\n")

    (question,) = prepare(sent.generation.pk).request.messages

    assert question.text == "Sum it up.\n\n<document name=\"a'b.py\">\nprint('tide')\n\n</document>"
    assert Generation.objects.get().images_left_out == 0


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.zip", b"PK\x03\x04\0\0", "“a.zip” is damaged"),
        ("a.pdf", locked(), "“a.pdf” is protected by a password"),
        ("a.pdf", pdf(""), "“a.pdf” has no text"),
        ("a.txt", b"", "“a.txt” is empty"),
    ],
    ids=["damaged", "locked", "without text", "empty"],
)
def test_a_refused_document_has_its_sentence(
    ask_with: Callable[..., Sent], name: str, data: bytes, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        ask_with(name, data)

    assert not Attachment.objects.exists()


def test_a_document_is_served_as_text_and_as_a_file_never_as_a_page(
    ask_with: Callable[..., Sent], as_alice: Client, as_bob: Client
) -> None:
    page = b"<script>alert(1)</script>"
    sent = ask_with("x.html", page)
    row = sent.question.attachments.get()

    shown = as_alice.get(f"/attachments/{row.pk}/text/")
    saved = as_alice.get(f"/attachments/{row.pk}/")
    thread = as_alice.get(f"/chat/{sent.conversation.pk}/").content.decode()

    assert (shown.content, shown["Content-Type"]) == (page, "text/plain; charset=utf-8")
    assert (saved.content, saved["Content-Type"]) == (page, "text/plain")
    assert saved["Content-Disposition"] == 'attachment; filename="x.html"'
    for response in (shown, saved):
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response["X-Content-Type-Options"] == "nosniff"
    assert f'href="/attachments/{row.pk}/read/"' in thread
    assert as_bob.get(f"/attachments/{row.pk}/text/").status_code == 404
    assert as_bob.get(f"/attachments/{row.pk}/").status_code == 404
