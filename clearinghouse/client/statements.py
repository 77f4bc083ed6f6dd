"""Proving that a statement is the clearing house's own, and of which month and party."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clearinghouse.client.signatures import SignatureInvalid

_TYPE = "clearinghouse-file+jws"
_ALGORITHM = "Ed25519"
_PURPOSE = "statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """What a signature proves of a file: the month, whose it is, its place in the month's folder, and by which key."""

    period: str
    party: str
    path: str
    kid: str


def verify_statement(
    keys: Mapping[str, Any], signature: bytes, content: bytes, *, period: str | None = None
) -> SignedFile:
    """Return what a signature says of a published file, once one of the keys proves it. Needs joserfc.

    ``keys`` is the clearing house's JWK set, as ``client.periods.keys()`` returns it: keep it, and the file can be
    proved without the service for ever. Given ``period``, a file of another month is refused; otherwise look at what
    is returned, since a statement of last month is signed as well.

    Raises:
        SignatureInvalid: nothing proves it, it was changed, or its key was compromised.
    """
    # Whoever proves nothing needs none of it.
    from joserfc import jwk, jws  # noqa: PLC0415  only who verifies needs it
    from joserfc.errors import JoseError  # noqa: PLC0415  only who verifies needs it

    try:
        header = jws.extract_compact(signature.strip()).headers()
        if (header.get("typ"), header.get("alg")) != (_TYPE, _ALGORITHM):
            raise SignatureInvalid("it is no signature of a published file")
        kid = str(header.get("kid"))
        key = _key(keys, kid)
        found = jws.deserialize_compact(
            signature.strip(), jwk.OKPKey.import_key(key), algorithms=[_ALGORITHM]
        )
        claims = json.loads(found.payload)
        signed = SignedFile(
            period=claims["period"], party=claims["party"], path=claims["path"], kid=kid
        )
        digest, size = claims["sha256"], claims["size"]
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as reason:
        if isinstance(reason, SignatureInvalid):
            raise
        raise SignatureInvalid("the signature does not hold") from None
    if (digest, size) != (hashlib.sha256(content).hexdigest(), len(content)):
        raise SignatureInvalid("the file is not the one that was signed")
    if period not in (None, signed.period):
        raise SignatureInvalid(f"the file is of {signed.period}, not of {period}")
    return signed


def _key(keys: Mapping[str, Any], kid: str) -> dict[str, Any]:
    for key in keys["keys"]:
        if key.get("kid") == kid and key.get("purpose") == _PURPOSE:
            if "revoked" in key:
                raise SignatureInvalid("the key was compromised: fetch the signature again")
            # Members of ours mean nothing to a library.
            return {name: key[name] for name in ("kty", "crv", "x", "kid")}
    raise SignatureInvalid("the key of the signature is not among those of published files")
