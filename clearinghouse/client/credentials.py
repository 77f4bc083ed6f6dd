"""How a client proves who it is: with a secret, or with an assertion that it signs (``private_key_jwt``, RFC 7523)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import uuid4

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 120
_ALGORITHMS = {"Ed25519": "Ed25519", "P-256": "ES256", "P-384": "ES384"}
_KEY_TYPES: tuple[Literal["OKP", "EC", "RSA"], ...] = ("OKP", "EC", "RSA")

#: Signs the claims of an assertion: returns them as a compact JWT.
Signer = Callable[[Mapping[str, Any]], str]


class Credentials(Protocol):
    """Proves who a client is."""

    def form(self, base_url: str) -> dict[str, str]:
        """Return what a token request says of it; another time it may be something else."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client id with its secret."""

    client_id: str
    secret: str = field(repr=False)

    def form(self, base_url: str) -> dict[str, str]:  # noqa: ARG002  every proof is asked alike
        """Return id and secret."""
        return {"client_id": self.client_id, "client_secret": self.secret}


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A client id with a key that never leaves its owner: ``PrivateKey(client_id, signer(pem))``.

    ``sign`` may as well ask a security module. ``audience`` is the public address of the service, if it is
    reached by another one. The machine's clock must be right to half a minute.
    """

    client_id: str
    sign: Signer = field(repr=False)
    audience: str | None = None

    def form(self, base_url: str) -> dict[str, str]:
        """Return a new assertion, which is good once."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience or base_url,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": uuid4().hex,
        }
        return {
            "client_id": self.client_id,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self.sign(claims),
        }


def signer(private_key: str) -> Signer:
    """Return what signs with a private key (PEM or JWK): Ed25519, P-256, P-384 or RSA. Needs joserfc.

    Raises:
        ValueError: it is none of these.
    """
    from joserfc import jwk, jwt  # noqa: PLC0415  whoever has a secret needs none of it
    from joserfc.errors import JoseError  # noqa: PLC0415  only who signs needs it

    def imported() -> jwk.Key:
        if private_key.lstrip().startswith("{"):
            return jwk.import_key(json.loads(private_key))
        for key_type in _KEY_TYPES:
            try:
                return jwk.import_key(private_key, key_type)
            except (JoseError, ValueError, TypeError, AttributeError):
                continue
        raise ValueError("no such kind")

    try:
        key = imported()
        algorithm = (
            _ALGORITHMS[key.curve_name] if isinstance(key, jwk.OKPKey | jwk.ECKey) else "PS256"
        )
        if not key.is_private or isinstance(key, jwk.OctKey):
            raise ValueError("not private")
    except (JoseError, ValueError, KeyError, TypeError):
        raise ValueError("the key is no private key of Ed25519, P-256, P-384 or RSA") from None

    def sign(claims: Mapping[str, Any]) -> str:
        return jwt.encode(
            {"alg": algorithm, "typ": "JWT"}, dict(claims), key, algorithms=[algorithm]
        )

    return sign
