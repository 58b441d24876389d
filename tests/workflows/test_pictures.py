"""Photographs lose what the camera wrote beside the picture, and no pixel (PRV-01)."""

import io
import struct

import pytest

from tests.pictures import chunk, png, segment
from workflows.filing import LIMIT, picture_of
from workflows.pictures import BrokenPicture, without_metadata
from workflows.refusals import Refusal

Image = pytest.importorskip("PIL.Image")
CANARIES = (b"GPS-37.93N-102.64E", b"iPhone of Zhang Mei", b"2026-03-14 09:30")


def camera(orientation: int = 1, quality: int = 80, progressive: bool = False) -> bytes:
    """A photograph as a telephone writes it: place, device and time in Exif, XMP, IPTC, comment, and behind the end."""
    picture = Image.new("RGB", (32, 16))
    picture.putdata([(x * 8, y * 16, (x * y) % 256) for y in range(16) for x in range(32)])
    exif = Image.Exif()
    exif[0x0112], exif[0x0110], exif[0x0132] = orientation, CANARIES[1].decode(), CANARIES[2].decode()
    exif.get_ifd(0x8825)[0x1B] = CANARIES[0]
    made = io.BytesIO()
    picture.save(made, "JPEG", exif=exif, quality=quality, progressive=progressive, icc_profile=b"profile")
    content = made.getvalue()
    beside = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + CANARIES[0])
    beside += segment(0xED, b"Photoshop 3.0\x00" + CANARIES[1]) + segment(0xFE, CANARIES[2])
    beside += segment(0xE2, b"MPF\x00" + CANARIES[0])
    return content[:2] + beside + content[2:] + b"trailer" + CANARIES[1]


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


@pytest.mark.req("PRV-01")
@pytest.mark.parametrize("progressive", [False, True])
def test_a_photograph_keeps_its_pixels_and_loses_the_rest(progressive: bool) -> None:
    taken = camera(progressive=progressive)
    clean = without_metadata(taken)
    assert all(canary in taken for canary in CANARIES)
    assert not any(canary in clean for canary in CANARIES)
    assert b"trailer" not in clean and b"Exif" not in clean
    assert pixels(clean) == pixels(taken)
    opened = Image.open(io.BytesIO(clean))
    assert opened.info["icc_profile"] == b"profile"
    assert without_metadata(clean) == clean


@pytest.mark.req("PRV-01")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_does_not_fall_on_its_side(orientation: int) -> None:
    clean = without_metadata(camera(orientation))
    exif = Image.open(io.BytesIO(clean)).getexif()
    assert exif.get(0x0112, 1) == orientation
    assert set(exif) <= {0x0112} and not any(canary in clean for canary in CANARIES)


@pytest.mark.req("PRV-01")
@pytest.mark.parametrize("name", [b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME", b"prVt"])
def test_a_png_keeps_only_what_shows_the_picture(name: bytes) -> None:
    taken = png(1234, chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(name, CANARIES[0])) + CANARIES[1]
    clean = without_metadata(taken)
    assert clean == png(1234, chunk(b"gAMA", struct.pack(">I", 45455)))
    assert pixels(clean) == pixels(taken)


@pytest.mark.req("SEC-29")
@pytest.mark.parametrize("whole", [camera(), png(7)], ids=["jpeg", "png"])
def test_a_picture_that_is_cut_off_is_refused(whole: bytes) -> None:
    end = whole.index(b"trailer") if b"trailer" in whole else len(whole)
    for cut in range(8, end - 1):
        with pytest.raises(BrokenPicture):
            without_metadata(whole[:cut])


@pytest.mark.req("SEC-29")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\x00\x00",
        b"\xff\xd8\xffnot a segment",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 40,
        b"<html>",
    ],
)
def test_what_only_begins_like_a_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal, match="Only JPEG or PNG"):
        picture_of(content)


def test_a_broken_exif_block_counts_as_upright() -> None:
    taken = camera()
    broken = taken[:2] + segment(0xE1, b"Exif\x00\x00II*\x00\xff\xff\xff\xff") + taken[2:]
    assert b"Exif" not in without_metadata(broken)


def test_the_hash_is_that_of_what_is_kept() -> None:
    assert picture_of(camera()).sha256 == picture_of(without_metadata(camera())).sha256
    with pytest.raises(Refusal):
        picture_of(png() + b"\x00" * LIMIT)
