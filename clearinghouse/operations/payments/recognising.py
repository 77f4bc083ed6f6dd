"""Recognising what another file of the bank told before: an entry is posted once, however it is told again.

An entry is known by the bank's own reference and its direction, in one sum or in its parts. References that differ
in capitals only are one if date and amount are the same, too: some systems of a bank turn letters into capitals.
"""

from __future__ import annotations

from collections.abc import Sequence

from clearinghouse.domain.errors import BankFileFault
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.payments.bank_file import FileLine
from clearinghouse.operations.payments.reading import BankFile
from clearinghouse.store.database import Session
from clearinghouse.store.payments import lines
from clearinghouse.store.payments.lines import KnownLine


def new_lines(session: Session, file: BankFile) -> list[FileLine]:
    """Return the lines of a file that are not on record.

    Raises:
        BankFileFault: one is, with another date or amount.
    """
    entries: dict[tuple[str, bool], list[FileLine]] = {}
    for line in file.content.lines:
        entries.setdefault((line.own_reference, line.incoming), []).append(line)
    known = _Known(session, file)
    new = []
    for parts in entries.values():
        before = known.of_the_same_name(parts)
        if before and not _tell_the_same(before, parts):
            raise BankFileFault(
                f"the entry {shown(parts[0].own_reference)} was imported before with another date or"
                " amount; ask the bank which is right",
                f"{shown(file.name)}: {parts[0].place}",
            )
        if not before and not any(
            _tell_the_same(one, parts) for one in known.spelled_otherwise(parts)
        ):
            new.extend(parts)
    return new


class _Known:
    """What is on record under the references of a file, by entry."""

    def __init__(self, session: Session, file: BankFile) -> None:
        told = file.content.lines
        references = {line.entry_reference for line in told} | {line.own_reference for line in told}
        self._lines: dict[tuple[str, bool], list[KnownLine]] = {}
        self._spelled: dict[str, set[str]] = {}
        for line in lines.known_lines(session, file.content.account, sorted(references)):
            own = line.batch_reference or line.entry_reference
            for reference in {own, line.entry_reference}:
                self._lines.setdefault((reference, line.incoming), []).append(line)
            self._spelled.setdefault(own.upper(), set()).add(own)

    def of_the_same_name(self, parts: Sequence[FileLine]) -> list[KnownLine]:
        """Return what is on record of an entry, or under the reference of a part of it."""
        first = parts[0]
        references = {first.own_reference, *(part.entry_reference for part in parts)}
        found = [
            line for name in references for line in self._lines.get((name, first.incoming), ())
        ]
        return list(dict.fromkeys(found))

    def spelled_otherwise(self, parts: Sequence[FileLine]) -> list[list[KnownLine]]:
        """Return the entries whose references differ from that of an entry in capitals only."""
        names = self._spelled.get(parts[0].own_reference.upper(), ())
        return [self._lines.get((name, parts[0].incoming), []) for name in names]


def _tell_the_same(before: Sequence[KnownLine], parts: Sequence[FileLine]) -> bool:
    """Tell whether lines on record are an entry: line by line, or one sum of the same day."""
    if len(before) == len(parts):
        return sorted(line.content for line in before) == sorted(line.content for line in parts)
    return (
        {line.booked_on for line in before} == {line.booked_on for line in parts}
        and sum(line.amount_minor for line in before) == sum(line.amount_minor for line in parts)
    )  # fmt: skip
