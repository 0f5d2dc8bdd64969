"""What kind of file a recording is, told from its first bytes and never from its name.

Only the kinds listed here are ever handed to the decoder, each with its format forced: a playlist that calls itself
.mp4 is refused here, before anything could open what it points at.
"""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

from quitboard.errors import RecordingError

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg"})
"""File names that are taken for recordings."""

FOREIGN_SUFFIXES = frozenset(
    {".264", ".265", ".3gp", ".asf", ".dav", ".flv", ".h264", ".h265", ".hevc", ".ivf", ".mjpeg", ".mjpg", ".ogv"}
    | {".ps", ".rm", ".rmvb", ".vob", ".wmv"}
)
"""File names of videos that are not read: said, so that nobody waits for them."""

SEEKABLE = frozenset({"mov", "avi"})
"""Kinds with an index that is trusted to jump; the others are read through, without decoding what is not wanted."""

FORMATS = {
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska": "matroska,webm",
    "avi": "avi",
    "mpegts": "mpegts",
    "mpeg": "mpeg",
}
"""Kinds that are read, and the decoder's full name of each, which is all that it may open."""

_HEAD_BYTES = 4096
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"sidx", b"moof"})
_PLAYLIST = re.compile(rb"\s*(#EXT|ffconcat|file\s|v=0|\[playlist\]|<\?xml|<MPD|<smil|rtsp:|https?:)", re.IGNORECASE)
_CONVERT = "Export it again from the recorder as MP4, or convert it: ffmpeg -i FILE -c copy FILE.mp4"


def kind_of(path: Path) -> str:
    """Return the decoder's name of the container that `path` holds: mov, matroska, avi, mpegts or mpeg.

    Raises:
        RecordingError: not a plain file, empty, a playlist, a text, or no container that is read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            raise RecordingError("not a plain file", where=path.name, todo="Give the recording itself")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise RecordingError(
            f"cannot be opened ({error.strerror})", where=path.name, todo="Check the file's permissions and its disk"
        ) from error
    if not head:
        raise RecordingError("an empty file", where=path.name, todo="Copy it again from the recorder")
    kind = _sniff(head)
    if kind is not None:
        return kind
    if _PLAYLIST.match(head):
        raise RecordingError(
            "a playlist, not a recording", where=path.name, todo="Give the files that it lists instead of it"
        )
    if not head.strip(b"\0"):
        raise RecordingError("nothing but zeros", where=path.name, todo="Copy it again from the recorder")
    if b"\0" not in head and _is_text(head):
        raise RecordingError("a text file, not a recording", where=path.name, todo="Remove it or rename it")
    raise RecordingError("no kind of video file that is read here", where=path.name, todo=_CONVERT)


def _sniff(head: bytes) -> str | None:
    if head[4:8] in _MP4_BOXES:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    # Hikvision's exports are program streams behind a header of their own, often under the name .mp4
    if head.startswith((b"\0\0\1\xba", b"IMKH")):
        return "mpeg"
    for stride in (188, 192):  # 192: with the time stamp of a disc recorder before each packet
        for first in range(stride):
            marks = head[first : first + 5 * stride : stride]
            if len(marks) == 5 and marks == b"\x47" * 5:
                return "mpegts"
    return None


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a letter cut at its end is no fault
    except UnicodeDecodeError:
        return False
    return True
