"""What a party sees of the months: how far each is, and its own figures and statements once they are published.

Read under row-level security, and by the party's own name: another system's files are not there (domain.md §4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.errors import NotFound, SystemClientNeeded
from clearinghouse.domain.netting import Position
from clearinghouse.domain.signing import SigningKey
from clearinghouse.operations.context import Context
from clearinghouse.operations.party import Party
from clearinghouse.operations.signing_keys import STATEMENTS, shown
from clearinghouse.store import frozen, keys, periods, signatures
from clearinghouse.store.database import Session
from clearinghouse.store.periods import PUBLISHED
from settlement.paths import debit_note_path, statement_path
from settlement.statements.formats import FORMATS
from settlement.statements.statement import OPERATOR
from settlement.whole import whole


@dataclass(frozen=True, slots=True)
class PeriodSeen:
    """A period; ``position`` (a member's own) and ``formats`` are there once it is published."""

    period: int
    state: str
    published_at: datetime | None
    position: Position | None
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A published statement: what it is called, its SHA-256, its size, and its bytes as they were published.

    ``content`` breaks off before its end if they are other bytes.
    """

    name: str
    sha256: str
    size: int
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A published file of a party, and by which key it is signed, when; ``None`` where no signature is there.

    ``format_name`` is ``None`` for the debit note. ``withdrawn`` tells that somebody else may have had the key.
    """

    format_name: str | None
    size: int
    sha256: str
    rows: int | None
    key: SigningKey | None
    signed_at: datetime | None
    withdrawn: bool


def periods_seen(
    context: Context, party: Party, *, before: int | None, most: int
) -> list[PeriodSeen]:
    """Return up to ``most`` periods, the newest first; given ``before``, only older ones.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
    """
    code = own_code(context, party)
    with seeing(context, party) as session:
        rows = periods.newest(session, before=before, most=most)
        done = [row.period for row in rows if row.state in PUBLISHED]
        own = {} if party.system is None else frozen.positions_of(session, party.system, done)
        paths = {statement_path(code, name): name for name in FORMATS}
        files = frozen.files_at(session, done, list(paths))
    return [
        PeriodSeen(
            row.period,
            row.state,
            row.published_at,
            own.get(row.period),
            tuple(sorted(paths[file.path] for file in files.get(row.period, ()))),
        )
        for row in rows
    ]


def own_statement(context: Context, party: Party, period: int, format_name: str) -> StatementFile:
    """Return the party's statement of a period in one format.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, it has no statement of this party, or there is no such format.
    """
    code = own_code(context, party)
    path = statement_path(code, format_name) if format_name in FORMATS else None
    found = None if path is None else _own_file(context, party, period, path)
    if path is None or found is None:
        raise NotFound(f"there is no such statement for {format_period(period)}")
    ending = path.removeprefix(f"statements/{code}")
    return _opened(context, party, period, found, f"{code}-{format_period(period)}{ending}")


def own_debit_note(context: Context, party: Party, period: int) -> StatementFile:
    """Return the debit note by which the party is asked to pay for a period.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, or the party has nothing to pay for it.
    """
    code = own_code(context, party)
    found = _own_file(context, party, period, debit_note_path(code))
    if found is None:
        raise NotFound(f"there is no debit note for {format_period(period)}")
    return _opened(context, party, period, found, f"{code}-{format_period(period)}-debit-note.pdf")


def own_files(context: Context, party: Party, period: int) -> tuple[OwnFile, ...]:
    """Return the party's files of a period as they were published: its statement in every format, and a debit note.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, or it has no statement of this party.
    """
    code = own_code(context, party)
    names: dict[str, str | None] = {statement_path(code, name): name for name in FORMATS}
    names[debit_note_path(code)] = None
    with seeing(context, party) as session:
        published = periods.state_of(session, period) in PUBLISHED
        found = frozen.files_at(session, [period], list(names)).get(period) if published else None
        signed = signatures.signed_by(session, period, list(names))
    if not found:
        raise NotFound(f"there is no such statement for {format_period(period)}")
    with context.database.posting() as session:
        known = {key.kid: key for key in keys.public_keys(session, STATEMENTS)}
    order = list(names)
    return tuple(
        _own(names[file.path], file, signed.get(file.path), known)
        for file in sorted(found, key=lambda file: order.index(file.path))
    )


def _own(
    name: str | None,
    file: frozen.StoredFile,
    signed: tuple[str, datetime] | None,
    known: Mapping[str, keys.PublicKey],
) -> OwnFile:
    key = known.get(signed[0]) if signed else None
    return OwnFile(
        name,
        file.size,
        file.sha256,
        file.rows,
        None if key is None else shown(key.kid, key.public_key),
        signed[1] if signed else None,
        key is not None and key.compromised_at is not None,
    )


def own_signature(context: Context, party: Party, period: int, format_name: str | None) -> bytes:
    """Return the signature of the party's statement in one format, or (``None``) of its debit note.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
        NotFound: the period is not published, or has no such file of this party.
    """
    code = own_code(context, party)
    path = None
    if format_name is None:
        path = debit_note_path(code)
    elif format_name in FORMATS:
        path = statement_path(code, format_name)
    if path is not None and _own_file(context, party, period, path) is not None:
        with seeing(context, party) as session:
            signature = signatures.signature_of(session, period, path)
        if signature is not None:
            return signature
    raise NotFound(f"there is no such signature for {format_period(period)}")


def any_file(context: Context, period: int, path: str) -> StatementFile:
    """Return any published file of a period, for the clearing house itself.

    Raises:
        NotFound: the period is not published, or has no such file.
    """
    house = Party(0, None, None, frozenset())
    found = _own_file(context, house, period, path)
    if found is None:
        raise NotFound(f"there is no such file for {format_period(period)}")
    name = f"{format_period(period)}-{path.rpartition('/')[2]}"
    return _opened(context, house, period, found, name)


def _own_file(context: Context, party: Party, period: int, path: str) -> frozen.StoredFile | None:
    with seeing(context, party) as session:
        published = periods.state_of(session, period) in PUBLISHED
        found = frozen.files_at(session, [period], [path]).get(period) if published else None
    return found[0] if found else None


def _opened(
    context: Context, party: Party, period: int, file: frozen.StoredFile, name: str
) -> StatementFile:
    chunks = _content(context, party, period, file.path)
    return StatementFile(name, file.sha256, file.size, whole(period, file, chunks))


def _content(context: Context, party: Party, period: int, path: str) -> Iterator[bytes]:
    # A transaction a chunk: whoever reads slowly must not hold a connection meanwhile. Published bytes never change.
    for chunk in count():
        with seeing(context, party) as session:
            part = frozen.file_chunk(session, period, path, chunk)
        if part is None:
            return
        yield part


def own_code(context: Context, party: Party) -> str:
    """Return the code under which the party's files lie.

    Raises:
        SystemClientNeeded: the client is bound to some hotels of its system.
    """
    if party.hotels is not None:
        raise SystemClientNeeded(
            "a statement is of the whole system, and this client of some hotels"
        )
    if party.system is None:
        return OPERATOR
    with context.database.posting() as session:
        return context.directory.current(session).systems[party.system].code


def seeing(context: Context, party: Party) -> AbstractContextManager[Session]:
    """Open what the party may see: its own system's rows; the operator's are nobody's."""
    database = context.database
    return database.office() if party.system is None else database.reading(party.system)
