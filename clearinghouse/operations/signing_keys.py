"""The keys of the clearing house: what it signs with, who has signed a period, and what everybody may see of it.

A key signs tokens, published files or codes of cards, never two of them. Keys are made at first use, sealed by the
vault, and their public halves stay published for ever: a statement must still be proved when its key has long been
replaced.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwk

from clearinghouse.domain.compact_jws import ALGORITHM
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.signing import (
    SigningKey,
    fingerprint,
    private_bytes,
    public_bytes,
)
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.store import keys, signatures
from clearinghouse.store.database import Session
from clearinghouse.store.keys import PublicKey

#: What a key is for; a public key says so, so that nobody takes a token's key for that of a statement.
TOKENS, STATEMENTS, CARDS = "token", "statement", "card"
_PURPOSES = (TOKENS, STATEMENTS, CARDS)
#: Periods that have a key, and no published file.
_UNDER_WAY = ("closing", "netted", "stated")


def make_key(context: Context, session: Session, purpose: str, now: datetime) -> str:
    """Make a key and record it; hold the keys (:func:`keys.hold_keys`) before. Returns its id."""
    key = jwk.OKPKey.generate_key("Ed25519")
    kid = key.thumbprint()
    private = json.dumps(key.as_dict(private=True)).encode()
    sealed = context.vault.seal(private, _place(kid))
    keys.add(session, kid, purpose, key.as_dict(private=False), sealed, now)
    return kid


def opened_key(context: Context, session: Session, kid: str) -> dict[str, Any]:
    """Return a private key as a JWK.

    Raises:
        ConfigError: it was sealed with another master key.
    """
    sealed = keys.sealed_key(session, kid)
    document: dict[str, Any] = json.loads(context.vault.unseal(sealed, _place(kid)))
    return document


def private_key(context: Context, session: Session, kid: str) -> Ed25519PrivateKey:
    """Return a private key, ready to sign.

    Raises:
        ConfigError: it was sealed with another master key.
    """
    key = opened_key(context, session, kid)
    return Ed25519PrivateKey.from_private_bytes(private_bytes(key))


def fix_key(context: Context, session: Session, period: int, at: datetime) -> None:
    """Fix the key that signs a period, in the transaction that closes it: a run that is resumed signs with the same.

    Nothing happens to a period that has one. The key is made at first use.

    Raises:
        ConfigError: the key was sealed with another master key, so nothing could be signed at the end of the run.
    """
    if signatures.key_of(session, period) is not None:
        return
    keys.hold_keys(session)
    kid = _current(context, session, STATEMENTS, at)
    private_key(context, session, kid)
    named = signatures.named_key(session, period) is None
    signatures.fix_key(session, period, kid, at, named=named)


def signing_key(session: Session, period: int) -> SigningKey | None:
    """Return the key that the files of a period name, as people see it; ``None`` before the period is closing.

    It is the one that signs them, unless it was compromised after they may have been made.
    """
    found = signatures.named_key(session, period)
    return None if found is None else shown(found[0], found[1])


def shown(kid: str, public_key: dict[str, Any]) -> SigningKey:
    """Return a key as people compare it."""
    return SigningKey(kid, fingerprint(public_bytes(public_key)))


def all_keys(context: Context, purpose: str) -> list[PublicKey]:
    """Return all keys that there ever were for a purpose, the newest first."""
    with context.database.office() as session:
        return keys.public_keys(session, purpose)


def published_keys(context: Context) -> list[dict[str, Any]]:
    """Return the public keys (JWK) of published files and of codes of cards, the newest first; none is ever left out.

    A compromised one says since when, as OpenID Federation has it (``revoked``).
    """
    with context.database.posting() as session:
        found = [(p, keys.public_keys(session, p)) for p in (STATEMENTS, CARDS)]
    return [published(key, purpose) for purpose, each in found for key in each]


def published(key: PublicKey, purpose: str) -> dict[str, Any]:
    """Return a public key as everybody sees it."""
    document = {**key.public_key, "kid": key.kid, "use": "sig", "alg": ALGORITHM}
    document |= {"purpose": purpose, "iat": int(key.created_at.timestamp())}
    if key.compromised_at is not None:
        at = int(key.compromised_at.timestamp())
        document["revoked"] = {"revoked_at": at, "reason": "compromised"}
    return document


def rotate(context: Context, purpose: str, authority: Authority, *, compromised: bool) -> str:
    """Sign with a new key from now on; the former one stays published.

    A period that is closing already keeps its key. With ``compromised`` somebody else may have the former key: tokens
    of it are refused at once, and no signature by it counts any more, so periods on their way get the new key and
    published ones need a new signature (:func:`clearinghouse.operations.signing.sign_anew`).

    Returns the id of the new key.

    Raises:
        OperatorRefused: who does it or why is missing.
    """
    authority, now = fit_authority(authority), context.clock()
    with context.database.office() as session:
        keys.hold_keys(session)
        if compromised:
            for key in keys.public_keys(session, purpose):
                if key.retired_at is None:
                    keys.compromise(session, key.kid, now)
        keys.retire(session, purpose, now)
        kid = make_key(context, session, purpose, now)
        if compromised:
            _replace_under_way(session, purpose, kid, now)
        details = {"purpose": purpose, "compromised": compromised}
        log(session, now, authority, "keys.rotate", f"key {kid}", details)
    return kid


def withdraw(context: Context, kid: str, authority: Authority) -> str:
    """Say of a key, also of one that was replaced long ago, that somebody else may have it; see :func:`rotate`.

    Returns what the key was for.

    Raises:
        NotFound: there is no such key.
        OperatorRefused: who does it or why is missing.
    """
    authority, now = fit_authority(authority), context.clock()
    with context.database.office() as session:
        keys.hold_keys(session)
        found = {
            key.kid: (purpose, key)
            for purpose in _PURPOSES
            for key in keys.public_keys(session, purpose)
        }
        if kid not in found:
            raise NotFound(f"there is no signing key {kid[:64]}")
        purpose, key = found[kid]
        keys.compromise(session, kid, now)
        if key.retired_at is None:
            keys.retire(session, purpose, now)
        _replace_under_way(session, purpose, _current(context, session, purpose, now), now)
        log(session, now, authority, "keys.withdraw", f"key {kid}", {"purpose": purpose})
    return purpose


def key_to_sign(
    context: Context, session: Session, purpose: str, now: datetime
) -> tuple[str, Ed25519PrivateKey]:
    """Return the key that signs for a purpose now, made at first use, with its id.

    Raises:
        ConfigError: it was sealed with another master key.
    """
    good = (key.kid for key in keys.public_keys(session, purpose) if key.retired_at is None)
    kid = next(good, None)
    if kid is None:
        keys.hold_keys(session)
        kid = _current(context, session, purpose, now)
    return kid, private_key(context, session, kid)


def _replace_under_way(session: Session, purpose: str, kid: str, now: datetime) -> None:
    """Let a key sign the unpublished periods whose key was compromised."""
    if purpose == STATEMENTS:
        for period in signatures.periods_without_key(session, _UNDER_WAY):
            # Nothing of a closing period is made. Its run reads the key when it is netted, after this or before.
            named = signatures.hold_state(session, period) == "closing"
            signatures.fix_key(session, period, kid, now, named=named)


def _current(context: Context, session: Session, purpose: str, now: datetime) -> str:
    """Return the key to sign with, made at first use; the caller holds the keys."""
    found = keys.public_keys(session, purpose)
    good = (key.kid for key in found if key.retired_at is None)
    return next(good, None) or make_key(context, session, purpose, now)


def _place(kid: str) -> str:
    return f"signing key {kid}"
