"""What is evidence and what pretends to be: files are told by what is in them."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.dispute_errors import EvidenceRefused
from clearinghouse.domain.evidence import MEDIA_TYPES, check_content, check_name


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n"
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND")
)
JPEG = b"\xff\xd8\xff\xe0\x00\x04JF\xff\xda\x00\x02\x00\xff\x00\x12\xff\xd9"
HTML = b"<!doctype html><script>alert(1)</script>"
CSV = "日期,金额\n2026-10-03,4.00\n".encode()
GOOD = {
    "application/pdf": PDF,
    "image/png": PNG,
    "image/jpeg": JPEG,
    "text/csv": CSV,
    "text/plain": b"seen\n",
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_sound_is_taken_as_what_it_is_and_nothing_else(kind: str) -> None:
    check_content(GOOD[kind], kind)
    for other in set(MEDIA_TYPES) - {kind}:
        if not (kind.startswith("text/") and other.startswith("text/")):
            with pytest.raises(EvidenceRefused):
                check_content(GOOD[kind], other)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (HTML, "image/png"),
        (HTML, "text/plain"),
        (b"\n \xef\xbb\xbf<svg/>", "text/csv"),
        (PNG + HTML, "image/png"),
        (PNG[:-12], "image/png"),
        (PNG.replace(b"IDAT", b"IDAX"), "image/png"),
        (b"\x89PNG\r\n\x1a\n" + HTML, "image/png"),
        (JPEG + HTML, "image/jpeg"),
        (JPEG + HTML + b"\xff\xd9", "image/jpeg"),
        (b"\xff\xd8\xff" + HTML + b"\xff\xd9", "image/jpeg"),
        (PNG, "application/pdf"),
        (b"%PDF-1.7 without an end", "application/pdf"),
        (b"", "text/plain"),
        (b"a\x00b", "text/plain"),
        (b"\xff\xfea\x00", "text/plain"),
        (b"MZ\x90\x00", "text/csv"),
    ],
)
def test_what_pretends_is_refused(content: bytes, kind: str) -> None:
    with pytest.raises(EvidenceRefused):
        check_content(content, kind)


@given(st.binary(max_size=200), st.sampled_from(["", *GOOD]))
def test_nothing_makes_it_stumble(noise: bytes, begun: str) -> None:
    for kind in ("", "text/html", *MEDIA_TYPES):
        try:
            check_content(GOOD.get(begun, b"")[:40] + noise, kind)
        except EvidenceRefused:
            continue


@given(st.sampled_from([PNG, JPEG]), st.binary(min_size=1, max_size=50))
def test_nothing_hides_behind_a_picture(picture: bytes, behind: bytes) -> None:
    kind = "image/png" if picture == PNG else "image/jpeg"
    with pytest.raises(EvidenceRefused):
        check_content(picture + behind, kind)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a/b.pdf", "a\\b.pdf", "..", ".hidden", "a\x00.pdf", "a\r\nX: y", 'a".pdf', "x" * 121,
     "fdp\u202egnp.exe", "CON:", "trailing.", ""],
)  # fmt: skip
def test_a_name_leads_nowhere(name: str) -> None:
    with pytest.raises(EvidenceRefused):
        check_name(name)


@pytest.mark.parametrize("name", ["发票 2026-10.pdf", "a", "x" * 120, "scan (1).png"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert check_name(name) == name
