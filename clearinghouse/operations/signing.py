"""Signing the files of a period, once they are stored and before anybody sees them (domain.md §4 "published")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.domain.signing import Claims, sealed, to_sign
from clearinghouse.operations import signing_keys
from clearinghouse.operations.changing import Authority, fit_authority, log
from clearinghouse.operations.context import Context
from clearinghouse.store import frozen, keys, signatures
from clearinghouse.store.database import Session
from clearinghouse.store.periods import PUBLISHED
from clearinghouse.store.signatures import FileToSign

#: The party of files that are the clearing house's own.
OPERATOR = "OPERATOR"


def claims_of(period: int, file: FileToSign) -> Claims:
    """Return what a signature of a stored file says."""
    party = file.system_code or OPERATOR
    return Claims(format_period(period), file.path, party, file.sha256, file.size)


def sign_files(context: Context, session: Session, period: int, at: datetime) -> None:
    """Sign every stored file of a period with the key that was fixed when it was closing.

    Nothing happens to files that have a signature of that key. Ed25519 draws no random number, so a run that is
    resumed gives the same bytes.

    Raises:
        LookupError: the period has no key.
        ConfigError: the key was sealed with another master key.
    """
    # Held to the end: a key that is found to be compromised meanwhile is found before or after, never between.
    keys.hold_keys(session)
    fixed = signatures.key_of(session, period)
    if fixed is None:
        raise LookupError(f"no key was fixed for {format_period(period)}")
    kid = fixed[0]
    private = signing_keys.private_key(context, session, kid)

    def made() -> Iterator[tuple[str, str]]:
        for file in signatures.files_to_sign(session, period, kid):
            signed = to_sign(kid, claims_of(period, file))
            yield file.path, sealed(signed, private.sign(signed)).decode()

    signatures.add(session, period, kid, made(), at)


def sign_anew(
    context: Context, authority: Authority, watch: Callable[[int, int], None] | None = None
) -> list[int]:
    """Sign the published periods anew whose keys are all compromised; each is committed, so it can be run again.

    What is signed is what was published: every stored byte is hashed again first.

    Returns the periods that were signed.

    Raises:
        BooksDoNotBalance: a stored file is not what was published; nothing of its period is signed.
        OperatorRefused: who does it or why is missing.
    """
    authority = fit_authority(authority)
    with context.database.office() as session:
        waiting = signatures.periods_without_key(session, PUBLISHED)
    for done, period in enumerate(waiting):
        if watch:
            watch(done, len(waiting))
        with context.database.office() as session:
            _must_be_whole(session, period)
            at = context.clock()
            signing_keys.fix_key(context, session, period, at)
            sign_files(context, session, period, at)
            log(session, at, authority, "keys.resign", f"period {format_period(period)}", {})
    return waiting


def _must_be_whole(session: Session, period: int) -> None:
    for file in frozen.stored_files(session, period):
        digest, size = sha256(), 0
        for block in frozen.file_chunks(session, period, file.path):
            digest.update(block)
            size += len(block)
        if (digest.hexdigest(), size) != (file.sha256, file.size):
            raise BooksDoNotBalance(
                f"{file.path} of {format_period(period)} is not what was published; it is not signed"
            )
