"""Files that somebody made to do harm. They end in a sentence, and nothing is written anywhere."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chat.transfer import limits
from chat.transfer.limits import BadFile
from chat.transfer.portable import LeftOut, Talk
from chat.transfer.reading import Loss
from tests.chat.transfer import samples
from tests.chat.transfer.conftest import Read

GOOD = samples.as_json([samples.CLAUDE])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"hello",
        b"[",
        b'[{"a": 1}',
        b"]",
        b"{}}",
        b'{"a": tru}',
        b'[{"a" 1}]',
        b'["\\',
        GOOD[:-40],
        b"PK\x03\x04 and no zip",
        samples.zipped({"c.json": GOOD})[:-30],
        samples.zipped({"c.json": b"no json"}),
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_and_no_zip_is_refused_in_words(data: bytes, read: Read) -> None:
    with pytest.raises(BadFile, match="Download the export again"):
        read(data)


def test_a_damaged_member_is_refused(read: Read) -> None:
    data = bytearray(samples.zipped({"c.json": GOOD * 1}))
    data[60] ^= 0xFF

    with pytest.raises(BadFile, match="damaged"):
        read(bytes(data))


def test_a_bomb_stops_at_the_limit(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_TOTAL", 3_000_000)

    with pytest.raises(BadFile, match="too large"):
        read(samples.zipped({"c.json": b"[" + b" " * 10_000_000 + b"]"}))


def test_a_member_that_lies_about_its_size_is_damaged(read: Read) -> None:
    data = samples.zipped({"c.json": b"[" + b" " * 999_998 + b"]"})
    size = struct.pack("<L", 1_000_000)
    assert data.count(size) == 2

    with pytest.raises(BadFile, match="damaged"):
        read(data.replace(size, struct.pack("<L", 10)))


def test_many_members_that_are_large_together(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_TOTAL", 3_000_000)

    with pytest.raises(BadFile, match="too large"):
        read(samples.zipped({f"{place}.json": b"[" + b" " * 1_000_000 + b"]" for place in range(4)}))


def test_thousands_of_members(read: Read) -> None:
    with pytest.raises(BadFile, match="too many files"):
        read(samples.zipped({f"{place}.json": b"[]" for place in range(limits.MOST_MEMBERS + 1)}))


def test_a_table_of_contents_without_end_is_not_read(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_DIRECTORY", 70_000)

    with pytest.raises(BadFile, match="too many files"):
        read(samples.zipped({f"{place}.png": b"" for place in range(2_000)}))


def test_paths_that_lead_elsewhere_write_nothing(read: Read, tmp_path: Path) -> None:
    names = ["../../evil.json", "/etc/evil.json", "C:\\evil.json", "a/../../evil.json"]

    found = read(samples.zipped(dict.fromkeys(names, GOOD)))

    assert len(found) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]
    assert not (tmp_path.parent.parent / "evil.json").exists()


def test_links_are_not_followed(read: Read) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("passwords.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("c.json", GOOD)

    (found,) = read(packed.getvalue())

    assert isinstance(found, Talk)


def test_a_zip_in_a_zip_is_not_opened(read: Read) -> None:
    assert read(samples.zipped({"inner.zip": samples.zipped({"c.json": GOOD})})) == []


def test_a_locked_zip_says_what_to_do(read: Read) -> None:
    data = bytearray(samples.zipped({"c.json": GOOD}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1

    with pytest.raises(BadFile, match="password"):
        read(bytes(data))


def test_json_without_bottom_is_skipped_and_the_rest_is_read(read: Read) -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000

    found = read(b"[" + deep + b"," + GOOD[1:])

    assert found[0] == Loss("export.json", LeftOut.TOO_LONG)
    assert isinstance(found[1], Talk)


def test_one_conversation_that_is_too_large_is_skipped_and_the_rest_is_read(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LARGEST_ITEM", 10_000)

    found = read(b'[{"a": "' + b"x" * 1_000_000 + b'"},' + GOOD[1:])

    assert found[0] == Loss("export.json", LeftOut.TOO_LONG)
    assert isinstance(found[1], Talk)


def test_too_many_messages(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_MESSAGES", 2)

    assert read(GOOD) == [Loss("export.json", LeftOut.TOO_LONG)]


def test_long_chains_of_hidden_nodes_take_no_long_time(read: Read) -> None:
    nodes: dict[str, Any] = {"0": {"id": "0", "message": None, "parent": None}}
    for place in range(1, 15_000):
        nodes[str(place)] = {"id": str(place), "message": None, "parent": str(place - 1)}
    for place in range(15_000):
        nodes[f"u{place}"] = samples.chatgpt_node(f"u{place}", "14999", "assistant", "x")

    (found,) = read(json.dumps([{"mapping": nodes, "id": "x"}]).encode())

    assert isinstance(found, Talk)
    assert {turn.parent for turn in found.turns} == {None}


def test_what_no_database_keeps_is_replaced(read: Read) -> None:
    item = json.loads(json.dumps(samples.CLAUDE)) | {"name": "a\x00b\ud800c"}
    item["chat_messages"][0]["content"][0]["text"] = "nul \x00 half \ud83d end"

    (found,) = read(samples.as_json([item]))

    assert isinstance(found, Talk)
    assert "\x00" not in found.title + found.turns[0].text
    (found.title + found.turns[0].text).encode()
