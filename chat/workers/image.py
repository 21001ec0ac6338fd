"""Worker: decode an image and write it anew.

Answers with one line of JSON, then the bytes of the image and of its thumbnail, whose lengths the line tells; or
with a line ``{"trouble": WORD}`` (the words of ``chat.imaging.Trouble``).
"""

from __future__ import annotations

import io
import json
import warnings
from contextlib import suppress

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

#: Bytes of address space. 64 million pixels of four bytes, twice, and the libraries.
MEMORY = 1024 * 1024 * 1024
#: Seconds of processor time.
PROCESSOR_SECONDS = 20
#: Pixels of the source; the cameras of telephones stop at 50 million by default.
MOST_PIXELS = 64_000_000
#: Pixels of the longer side that a model gets; more is scaled down by the servers anyway.
LONGEST_SIDE = 2048
THUMBNAIL_SIDE = 480
#: Bytes above which a picture is sent as JPEG, transparent or not.
LARGE_PNG = 1_500_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
#: The formats that we write, and what Pillow tells of files without anything but a picture.
OURS = {"PNG": set[str](), "JPEG": {"jfif", "jfif_version", "jfif_unit", "jfif_density"}}
#: Brands of ISO media files that telephones make (ISO/IEC 23008-12).
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def answer(data: bytes) -> bytes:
    """What goes to standard output."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return trouble("heic")
    try:
        return cleaned(data)
    except MemoryError:
        return trouble("large")
    except Exception as error:  # decoders fail in many ways on hostile input
        return trouble("large" if "Bomb" in type(error).__name__ else "broken")


def trouble(word: str) -> bytes:
    """Nothing but the reason."""
    return json.dumps({"trouble": word}).encode() + b"\n"


def cleaned(data: bytes) -> bytes:
    """The image anew. Raises whatever the decoders raise."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        source = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        return trouble("unknown")
    is_photograph = source.format in ("JPEG", "MPO")
    form, size, frames = source.format, source.size, getattr(source, "n_frames", 1)
    if is_photograph:
        source.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # decodes at a fraction of the size
    image = shrunk(source, LONGEST_SIDE)
    told = {key for key, value in image.info.items() if value}
    image = upright(image)
    see_through = image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
    image = in_srgb(image) if see_through else in_srgb(image.convert("RGB"))
    media_type, picture = encoded(image, is_photograph, see_through)
    small = io.BytesIO()
    shrunk(image.copy(), THUMBNAIL_SIDE).save(small, "WEBP", quality=80)
    header = {
        "media_type": media_type,
        "width": image.width,
        "height": image.height,
        "size": len(picture),
        "thumbnail": small.tell(),
        "was_clean": form in OURS and size == image.size and frames == 1 and told <= OURS[form],
    }
    return json.dumps(header).encode() + b"\n" + picture + small.getvalue()


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """At most that long, in RGB or RGBA; of a moving image the first frame. Keeps the EXIF data and the profile."""
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    if image.mode.startswith("I;16") or image.mode == "I":
        image = image.point(lambda value: value / 256).convert("L")
    elif image.mode in ("P", "1", "PA"):  # colours of a palette cannot be averaged
        image = image.convert(mode)
    image.thumbnail((side, side), reducing_gap=2.0)
    return image if image.mode == mode else image.convert(mode)


def upright(image: Image.Image) -> Image.Image:
    """Turned as the camera says."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF data is no reason to refuse a picture
        return image


def in_srgb(image: Image.Image) -> Image.Image:
    """In the colours that everybody assumes, and without anything that the file said beside them."""
    profile = image.info.get("icc_profile")
    if profile:
        with suppress(Exception):  # a broken profile is none
            srgb = ImageCms.createProfile("sRGB")
            source = io.BytesIO(profile)
            image = ImageCms.profileToProfile(image, source, srgb, outputMode=image.mode) or image
    image.info = {}
    return image


def encoded(image: Image.Image, is_photograph: bool, see_through: bool) -> tuple[str, bytes]:
    """PNG where the source was no photograph and it stays small, else JPEG: the formats that every server reads."""
    written = io.BytesIO()
    if not is_photograph:
        image.save(written, "PNG")
        if written.tell() <= LARGE_PNG:
            return "image/png", written.getvalue()
    written = io.BytesIO()
    (on_white(image) if see_through else image).save(written, "JPEG", quality=88, optimize=True)
    return "image/jpeg", written.getvalue()


def on_white(image: Image.Image) -> Image.Image:
    """JPEG knows no transparency."""
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
