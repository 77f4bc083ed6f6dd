"""The lines of a statement: each leg as one party may see it, added up on the way."""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.clearing import CROSS_SYSTEM, OWN_SYSTEM
from clearinghouse.domain.errors import BooksDoNotBalance
from clearinghouse.operations.context import Context
from clearinghouse.store import statement_lines
from clearinghouse.store.statement_lines import LegLine
from settlement.frozen_run import FrozenRun, statement_no
from settlement.statements.statement import OPERATOR, StatementLine


class Lines:
    """The lines of one statement, read anew from the database each time they are gone through.

    They are added up on the way, and a statement whose lines do not sum to its totals is not rendered.
    """

    #: So many lines are kept in memory, since every format goes through them again.
    KEEP = 50_000

    def __init__(self, context: Context, run: FrozenRun, system: int | None, count: int) -> None:
        self._context = context
        self._run = run
        self._system = system
        self.count = count
        self._kept: list[StatementLine] | None = None

    def __iter__(self) -> Iterator[StatementLine]:
        """Yield the lines in their order.

        Raises:
            BooksDoNotBalance: they do not sum to the frozen position.
        """
        if self._kept is not None:
            return iter(self._kept)
        if self.count <= self.KEEP:
            self._kept = list(self._read())
            return iter(self._kept)
        return self._read()

    def _read(self) -> Iterator[StatementLine]:
        receivable = payable = fees = number = 0
        with self._context.database.office() as session:
            for number, leg in enumerate(
                statement_lines.leg_lines(session, self._run.period, self._system), start=1
            ):
                line = self._line(number, leg)
                receivable += line.gross_credit_minor or 0
                payable += line.gross_debit_minor or 0
                fees += line.fee_minor or 0
                yield line
        self._must_foot(number, receivable, payable, fees)

    def _must_foot(self, count: int, receivable: int, payable: int, fees: int) -> None:
        positions = self._run.positions
        if self._system is None:
            total = self._run.total
            expected = (total.payable_minor, total.receivable_minor, -total.fees_minor)
        else:
            position = positions[self._system]
            expected = (position.receivable_minor, position.payable_minor, position.fees_minor)
        if (receivable, payable, fees) != expected or count != self.count:
            who = (
                OPERATOR if self._system is None else self._run.directory.systems[self._system].code
            )
            raise BooksDoNotBalance(
                f"the lines of {who} for {format_period(self._run.period)} do not sum to its totals"
            )

    def _line(self, number: int, leg: LegLine) -> StatementLine:
        run, directory = self._run, self._run.directory
        host, issuer = directory.systems[leg.host_system], directory.systems[leg.issuer_system]
        cross = leg.host_system != leg.issuer_system
        is_host = self._system in (None, leg.host_system)
        is_issuer = self._system in (None, leg.issuer_system)
        owes = cross and leg.fee_kind != "spend"
        rulebook = directory.rulebook_by_number[leg.rulebook].rulebook
        credit = leg.obligation_minor if owes and is_host else None
        debit = leg.obligation_minor if owes and is_issuer else None
        fee = (-leg.fee_minor if self._system is None else leg.fee_minor) if is_host else None
        code = OPERATOR if self._system is None else directory.systems[self._system].code
        counterparty = (
            None if self._system is None or not cross else (issuer if is_host else host).code
        )
        return StatementLine(
            statement_no=statement_no(run, code),
            line_no=number,
            txn_id=f"txn_{leg.txn_id.hex}",
            txn_ref=leg.txn_ref,
            original_txn_ref=leg.original_ref,
            business_date=leg.business_date,
            occurred_at=leg.occurred_at,
            posted_at=leg.posted_at,
            kind=leg.kind,
            host_hotel=directory.hotels[leg.host_hotel].code,
            host_system=host.code,
            issuer_hotel=directory.hotels[leg.issuer_hotel].code,
            issuer_system=issuer.code,
            is_cross_system=cross,
            late=leg.late,
            # The card is the host's guest; an issuer of points learns only that they were redeemed.
            card_masked=leg.card_masked if is_host and self._system is not None else "",
            points=leg.points,
            lots=leg.lots,
            gross_debit_minor=debit,
            gross_credit_minor=credit,
            fee_rule=f"fees.{leg.fee_kind}" if cross and is_host else None,
            rulebook_version=rulebook.version,
            fee_rate_ppm=rulebook.fee_rule(leg.fee_kind).rate_ppm if cross and is_host else None,
            fee_base_minor=leg.base_minor if is_host else None,
            fee_minor=fee,
            net_minor=(credit or 0) - (debit or 0) - (fee or 0),
            reason=CROSS_SYSTEM if cross else OWN_SYSTEM,
            counterparty_system=counterparty,
            dispute_status=None,
            remarks=None,
        )
