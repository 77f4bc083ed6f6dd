"""Stage ``netted``: from roll-ups to one frozen net position per system (domain.md §4)."""

from __future__ import annotations

from clearinghouse.domain.calendar import format_period, last_day
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.domain.netting import Obligations, Position, net
from clearinghouse.operations.close import rulebook_of_period
from clearinghouse.operations.context import Context
from clearinghouse.operations.giving_way import Pace
from clearinghouse.store import adjustments, closing, frozen, periods, rollups
from clearinghouse.store.database import Session

#: Increments that are folded in one transaction while others write: some milliseconds of work.
_FOLDED_EACH = 2_000


def net_period(context: Context, period: int) -> None:
    """Net a closing period and freeze its figures, as one transaction.

    While others write it rests in between, as long as nobody waits for what it holds but who ends points with the same
    period.

    Raises:
        BooksDoNotBalance: net positions, fees and VAT do not sum to zero; nothing is written.
    """
    pace = Pace(context.others)
    _fold_ahead(context, period, pace)
    with context.database.office() as session:
        if not closing.hold_to_net(session, period):
            return
        context.others.count_ours()
        pairs, positions, vat_on_top = figures(context, session, period)
        total = sum(
            p.net_minor + p.fees_minor + (p.vat_minor if vat_on_top else 0) for p in positions
        )
        if total != 0:
            raise BooksDoNotBalance(
                f"the net positions of {format_period(period)} and their fees differ by {total} fen"
            )
        pace.rest(session)
        directory = context.directory.current(session)
        end = last_day(period)
        terms = frozen.RunTerms(
            rulebook_of_period(directory, period).number,
            list(directory.systems.values()),
            context.operator,
            {hotel: directory.issuer_system(hotel, end) for hotel in directory.hotels},
        )
        frozen.freeze_run(session, period, terms)
        frozen.freeze_positions(session, period, positions, vat_on_top)
        pace.rest(session)
        frozen.freeze_obligations(session, period, pairs)
        pace.rest(session)
        # What came since it was folded ahead. From here on imports may wait to fold theirs: no more rests.
        rollups.fold(session, period)
        frozen.freeze_liability(session, period)
        adjustments.freeze_states(session, period)
        periods.advance(session, period, "netted")


def _fold_ahead(context: Context, period: int, pace: Pace) -> None:
    """Fold what there is, so that the netting finds next to nothing: in pieces while others write, else all at once."""
    while True:
        with context.database.office() as session:
            context.others.look(session)
            most = _FOLDED_EACH if context.others.write else None
            context.others.count_ours()
            folded = rollups.fold(session, period, most)
            # Folding may have taken longer than an earlier look counts; without one others count as writing.
            context.others.look(session)
        pace.rest()
        if folded != most:
            return


def figures(
    context: Context, session: Session, period: int
) -> tuple[list[Obligations], list[Position], bool]:
    """Return the obligations and net positions of a period as roll-ups and adjustments have them now.

    The last value tells whether VAT comes on top of the fees.

    Raises:
        PeriodNotReady: no rulebook is in force at its end.
    """
    directory = context.directory.current(session)
    rulebook = rulebook_of_period(directory, period).rulebook
    by_code = sorted(directory.systems.values(), key=lambda system: system.code)
    pairs = rollups.obligations(session, period)
    positions = net(
        [system.number for system in by_code],
        pairs,
        rollups.fees(session, period),
        vat_ppm=rulebook.vat_ppm,
        fees_include_vat=rulebook.fees_include_vat,
        adjusted=adjustments.sums(session, period),
    )
    return pairs, positions, not rulebook.fees_include_vat
