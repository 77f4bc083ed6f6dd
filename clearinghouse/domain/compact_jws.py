"""Compact JWS (RFC 7515) by Ed25519 keys, written in one way only: equal content and key give equal bytes.

Only those bytes are read again, so nothing hides in a member that is said twice, a space or another algorithm.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any, NamedTuple

ALGORITHM = "Ed25519"
#: A longer text is none of ours.
MAX_BYTES = 4096
SIGNATURE_BYTES = 64

_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_NOT_OURS = "it is not written as our signatures are"


class Unreadable(ValueError):
    """A text is no signature or key of ours; says why in a few words."""


class Jws(NamedTuple):
    """A signed text as it was read, nothing of it proved: ``signed`` is what ``signature`` must be of."""

    kid: str
    type: str
    content: Mapping[str, Any]
    signed: bytes
    signature: bytes


def to_sign(kid: str, type_: str, content: Mapping[str, Any]) -> bytes:
    """Return what the key signs: header and content, as a JWS has them."""
    header = {"alg": ALGORITHM, "kid": kid, "typ": type_}
    return encoded(compact(header)) + b"." + encoded(compact(content))


def sealed(signed: bytes, signature: bytes) -> bytes:
    """Return the whole text: what was signed, and the signature of it."""
    return signed + b"." + encoded(signature)


def opened(text: bytes) -> Jws:
    """Read a signed text; nothing that it says is proved by that.

    Raises:
        Unreadable: it is none that :func:`sealed` wrote.
    """
    parts = text.split(b".")
    if len(text) > MAX_BYTES or len(parts) != 3:
        raise Unreadable(_NOT_OURS)
    header, content, signature = (decoded(part) for part in parts)
    said, content_said = _object(header), _object(content)
    kid, type_ = said.get("kid"), said.get("typ")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise Unreadable("it names no key")
    signed = parts[0] + b"." + parts[1]
    ours = isinstance(type_, str) and signed == to_sign(kid, type_, content_said)
    if not ours or len(signature) != SIGNATURE_BYTES:
        raise Unreadable(_NOT_OURS)
    return Jws(kid, str(type_), content_said, signed, signature)


def compact(document: Mapping[str, Any]) -> bytes:
    """Write a document in its one way."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def encoded(raw: bytes) -> bytes:
    """Write bytes in base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=")


def decoded(text: bytes) -> bytes:
    """Read base64url in its one spelling.

    Raises:
        Unreadable: it is none.
    """
    try:
        raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        raise Unreadable("it is not base64url") from None
    if encoded(raw) != text:
        raise Unreadable("it is not base64url")
    return raw


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(_NOT_OURS) from None
    if not isinstance(found, dict):
        raise Unreadable(_NOT_OURS)
    return found
