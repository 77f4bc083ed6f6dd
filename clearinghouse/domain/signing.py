"""What a signature of a published file says, and how it is written: a compact JWS (decision 0021).

The signed text names the file's period, path, party, size and SHA-256, so a signature of one file or month can't be
shown for another, and a file of any size is checked as it streams by. Writing is canonical: equal claims and key give
equal bytes, and only those bytes are read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from clearinghouse.domain import compact_jws
from clearinghouse.domain.compact_jws import ALGORITHM, Unreadable, compact, decoded, encoded

TYPE = "clearinghouse-file+jws"
#: A signature lies beside its file under the file's name with this at its end.
SUFFIX = ".sig"

_PUBLIC_KEY_BYTES = 32
#: What comes before the 32 bytes of an Ed25519 key in its DER SubjectPublicKeyInfo (RFC 8410).
_DER_PREFIX = bytes.fromhex("302a300506032b6570032100")
_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_PARTY = re.compile(r"\w[\w.-]{0,63}")
_PATH = re.compile(r"\w[\w.-]{0,99}(/\w[\w.-]{0,99}){0,3}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SigningKey(NamedTuple):
    """A key as people compare it; the fingerprint is the SHA-256 of its DER form, in groups of four hex digits."""

    kid: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What is signed of a file: ``party`` is the code of whom it is for, ``path`` its place in the period's folder."""

    period: str
    path: str
    party: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signature as it was read, nothing of it proved: ``signed`` is what ``signature`` must be of."""

    kid: str
    claims: Claims
    signed: bytes
    signature: bytes


def fingerprint(public_key: bytes) -> str:
    """Return the fingerprint of a raw public key: the same as of ``openssl pkey -pubin -outform DER | sha256sum``."""
    digits = sha256(_DER_PREFIX + public_key).hexdigest().upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def thumbprint(public_key: bytes) -> str:
    """Return the id of a raw public key (RFC 7638)."""
    return encoded(
        sha256(
            compact({"crv": ALGORITHM, "kty": "OKP", "x": encoded(public_key).decode()})
        ).digest()
    ).decode()


def public_bytes(jwk: dict[str, Any]) -> bytes:
    """Return the raw public key of a JWK.

    Raises:
        Unreadable: it is no Ed25519 key.
    """
    if (jwk.get("kty"), jwk.get("crv")) != ("OKP", ALGORITHM):
        raise Unreadable("it is no Ed25519 key")
    raw = decoded(str(jwk.get("x")).encode())
    if len(raw) != _PUBLIC_KEY_BYTES:
        raise Unreadable("it is no Ed25519 key")
    return raw


def private_bytes(jwk: dict[str, Any]) -> bytes:
    """Return the raw private key of a JWK."""
    return decoded(str(jwk["d"]).encode())


def to_sign(kid: str, claims: Claims) -> bytes:
    """Return what the key signs: the header and the claims, as a JWS has them."""
    return compact_jws.to_sign(kid, TYPE, asdict(claims))


def sealed(signed: bytes, signature: bytes) -> bytes:
    """Return the signature file: what was signed, and the signature of it."""
    return compact_jws.sealed(signed, signature)


def opened(text: bytes) -> Envelope:
    """Read a signature file; nothing that it says is proved by that.

    Raises:
        Unreadable: it is none that :func:`sealed` wrote.
    """
    read = compact_jws.opened(text.strip())
    if read.type != TYPE:
        raise Unreadable("it is no signature of a published file")
    claims = _claims(read.content)
    # A member more than the claims have would be one that nobody reads.
    if read.signed != to_sign(read.kid, claims):
        raise Unreadable("it is not written as our signatures are")
    return Envelope(read.kid, claims, read.signed, read.signature)


def _claims(document: Mapping[str, Any]) -> Claims:
    fits = {"period": _PERIOD, "path": _PATH, "party": _PARTY, "sha256": _SHA256}
    size = document.get("size")
    for name, pattern in fits.items():
        value = document.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Unreadable(f"it says no {name}")
    if type(size) is not int or size < 0:
        raise Unreadable("it says no size")
    return Claims(**{name: document[name] for name in fits}, size=size)
