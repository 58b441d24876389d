"""Small pictures for tests, built by hand: valid to their end, with whatever metadata a test wants in them."""

import struct
import zlib


def chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(grey: int = 0, extra: bytes = b"") -> bytes:
    """A PNG of one pixel of a 16-bit grey; `extra` are chunks between header and data."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\x00" + struct.pack(">H", grey % 65536)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + data + chunk(b"IEND", b"")


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body
