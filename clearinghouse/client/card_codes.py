"""Proving the code of a card at the desk while the service can't be reached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clearinghouse.client.signatures import SignatureInvalid

_TYPE = "clearinghouse-card+jws"
_ALGORITHM = "Ed25519"
_PURPOSE = "card"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedCard:
    """What a printed card proves: its last digits and alliance level, and until when.

    Points may be given freely. ``floor_minor`` is how many fen may be taken from the card in a day, all desks of the
    hotel together; at 0 nothing may. Whether the card was lost since it was printed, nobody can know offline.
    """

    last_digits: str
    level: int
    floor_minor: int
    issued_at: datetime
    expires_at: datetime
    kid: str


def verify_card(keys: Mapping[str, Any], code: str, *, at: datetime | None = None) -> PrintedCard:
    """Return what the code on a printed card says, once one of the keys proves it. Needs joserfc, and no network.

    ``keys`` is the clearing house's JWK set, as ``client.periods.keys()`` returns it: fetch it every day while you can.

    Raises:
        SignatureInvalid: nothing proves it, it has ended, or its key was compromised.
    """
    # Whoever proves nothing needs none of it.
    from joserfc import jwk, jws  # noqa: PLC0415  only who verifies needs it
    from joserfc.errors import JoseError  # noqa: PLC0415  only who verifies needs it

    try:
        text = code.strip().encode()
        header = jws.extract_compact(text).headers()
        if (header.get("typ"), header.get("alg")) != (_TYPE, _ALGORITHM):
            raise SignatureInvalid("it is no printed card")
        kid = str(header.get("kid"))
        found = jws.deserialize_compact(
            text, jwk.OKPKey.import_key(_key(keys, kid)), algorithms=[_ALGORITHM]
        )
        claims = json.loads(found.payload)
        card = PrintedCard(
            last_digits=claims["card"],
            level=claims["level"],
            floor_minor=claims["floor_minor"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            kid=kid,
        )
    except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as reason:
        if isinstance(reason, SignatureInvalid):
            raise
        raise SignatureInvalid("the signature does not hold") from None
    if (at or datetime.now(UTC)) >= card.expires_at:
        raise SignatureInvalid(f"the card's print ended at {card.expires_at.isoformat()}")
    return card


def _key(keys: Mapping[str, Any], kid: str) -> dict[str, Any]:
    for key in keys["keys"]:
        if key.get("kid") == kid and key.get("purpose") == _PURPOSE:
            if "revoked" in key:
                raise SignatureInvalid("the key was compromised: the guest has to print anew")
            # Members of ours mean nothing to a library.
            return {name: key[name] for name in ("kty", "crv", "x", "kid")}
    raise SignatureInvalid("the key is not among those of cards: fetch the keys again")
