"""Evidence: which files a dispute takes, told by what is in them and not by what they are called (domain.md §4).

A file that pretends to be another kind is refused: somebody at the other system is going to open it. A PNG or JPEG is
walked through to its end, with nothing before or behind it, so that no page or programme can hide there.
"""

from __future__ import annotations

import re
import zlib

from clearinghouse.domain.dispute_errors import EvidenceRefused

#: What one file may have at most, and how many one party may bring to one dispute.
BYTES_MAX = 5 << 20
FILES_MAX = 20
NAME_MAX = 120
#: A name is one part of a path, and not one that leads up or hides.
NAME_PATTERN = (
    r'^(?!\.)[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\:*?"<>|]+(?<![ .])$'
)

PDF, PNG, JPEG, CSV, TEXT = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "text/csv",
    "text/plain",
)
MEDIA_TYPES = (PDF, PNG, JPEG, CSV, TEXT)

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
#: How far from its end a PDF says that it ends.
_PDF_TAIL = 1024
#: What a browser passes over before it sees a page.
_BLANK = " \t\r\n\ufeff"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NAME = re.compile(NAME_PATTERN.removesuffix("$") + r"\Z")


def check_name(name: str) -> str:
    """Return a file's name if it can be one anywhere.

    Raises:
        EvidenceRefused: it leads elsewhere, hides, or has what no system takes.
    """
    if len(name) > NAME_MAX or not _NAME.match(name):
        raise EvidenceRefused("the name of the file has to be a plain one, without a path")
    return name


def check_content(content: bytes, media_type: str) -> None:
    """Pass a file that is of the kind that it is said to be.

    Raises:
        EvidenceRefused: it is not, is empty, or is of a kind that is not taken.
    """
    looks = {PDF: _is_pdf, PNG: _is_png, JPEG: _is_jpeg, CSV: _is_text, TEXT: _is_text}
    check = looks.get(media_type)
    if check is None:
        raise EvidenceRefused("evidence is PDF, PNG, JPEG, CSV or plain text")
    if not check(content):
        raise EvidenceRefused(f"the file is no sound {media_type}")


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-_PDF_TAIL:]


def _is_png(content: bytes) -> bool:
    """Walk through the chunks: the header first, the end last, every checksum right, and nothing behind."""
    at = len(_PNG_SIGNATURE)
    if not content.startswith(_PNG_SIGNATURE):
        return False
    first = True
    while at + 12 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(content) or first != (kind == b"IHDR"):
            return False
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return False
        if kind == b"IEND":
            return end == len(content)
        at, first = end, False
    return False


def _is_jpeg(content: bytes) -> bool:
    """Walk through the segments to the scan; behind it the picture goes on to the very end of the file."""
    at = 2
    if not content.startswith(b"\xff\xd8\xff") or not content.endswith(bytes((0xFF, _JPEG_END))):
        return False
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _JPEG_ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _JPEG_SCAN:
            # Inside the picture's data no marker looks like its end.
            return content.find(bytes((0xFF, _JPEG_END)), at) == len(content) - 2
        if marker < 0xC0 or marker == _JPEG_END:
            return False
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return False


def _is_text(content: bytes) -> bool:
    """Tell whether it is UTF-8 without control characters that does not begin as a page does."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    plain = text.replace("\r\n", "").replace("\n", "").replace("\t", "").replace("\r", "")
    return (
        bool(text.strip())
        and not _CONTROL.search(plain)
        and not text.lstrip(_BLANK).startswith("<")
    )
