"""Proving the books: every invariant of domain.md §5, from the tables, at any time and beside live traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from clearinghouse.operations.context import Context
from clearinghouse.operations.proving_files import FILE_CHECKS
from clearinghouse.store.checks import CHECKS, Check

#: Every check, in the order of the numbers: one query each, and those that need more than SQL.
ALL_CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (*CHECKS, *FILE_CHECKS), key=lambda check: [int(part) for part in check.number.split(".")]
    )
)
#: Checks that run side by side; each is one query on one core.
_LANES = 2

#: Told how many checks are done, and of how many: before the first of them and after each.
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Proof:
    """One invariant, and whether it holds.

    ``checked`` is how many rows were looked at. ``detail`` says what they are, or in one sentence what is
    wrong first; it names hotels, systems and numbers of the books, never a person or a card.
    """

    number: str
    name_zh: str
    name_en: str
    holds: bool
    checked: int
    detail: str


def prove(context: Context, watch: Watch | None = None) -> Iterator[Proof]:
    """Judge every invariant and yield the proofs in the order of their numbers, each as soon as it is there.

    Every check sees one snapshot of the books and changes nothing, so nobody has to stop for it.
    """
    if watch:
        watch(0, len(ALL_CHECKS))
    with ThreadPoolExecutor(_LANES) as lanes:
        proofs = lanes.map(lambda check: _prove(context, check), ALL_CHECKS)
        for done, proof in enumerate(proofs, start=1):
            if watch:
                watch(done, len(ALL_CHECKS))
            yield proof


def _prove(context: Context, check: Check) -> Proof:
    with context.database.office() as session:
        found = check.run(session)
    detail = f"{found.rows:,} {check.unit}" if found.first is None else found.first
    if found.wrong > 1:
        detail = f"{detail} ({found.wrong - 1:,} more)"
    return Proof(check.number, check.name_zh, check.name_en, found.wrong == 0, found.rows, detail)
