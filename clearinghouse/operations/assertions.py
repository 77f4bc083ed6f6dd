"""Signed assertions by which a client proves who it is: ``private_key_jwt`` (RFC 7523), public keys only.

The key decides the algorithm, never the assertion: one that names ``none``, an HMAC or another key's algorithm
is refused before anything is computed.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError, SecurityWarning

from clearinghouse.domain.errors import ClientRefused, OperatorRefused

warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

_LEEWAY = timedelta(seconds=30)
_MAX_LIFE = timedelta(minutes=10)
_MAX_BYTES = 8192
_MAX_JTI = 200
_RSA_BITS = 2048
#: ``EdDSA`` is what most libraries still call ``Ed25519`` (RFC 9864 deprecates the name, not the signature).
_ALGORITHMS = {
    ("OKP", "Ed25519"): ("Ed25519", "EdDSA"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("RSA", None): ("PS256", "RS256"),
}
_KINDS: tuple[tuple[type, Literal["OKP", "EC", "RSA"]], ...] = (
    (Ed25519PublicKey, "OKP"),
    (EllipticCurvePublicKey, "EC"),
    (RSAPublicKey, "RSA"),
)
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid")


@dataclass(frozen=True, slots=True)
class UsedAssertion:
    """What is remembered of an assertion so that it is good only once."""

    jti_hash: bytes
    expires_at: datetime


def fit_public_key(text: str) -> dict[str, Any]:
    """Return a public key that clients may sign with, as a JWK, from a JWK or from PEM.

    Raises:
        OperatorRefused: it is no key, a private one, or of a kind or size that is not accepted.
    """
    try:
        public = _from_pem(text) if text.lstrip().startswith("-----") else _from_jwk(text)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
        raise OperatorRefused(
            "the public key is neither PEM nor a JSON Web Key (RFC 7517)"
        ) from None
    if not _algorithms(public):
        raise OperatorRefused(
            "the public key must be Ed25519, P-256, P-384, or RSA of at least 2048 bits"
        )
    return dict(public.as_dict(private=False))


def claimed_client(assertion: str) -> str:
    """Return whose assertion it says it is. Nothing is proven by that.

    Raises:
        ClientRefused: it is no signed token.
    """
    if len(assertion) > _MAX_BYTES:
        raise ClientRefused("the assertion is too long")
    try:
        claims = json.loads(jws.extract_compact(assertion.encode()).payload)
        return str(claims["sub"])
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise ClientRefused("the assertion is not a signed token (RFC 7523)") from None


def check_assertion(
    assertion: str,
    keys: Sequence[Mapping[str, Any]],
    client_id: str,
    audiences: Collection[str],
    now: datetime,
) -> UsedAssertion:
    """Verify signature and claims with any of a client's keys.

    Raises:
        ClientRefused: a signature, name, audience or time does not hold.
    """
    for key in keys:
        claims = _verified(assertion, jwk.import_key(dict(key)))
        if claims is not None:
            break
    else:
        raise ClientRefused("the assertion's signature does not hold")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise ClientRefused('"iss" and "sub" of the assertion must both be the client id')
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(name, str) and name in audiences for name in named):
        raise ClientRefused("the assertion is meant for another audience")
    expires_at = _moment(claims.get("exp"), "exp")
    if not now - _LEEWAY < expires_at <= now + _MAX_LIFE + _LEEWAY:
        raise ClientRefused('"exp" of the assertion must lie in the next ten minutes')
    for name in ("nbf", "iat"):
        if name in claims and _moment(claims[name], name) > now + _LEEWAY:
            raise ClientRefused(f'"{name}" of the assertion lies in the future')
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise ClientRefused('the assertion needs a "jti", and another one each time')
    digest = hashlib.sha256(f"{client_id}\x00{jti}".encode("utf-8", "surrogatepass")).digest()
    return UsedAssertion(digest, expires_at + _LEEWAY)


def _from_jwk(text: str) -> jwk.Key:
    members = json.loads(text)
    if "d" in members:
        raise OperatorRefused("that is a private key; its owner keeps it and gives the public half")
    return jwk.import_key({name: members[name] for name in _PUBLIC_MEMBERS if name in members})


def _from_pem(text: str) -> jwk.Key:
    if "PRIVATE" in text:
        raise OperatorRefused("that is a private key; its owner keeps it and gives the public half")
    found = load_pem_public_key(text.encode())
    for kind, key_type in _KINDS:
        if isinstance(found, kind):
            return jwk.import_key(text, key_type)
    raise ValueError("no such kind")


def _verified(assertion: str, key: jwk.Key) -> dict[str, Any] | None:
    try:
        return dict(jwt.decode(assertion, key, algorithms=_algorithms(key)).claims)
    except (JoseError, ValueError, TypeError):
        return None


def _algorithms(key: jwk.Key) -> tuple[str, ...]:
    if isinstance(key, jwk.RSAKey):
        return _ALGORITHMS["RSA", None] if key.raw_value.key_size >= _RSA_BITS else ()
    if isinstance(key, jwk.OKPKey | jwk.ECKey):
        return _ALGORITHMS.get((key.key_type, key.curve_name), ())
    return ()


def _moment(value: object, name: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClientRefused(f'"{name}" of the assertion is no moment')
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise ClientRefused(f'"{name}" of the assertion is no moment') from None
