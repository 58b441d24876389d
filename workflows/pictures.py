"""Taking out of photographs what the camera wrote beside the picture: place, time, device, names (PRV-01).

Nothing is decoded and no pixel changes: only the segments needed for showing the picture are kept. Of Exif only
the orientation stays, in a new segment of its own, because without it a photograph may lie on its side. What
stands behind the end of the picture goes as well; telephones keep films and previews there.
"""

import re
import struct

EXIF = b"Exif\x00\x00"
ORIENTATION = 0x0112
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYS"}
)
SOI, EOI, SOS, APP0, APP1, APP2, APP14, APP15, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
# A marker ends the picture data, unless it is a stuffed zero, a restart, or a fill byte.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class BrokenPicture(ValueError):
    """The file is cut off or is not built as its kind prescribes."""


def without_metadata(content: bytes) -> bytes:
    """The same JPEG or PNG picture without metadata.

    Raises:
        BrokenPicture: it cannot be read to its end.
    """
    try:
        return _png(content) if content.startswith(PNG_START) else _jpeg(content)
    except (struct.error, IndexError) as error:
        raise BrokenPicture from error


def _jpeg(content: bytes) -> bytes:
    if content[:2] != bytes((0xFF, SOI)):
        raise BrokenPicture
    kept, place, orientation = [], 2, 1
    while True:
        marker, place = _marker(content, place)
        if marker == EOI:
            break
        end = place + struct.unpack_from(">H", content, place)[0]
        if end < place + 2 or end > len(content):
            raise BrokenPicture
        segment = content[place + 2 : end]
        if marker == APP1 and segment.startswith(EXIF):
            orientation = _orientation(segment[len(EXIF) :])
        if _is_needed(marker, segment):
            if marker == SOS:
                end = _end_of_scan(content, end)
            kept.append(bytes((0xFF, marker)) + content[place:end])
        place = end
    return b"".join([bytes((0xFF, SOI)), _exif_with(orientation), *kept, bytes((0xFF, EOI))])


def _marker(content: bytes, place: int) -> tuple[int, int]:
    """The marker at a place and where its segment begins; fill bytes before it are passed over."""
    if content[place] != 0xFF:
        raise BrokenPicture
    while content[place] == 0xFF:
        place += 1
    return content[place], place + 1


def _end_of_scan(content: bytes, place: int) -> int:
    found = _NEXT_MARKER.search(content, place)
    if found is None:
        raise BrokenPicture
    return found.start()


def _is_needed(marker: int, segment: bytes) -> bool:
    """Whether the picture cannot be shown rightly without the segment: JFIF, colour profile, Adobe's colour note."""
    if marker == APP0:
        return segment.startswith(b"JFIF\x00")
    if marker == APP2:
        return segment.startswith(b"ICC_PROFILE\x00")
    if marker == APP14:
        return segment.startswith(b"Adobe")
    return not (APP1 <= marker <= APP15 or marker == COM)


def _orientation(tiff: bytes) -> int:
    """The orientation that an Exif block gives, 1 (upright) when it gives none or cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for number in range(count):
            tag, _kind, _size, value = struct.unpack_from(order + "HHIH", tiff, first + 2 + 12 * number)
            if tag == ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _exif_with(orientation: int) -> bytes:
    """An Exif segment that holds the orientation and nothing else; none for an upright picture."""
    if orientation == 1:
        return b""
    tiff = b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
    body = EXIF + tiff
    return bytes((0xFF, APP1)) + struct.pack(">H", len(body) + 2) + body


def _png(content: bytes) -> bytes:
    kept, place = [PNG_START], len(PNG_START)
    while True:
        size, name = struct.unpack_from(">I4s", content, place)
        end = place + 12 + size
        if end > len(content):
            raise BrokenPicture
        if name in PNG_KEPT:
            kept.append(content[place:end])
        if name == b"IEND":
            return b"".join(kept)
        place = end
