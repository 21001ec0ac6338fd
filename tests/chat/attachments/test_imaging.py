"""Pictures from people are decoded and written anew elsewhere; nothing hostile harms, nothing hidden stays."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from chat.imaging import BadImage, CleanImage, Trouble
from chat.imaging import clean as clean_file
from tests.chat.attachments.pictures import GPS, MAKER, ORIENTATION, encoded, opened, plain


def clean(data: bytes) -> CleanImage:
    return clean_file(io.BytesIO(data))


def trouble_with(data: bytes) -> Trouble:
    with pytest.raises(BadImage) as caught:
        clean(data)
    return caught.value.trouble


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (plain(kind="PNG"), "image/png"),
        (plain(kind="WEBP"), "image/png"),
        (plain(kind="GIF"), "image/png"),
        (plain(kind="JPEG"), "image/jpeg"),
        (encoded(Image.new("CMYK", (60, 40)), "JPEG"), "image/jpeg"),
        (encoded(Image.new("L", (60, 40)), "PNG"), "image/png"),
        (encoded(Image.new("LA", (60, 40)), "PNG"), "image/png"),
        (encoded(Image.new("I;16", (60, 40), 30_000), "PNG"), "image/png"),
        (encoded(Image.new("1", (60, 40)), "PNG"), "image/png"),
        (encoded(Image.new("P", (60, 40)), "PNG", transparency=0), "image/png"),
    ],
)
def test_every_known_format_becomes_one_that_every_server_reads(data: bytes, media_type: str) -> None:
    found = clean(data)

    assert (found.media_type, found.width, found.height) == (media_type, 60, 40)
    assert opened(found.data).get_format_mimetype() == media_type
    assert opened(found.data).mode in ("RGB", "RGBA")
    assert opened(found.thumbnail).get_format_mimetype() == "image/webp"


def test_what_the_camera_wrote_goes_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = 6, "SecretCamera"
    exif[GPS] = {1: "N", 2: (48.0, 8.0, 14.0)}
    picture = Image.new("RGB", (60, 40), "red")
    picture.paste("blue", (0, 0, 60, 10))  # what was on top comes to the right
    data = encoded(picture, "JPEG", exif=exif, comment=b"SecretComment")
    assert b"SecretCamera" in data
    assert b"SecretComment" in data

    found = clean(data)

    assert (found.width, found.height) == (40, 60)
    assert b"Secret" not in found.data + found.thumbnail
    assert not opened(found.data).getexif()
    red, _green, blue = opened(found.data).convert("RGB").getpixel((37, 30))
    assert blue > 200 > 60 > red


def test_text_and_profiles_in_a_png_go() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = clean(plain(icc_profile=profile))

    assert set(opened(found.data).info) == set()


def test_a_broken_profile_is_no_reason_to_refuse() -> None:
    assert clean(plain(icc_profile=b"nothing of the kind")).width == 60


@pytest.mark.parametrize(("size", "expected"), [((3000, 1000), (2048, 683)), ((500, 4096), (250, 2048))])
def test_large_pictures_are_scaled_down(size: tuple[int, int], expected: tuple[int, int]) -> None:
    for kind in ("PNG", "JPEG"):
        found = clean(plain(size, kind=kind))

        assert (found.width, found.height) == expected == opened(found.data).size
        assert max(opened(found.thumbnail).size) == 480


def test_a_photo_of_fifty_megapixels_is_made_small_in_bounded_time() -> None:
    noise = Image.effect_noise((1000, 775), 60).resize((8160, 6144))
    began = time.monotonic()

    found = clean(encoded(noise.convert("RGB"), "JPEG", quality=80))

    assert (found.width, found.height) == (2048, 1542)
    assert len(found.data) < 4_000_000
    assert time.monotonic() - began < 30


def test_of_a_moving_picture_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    red, _green, blue = opened(clean(data).data).convert("RGB").getpixel((5, 5))
    assert red > 200 > 60 > blue


def test_transparency_is_kept_and_noise_with_it_becomes_a_jpeg_on_white() -> None:
    assert opened(clean(encoded(Image.new("RGBA", (60, 40), (9, 9, 9, 0)))).data).mode == "RGBA"
    noise = Image.merge("RGBA", [Image.effect_noise((1000, 1000), 90)] * 3 + [Image.new("L", (1000, 1000))])

    found = clean(encoded(noise))

    assert found.media_type == "image/jpeg"
    assert opened(found.data).getpixel((500, 500)) == (255, 255, 255)


def bomb(width: int, height: int, *, said: tuple[int, int] | None = None) -> bytes:
    """A PNG of a few kilobytes with that many black pixels, or that says it has as many as ``said``."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(b"\0" * (width + 1)) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", *(said or (width, height)), 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (bomb(20_000, 4_000), Trouble.LARGE),
        (bomb(60, 40, said=(100_000, 100_000)), Trouble.LARGE),
        (bomb(60, 40, said=(6_000, 10_000)), Trouble.BROKEN),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Trouble.HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Trouble.HEIC),
        (plain(kind="JPEG")[:200], Trouble.BROKEN),
        (encoded(Image.effect_noise((300, 300), 90))[:4000], Trouble.BROKEN),
        (b"", Trouble.UNKNOWN),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", Trouble.UNKNOWN),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", Trouble.UNKNOWN),
        (encoded(Image.new("RGB", (9, 9)), "BMP"), Trouble.UNKNOWN),
        (encoded(Image.new("RGB", (9, 9)), "TIFF"), Trouble.UNKNOWN),
        (b"%PDF-1.7\n", Trouble.UNKNOWN),
        (b"PK\x03\x04" + b"\0" * 60, Trouble.UNKNOWN),
    ],
)
def test_what_is_no_picture_or_too_much_of_one_is_refused(data: bytes, trouble: Trouble) -> None:
    assert trouble_with(data) is trouble


def test_a_worker_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr("chat.imaging.cleaning.WORKER", slow)
    monkeypatch.setattr("chat.imaging.cleaning.PATIENCE", 0.5)

    assert trouble_with(plain()) is Trouble.LARGE


def test_a_worker_cannot_take_more_memory_than_it_may(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    greedy = tmp_path / "greedy.py"
    source = Path("chat/workers/image.py").resolve().read_text()
    greedy.write_text(source.replace("    return cleaned(data)", "    return bytes(2_000_000_000)"))
    assert "bytes(2_000_000_000)" in greedy.read_text()
    monkeypatch.setattr("chat.imaging.cleaning.WORKER", greedy)

    assert trouble_with(plain()) is Trouble.LARGE
