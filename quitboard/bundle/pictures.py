"""Is this a picture and nothing but a picture? Told by its bytes, never by its name.

A published file holds no metadata and nothing after its end: an EXIF block can say where and when, a comment or a tail
can hold another file. Only the blocks that pixels need are let through.
"""

from __future__ import annotations

import struct

from quitboard.errors import BundleError

MAX_SIDE_PX = 4096
MAX_GIF_FRAMES = 200
_JFIF = 0xE0
_ADOBE = 0xEE  # says how colours were turned; no room for text in its 12 bytes
_JPEG_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_JPEG_TABLES = (0xC4, 0xDB, 0xDD)  # Huffman, quantisation, restart interval
_NETSCAPE = b"\x0bNETSCAPE2.0"  # how often a clip repeats


def check_picture(content: bytes, *, where: str) -> tuple[int, int]:
    """Check that `content` is one whole JPEG or GIF without metadata; return its width and height in px.

    The pixels themselves are not decoded: what a decoder makes of them is a picture in any case.

    Raises:
        BundleError: something else, cut short, with more than a picture in it, or too large.
    """
    try:
        if content.startswith(b"\xff\xd8"):
            extension, (width, height) = "jpg", _check_jpeg(content)
        elif content[:6] in (b"GIF87a", b"GIF89a"):
            extension, (width, height) = "gif", _check_gif(content)
        else:
            raise _Unfit("neither a JPEG nor a GIF")
        if not where.endswith(extension):
            raise _Unfit(f"a .{extension} by its content")
        if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
            raise _Unfit(f"{width} x {height} px")
    except (IndexError, struct.error):
        raise BundleError("a picture is cut short", where=where) from None
    except _Unfit as unfit:
        raise BundleError(f"a picture is not one that may be published: {unfit}", where=where) from None
    return width, height


class _Unfit(Exception):
    pass


def _check_jpeg(content: bytes) -> tuple[int, int]:
    """Walk the segments of ITU-T T.81, annex B."""
    size = (0, 0)
    at = 2
    while True:
        if content[at] != 0xFF:
            raise _Unfit("not made of JPEG segments")
        marker = content[at + 1]
        if marker == 0xD9:
            if at + 2 != len(content):
                raise _Unfit("bytes after its end")
            if size == (0, 0):
                raise _Unfit("no picture in it")
            return size
        (length,) = struct.unpack_from(">H", content, at + 2)
        body = content[at + 4 : at + 2 + length]
        if length < 2 or len(body) != length - 2:
            raise IndexError
        if marker in _JPEG_FRAMES:
            if size != (0, 0):
                raise _Unfit("two pictures in one")
            height, width = struct.unpack_from(">HH", body, 1)
            size = (width, height)
        elif marker == _JFIF:
            if body[:5] != b"JFIF\0" or len(body) != 14:  # longer: a thumbnail
                raise _Unfit("an APP0 block that is more than JFIF's")
        elif marker == _ADOBE:
            if body[:5] != b"Adobe" or len(body) != 12:
                raise _Unfit("an APP14 block that is not Adobe's")
        elif marker == 0xDA:
            at = _after_scan(content, at + 2 + length)
            continue
        elif marker not in _JPEG_TABLES:
            raise _Unfit(f"metadata (a block 0x{marker:02X})")
        at += 2 + length


def _after_scan(content: bytes, at: int) -> int:
    """Return where the next segment begins after the entropy-coded data that starts at `at`."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise IndexError
        if content[at + 1] == 0 or 0xD0 <= content[at + 1] <= 0xD7:
            at += 2
        elif content[at + 1] == 0xFF:
            at += 1
        else:
            return at


def _check_gif(content: bytes) -> tuple[int, int]:
    """Walk the blocks of GIF89a, section 17 and after."""
    width, height, packed = struct.unpack_from("<HHB", content, 6)
    at = 13 + _colours(packed)
    frames = 0
    while content[at] != 0x3B:
        if content[at] == 0x2C:
            left, top, frame_width, frame_height, packed = struct.unpack_from("<HHHHB", content, at + 1)
            if left + frame_width > width or top + frame_height > height:
                raise _Unfit("a frame outside the picture")
            at = _after_blocks(content, at + 11 + _colours(packed))
            frames += 1
        elif content[at : at + 2] == b"\x21\xf9":
            if content[at + 2] != 4 or content[at + 7] != 0:
                raise _Unfit("a control block of the wrong size")
            at += 8
        elif content[at : at + 14] == b"\x21\xff" + _NETSCAPE:
            if content[at + 14 : at + 16] != b"\x03\x01" or content[at + 18] != 0:
                raise _Unfit("a block that is more than a loop count")
            at += 19
        else:
            raise _Unfit("metadata, or an unknown block")
    if at + 1 != len(content):
        raise _Unfit("bytes after its end")
    if not 0 < frames <= MAX_GIF_FRAMES:
        raise _Unfit(f"{frames} frames")
    return width, height


def _colours(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1
