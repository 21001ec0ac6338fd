"""Files of messages travel with an export: the same bytes, names and kinds; a hostile zip gets nothing further."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient, Client
from PIL import Image

from chat import files
from chat.arrivals import document, row_of, staged
from chat.documents import Kind
from chat.models import Attachment, Conversation, Generation, Import, Message, Project
from chat.services.project_files import add as add_files
from chat.services.sending import Sent
from chat.transfer import limits
from chat.transfer.archive import zipped
from chat.transfer.portable import HUB
from chat.transfer.writing import KINDS
from privatechathub.accounts.models import User
from tests.chat.attachments.office import docx, paragraph
from tests.chat.attachments.pictures import attach_picture, encoded, opened, plain, upload
from tests.chat.attachments.test_documents import pdf


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


FOUR_FILES = (
    ("one.txt", b"0123456789"), ("two.txt", b"too much"), ("three.txt", b"fits"), ("four.txt", b"4"),
)  # fmt: skip


def everything(owner: User) -> bytes:
    """An export."""

    async def pieces() -> bytes:
        return b"".join([piece async for piece in zipped(owner, KINDS["json"])])

    async def here(work: Callable[..., Any], *arguments: Any) -> Any:
        return await sync_to_async(work)(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chat.transfer.archive.in_database", here)  # on the connection of the test
        return async_to_sync(pieces)()


def bring(browser: Client, data: bytes) -> Import:
    """Import a file."""
    name = io.BytesIO(data)
    name.name = "export.zip"
    address = browser.post("/transfer/import/", {"file": name})["Location"]
    browser.post(address)
    return Import.objects.latest("created_at")


def kept(owner: User) -> list[tuple[Any, ...]]:
    """All that is known of a person's files, with their bytes."""
    rows = Attachment.objects.filter(owner=owner).order_by("message_id", "position")
    return [
        (row.name, row.media_type, row.size, row.width, row.height, row.text, row.position, row.content())
        for row in rows
    ]


def export_of(*listed: dict[str, Any], **members: bytes) -> bytes:
    """A zip that somebody made: one message with these files, and these members."""
    message = {"id": "1", "parent": None, "role": "user", "text": "Look", "files": list(listed)}
    talk = {"format": HUB, "version": 1, "conversation": {"id": "x", "messages": [message]}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps(talk))
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def file(data: bytes, name: str, **more: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A file of an export, as it is told of and as a member."""
    digest = sha256(data).hexdigest()
    told = {"name": name, "media_type": "text/html", "size": 1, "sha256": digest, **more}
    return told, {f"files/{digest}": data}


def test_files_are_the_same_after_a_journey(
    ask: Callable[..., Sent], alice: User, bob: User, as_bob: Client, folder: Path
) -> None:
    sent = ask("Look")
    for name, data in [
        ("photo.jpg", encoded(Image.effect_noise((2500, 900), 60).convert("RGB"), "JPEG")),
        ("drawing.png", plain((90, 60))),
        ("clear.png", encoded(Image.new("RGBA", (40, 40), (1, 2, 3, 4)))),
        ("again.png", plain((90, 60))),
        ("Zoë.pdf", pdf("Tides rise")),
        ("letter.docx", docx(paragraph("Dear"))),
        ("code.svg", b"<svg><script>alert(1)</script></svg>"),
    ]:
        attach_picture(sent.question, name, data)
    Attachment.objects.update(position=0)
    for position, row in enumerate(Attachment.objects.order_by("created_at")):
        Attachment.objects.filter(pk=row.pk).update(position=position)
    before = kept(alice)
    stored = sorted(folder.rglob("*"))

    row = bring(as_bob, everything(alice))

    assert row.report["attached"] == 7
    assert row.report["left_out"] == {}
    assert kept(bob) == before
    assert sorted(path for path in folder.rglob("*") if "imports" not in path.parts) == stored
    assert Message.objects.get(conversation__owner=bob, role="user").attached == 7


def test_each_content_is_in_the_zip_once_and_only_with_json(ask: Callable[..., Sent], alice: User) -> None:
    for _time in range(2):
        attach_picture(ask("Look").question)

    with zipfile.ZipFile(io.BytesIO(everything(alice))) as archive:
        names = [name for name in archive.namelist() if name.startswith("files/")]

    assert names == [f"files/{Attachment.objects.all()[0].digest}"]


async def test_one_conversation_is_exported_with_its_files(threads: None) -> None:
    def prepare() -> tuple[User, User, Conversation]:
        alice, bob = (User.objects.create_user(name) for name in ("alice", "bob"))
        conversation = Conversation.objects.create(owner=alice, title="Ports", updated_at="2026-01-01T00:00Z")
        attach_picture(Message.objects.create(conversation=conversation, role="user", text="Look"))
        Conversation.objects.create(owner=alice, title="Other", updated_at="2026-01-01T00:00Z")
        return alice, bob, conversation

    alice, bob, conversation = await sync_to_async(prepare)()
    browser, stranger = AsyncClient(), AsyncClient()
    await browser.aforce_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    await stranger.aforce_login(bob, backend="django.contrib.auth.backends.ModelBackend")

    response = await browser.get(f"/chat/{conversation.pk}/export/?as=zip")
    data = b"".join([piece async for piece in response])  # type: ignore[attr-defined]
    refused = await stranger.get(f"/chat/{conversation.pk}/export/?as=zip")

    assert response["Content-Disposition"] == 'attachment; filename="Ports.zip"'
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert [name[:6] for name in archive.namelist()] == ["Ports.", "files/"]
    assert refused.status_code == 404


def test_a_file_that_is_gone_from_the_folder_is_reported(
    ask: Callable[..., Sent], alice: User, as_bob: Client
) -> None:
    files.remove(attach_picture(ask("Look").question).digest)

    row = bring(as_bob, everything(alice))

    assert row.report["left_out"] == {"file": 1}
    assert (
        "pictures, recordings and other files" in as_bob.get(f"/transfer/import/{row.pk}/").content.decode()
    )
    assert Message.objects.get(conversation__owner__username="bob", role="user").attached == 0


def test_passages_find_their_file_again(
    ask: Callable[..., Sent], alice: User, bob: User, as_bob: Client
) -> None:
    sent = ask("Look")
    row = attach_picture(sent.question, "a.txt", b"tides")
    told = {
        "files": {str(row.pk): "a.txt"},
        "passages": [{"file": str(row.pk), "place": "line:1", "start": 0, "end": 5}],
    }
    Generation.objects.update(passages=told, status="completed")

    bring(as_bob, everything(alice))

    copied = Generation.objects.get(message__conversation__owner=bob)
    mine = str(Attachment.objects.get(owner=bob).pk)
    assert copied.passages == {
        "files": {mine: "a.txt"},
        "passages": [{"file": mine, "place": "line:1", "start": 0, "end": 5}],
    }


def test_a_hostile_zip_gets_nothing_past_what_a_form_would_take(
    as_alice: Client, alice: User, folder: Path, tmp_path: Path
) -> None:
    page, pages = file(b"<html><script>alert(1)</script>Hello</html>", "../../x.html", media_type="image/png")
    svg, svgs = file(b"<svg onload=alert(1)>", "x.png\u202egnp", media_type="image/svg+xml")
    photo = plain((40, 30), kind="JPEG", exif=Image.Exif(), comment=b"<script>")
    picture, pictures = file(photo, "C:\\x.html", media_type="text/html")
    lie, _lies = file(b"true", "lie.txt")
    program, programs = file(b"\x7fELF\0\0\0", "run.sh", media_type="text/plain")
    data = export_of(
        page, svg, picture, lie, program, {"name": 7, "sha256": "../../../etc/passwd"}, {},
        **pages, **svgs, **pictures, **programs, **{f"files/{lie['sha256']}": b"false"},
        **{"files/../../evil": b"x", "../../evil.txt": b"x"},
    )  # fmt: skip

    row = bring(as_alice, data)

    assert row.status == "done"
    assert [(found.name, found.media_type) for found in Attachment.objects.all()] == [
        ("x.html", "text/plain"),
        ("x.pnggnp", "text/plain"),
        ("x.html", "image/jpeg"),
    ]
    assert b"<script>" not in Attachment.objects.get(media_type="image/jpeg").content()
    assert opened(Attachment.objects.get(media_type="image/jpeg").content()).size == (40, 30)
    assert not list(tmp_path.rglob("evil*"))
    for found in Attachment.objects.filter(media_type="text/plain"):
        response = as_alice.get(f"/attachments/{found.pk}/")
        assert response["Content-Disposition"].startswith("attachment")
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_file_that_swells_is_left_out(
    as_alice: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LARGEST_ATTACHED", 1_000_000)
    large, larges = file(b"x" * 1_000_001, "large.txt")
    small, smalls = file(b"small", "small.txt")

    row = bring(as_alice, export_of(large, small, **larges, **smalls))

    assert row.status == "done"
    assert [found.name for found in Attachment.objects.all()] == ["small.txt"]
    assert not list(folder.glob(".draft*"))


def test_no_more_is_unpacked_than_all_files_may_take(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LARGEST_FILES", 8)
    one, ones = file(b"first", "one.txt")
    two, twos = file(b"second", "two.txt")

    bring(as_alice, export_of(one, two, **ones, **twos))

    assert [found.name for found in Attachment.objects.all()] == ["one.txt"]


def test_one_conversation_takes_only_so_many_files_and_so_much_text(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_ATTACHED", 3)
    monkeypatch.setattr(limits, "LONGEST_TEXTS", 15)
    listed, members = zip(*(file(text, name) for name, text in FOUR_FILES), strict=True)

    row = bring(
        as_alice, export_of(*listed, **{name: data for each in members for name, data in each.items()})
    )

    assert row.status == "done"
    assert [found.name for found in Attachment.objects.order_by("position")] == ["one.txt", "three.txt"]


def test_bytes_of_files_that_wait_on_the_disk_are_not_kept_in_memory(alice: User) -> None:
    with ExitStack() as stack:
        arrived = staged(stack, document("a.txt", Kind.TEXT, b"Tides"))

        assert (arrived.ready.data, arrived.size, arrived.ready.text) == (b"", 5, "Tides")
        assert row_of(alice, Message(), 0, arrived).size == 5


def test_files_of_a_project_are_the_same_after_a_journey(
    ask: Callable[..., Sent], alice: User, bob: User, as_bob: Client, folder: Path
) -> None:
    project = Project.objects.create(owner=alice, name="Ports", instructions="Be brief.")
    add_files(alice, project, [upload("Zoë.pdf", pdf("Tides rise")), upload("a.svg", b"<svg/>")])
    sent = ask("When?")
    row = Attachment.objects.get(name="a.svg")
    told = {
        "files": {str(row.pk): "a.svg"},
        "passages": [{"file": str(row.pk), "place": "line:1", "start": 0, "end": 5}],
    }
    Generation.objects.update(passages=told, status="completed")
    Conversation.objects.filter(pk=sent.conversation.pk).update(project=project)
    before = [entry[:6] + entry[7:] for entry in kept(alice)]

    brought = bring(as_bob, everything(alice))
    again = bring(as_bob, everything(alice))

    copied = Project.objects.get(owner=bob)
    assert copied.attached == 2
    assert (brought.report["attached"], again.report["attached"]) == (2, 0)
    assert sorted(entry[:6] + entry[7:] for entry in kept(bob)) == sorted(before)
    mine = str(Attachment.objects.get(project=copied, name="a.svg").pk)
    run = Generation.objects.get(message__conversation__owner=bob)
    assert run.passages["passages"] == [{**told["passages"][0], "file": mine}]


def test_a_project_takes_no_pictures_from_a_file_either(as_alice: Client, alice: User) -> None:
    picture, pictures = file(plain(), "a.png")
    text, texts = file(b"High.", "a.txt")
    project = {"format": "private-chat-hub-project", "version": 1}
    project["project"] = {"id": "x", "name": "Ports", "files": [picture, text]}

    bring(as_alice, export_of(**pictures, **texts, **{"p.json": json.dumps(project).encode()}))

    assert [row.name for row in Attachment.objects.filter(project__owner=alice)] == ["a.txt"]
    assert Project.objects.get().attached == 1
