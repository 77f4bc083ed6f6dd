"""Reading the alliance's directory, and remembering it until something in it changes."""

from __future__ import annotations

from threading import Lock

from clearinghouse.domain.directory import Directory, Hotel, RulebookInForce, System, Tier
from clearinghouse.domain.rulebook import rulebook_from_document
from clearinghouse.store.database import Session
from clearinghouse.store.standings import standings


class DirectoryCache:
    """Keeps the newest directory of one database; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version = 0
        self._directory: Directory | None = None

    def current(self, session: Session) -> Directory:
        """Return the directory as this transaction sees it."""
        row = session.row(session.prepared("SELECT number FROM directory_version"))
        return self.at(session, row[0] if row else 0)

    def at(self, session: Session, version: int) -> Directory:
        """Return the directory of a version that this transaction has read."""
        with self._lock:
            if self._directory is None or version != self._version:
                self._directory = read_directory(session)
                self._version = version
            return self._directory


def read_directory(session: Session) -> Directory:
    """Read systems, hotels, memberships, tiers, rulebooks and acceptances."""
    systems = session.rows(
        "SELECT number, code, name_zh, name_en, uscc, bank_account FROM systems ORDER BY code"
    )
    memberships: dict[int, list[tuple[object, int]]] = {}
    for hotel, effective_from, system in session.rows(
        "SELECT hotel, effective_from, system FROM memberships ORDER BY hotel, effective_from"
    ):
        memberships.setdefault(hotel, []).append((effective_from, system))
    hotels = session.rows("SELECT number, code FROM hotels ORDER BY code")
    tiers = session.rows(
        "SELECT system, code, effective_from, name_zh, name_en, rank, alliance_level, earn_ppm,"
        " discount_percent, benefits FROM tiers"
    )
    accepted: dict[int, set[int]] = {}
    for rulebook, system in session.rows("SELECT rulebook, system FROM acceptances"):
        accepted.setdefault(rulebook, set()).add(system)
    rulebooks = session.rows("SELECT number, document FROM rulebooks")
    caps = session.rows(
        "SELECT number, net_debit_cap_minor FROM systems WHERE net_debit_cap_minor IS NOT NULL"
    )
    return Directory(
        systems=[System(*row) for row in systems],
        hotels=[
            Hotel(number, code, tuple(memberships.get(number, ())))  # type: ignore[arg-type]  # rows have no types
            for number, code in hotels
        ],
        tiers=[Tier(*(*row[:-1], tuple(row[-1]))) for row in tiers],
        rulebooks=[
            RulebookInForce(
                number, rulebook_from_document(document), frozenset(accepted.get(number, ()))
            )
            for number, document in rulebooks
        ],
        caps=dict(caps),
        standings=standings(session),
    )


def directory_changed(session: Session) -> None:
    """Tell all processes to read the directory again, once this transaction is committed."""
    session.run("UPDATE directory_version SET number = number + 1")
