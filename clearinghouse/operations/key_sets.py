"""Published keys as a verifier holds them: a JWK set from a file, without a database or a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from clearinghouse.domain.compact_jws import Jws, Unreadable
from clearinghouse.domain.signing import (
    Envelope,
    SigningKey,
    fingerprint,
    public_bytes,
    thumbprint,
)
from clearinghouse.operations.signing_keys import STATEMENTS

#: A larger file holds no keys.
MAX_BYTES = 1 << 20


class KnownKey(NamedTuple):
    """A public key of one purpose; ``revoked`` if nothing that it signed counts any more."""

    key: SigningKey
    public: bytes
    revoked: bool

    def holds(self, envelope: Envelope | Jws) -> bool:
        """Tell whether a signature is one of this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(
                envelope.signature, envelope.signed
            )
        except (InvalidSignature, ValueError):
            return False
        return True


KeySet = Mapping[str, KnownKey]


class NotProved(Exception):
    """Something is not proved; one clear reason, in Chinese and in English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Remedy(NamedTuple):
    """What helps where a key was compromised, in Chinese and in English."""

    zh: str
    en: str


def proving_key(keys: KeySet, signed: Envelope | Jws, remedy: Remedy) -> SigningKey:
    """Return the key that proves a signature: it is among the keys, signed this, and counts.

    Raises:
        NotProved: none does; says why.
    """
    known = keys.get(signed.kid)
    if known is None:
        raise NotProved(
            f"密钥 {signed.kid} 不在所用的公钥里，请更新公钥",
            f"key {signed.kid} is not among the keys used; fetch the published keys again",
        )
    if not known.holds(signed):
        raise NotProved("签名不是这把密钥签的", "the signature is not one of the key that it names")
    if known.revoked:
        raise NotProved(
            f"密钥 {signed.kid} 已泄露作废，{remedy.zh}",
            f"key {signed.kid} was compromised and proves nothing; {remedy.en}",
        )
    return known.key


def key_set_of(keys: list[dict[str, Any]], purpose: str = STATEMENTS) -> KeySet:
    """Return the keys of published files, or of another purpose, among public keys (JWK), by their ids.

    Keys of other purposes are left out: a token's key proves no statement.

    Raises:
        Unreadable: a key is not the one that its id names.
    """
    return {known.key.kid: known for known in _known(keys, purpose)}


def read_key_set(text: bytes, purpose: str = STATEMENTS) -> KeySet:
    """Read a JWK set, as ``keys export`` and ``/.well-known/jwks.json`` give it.

    Raises:
        Unreadable: it is none, or a key in it is not the one that its id names.
    """
    try:
        document = json.loads(text) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        document = None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise Unreadable("it is no JWK set")
    found = key_set_of(keys, purpose)
    if not found:
        what = "published files" if purpose == STATEMENTS else f"the purpose {purpose}"
        raise Unreadable(f"it has no key of {what}")
    return found


def _known(keys: list[dict[str, Any]], purpose: str) -> Iterator[KnownKey]:
    for key in keys:
        if key.get("purpose", STATEMENTS) != purpose or key.get("kty") != "OKP":
            continue
        public = public_bytes(key)
        kid = thumbprint(public)
        if key.get("kid", kid) != kid:
            raise Unreadable("a key in it is not the one that its kid names")
        yield KnownKey(SigningKey(kid, fingerprint(public)), public, "revoked" in key)
