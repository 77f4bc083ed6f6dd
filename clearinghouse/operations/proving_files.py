"""Checks of published files that need more than SQL: their signatures, and their sums (domain.md §5.7, §5.8)."""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.compact_jws import Unreadable
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.domain.signing import opened
from clearinghouse.operations.footing import prove_footing
from clearinghouse.operations.key_sets import KeySet, key_set_of
from clearinghouse.operations.signing import claims_of
from clearinghouse.operations.signing_keys import STATEMENTS, published
from clearinghouse.store import keys, periods, signatures
from clearinghouse.store.checks.check import Check, Finding
from clearinghouse.store.database import Session
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.signatures import Signed


def _signatures(session: Session) -> Finding:
    try:
        known = key_set_of(
            [published(key, STATEMENTS) for key in keys.public_keys(session, STATEMENTS)]
        )
    except Unreadable:
        return Finding(0, 1, "a signing key is not the one that its id names")
    wrong, proved, looked_at = [], set(), 0
    for signed in signatures.all_signatures(session):
        looked_at += 1
        reason = _why_not(signed, known)
        if reason is not None:
            wrong.append(f"{_named(signed.period, signed.file.path)} {reason}")
        elif not known[signed.kid].revoked:
            proved.add((signed.period, signed.file.path))
    wrong += [
        f"{_named(period, path)} has no signature that counts"
        for period, path in signatures.published_paths(session)
        if (period, path) not in proved
    ]
    return Finding(looked_at, len(wrong), wrong[0] if wrong else None)


def _why_not(signed: Signed, known: KeySet) -> str | None:
    """Say what is wrong with a stored signature; ``None`` if it holds for the file as the books have it."""
    try:
        envelope = opened(signed.signature.encode())
    except Unreadable:
        return "has a signature that can't be read"
    key = known.get(envelope.kid)
    if key is None or envelope.kid != signed.kid or not key.holds(envelope):
        return "has a signature that does not hold"
    if envelope.claims != claims_of(signed.period, signed.file):
        return "has a signature of something else"
    return None


def _footing(session: Session) -> Finding:
    wrong, looked_at = [], 0
    for period in _published(session):
        try:
            looked_at += prove_footing(session, period, lines=True).systems + 1
        except BooksDoNotBalance as reason:
            wrong.append(reason.message)
        except (ValueError, KeyError, TypeError, IndexError):
            wrong.append(f"a statement of {format_period(period)} can't be read")
    return Finding(looked_at, len(wrong), wrong[0] if wrong else None)


def _published(session: Session) -> Iterator[int]:
    yield from (row.period for row in periods.periods(session) if row.state in PUBLISHED)


def _named(period: int, path: str) -> str:
    return f"{path} of {format_period(period)}"


SIGNATURES_HOLD = Check(
    "7.5",
    "文件签名有效",
    "Every published file has a signature, and every signature holds",
    "signatures",
    _signatures,
)

STATEMENTS_FOOT = Check(
    "8.3",
    "账单逐行相加",
    "Every statement's lines sum to its totals, and all statements to the operator's",
    "statements",
    _footing,
)

FILE_CHECKS = (SIGNATURES_HOLD, STATEMENTS_FOOT)
