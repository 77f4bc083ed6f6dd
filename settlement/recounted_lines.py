"""The lines of a statement made a second time, leg by leg in Python, to prove those that PostgreSQL made.

Who may see what is decided in ``clearinghouse.store.statement_lines``, and only there. Here it is written down once
more on purpose, as an auditor would from domain.md §1: where the two differ, ``recompute`` finds a difference.
"""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.domain.clearing import CROSS_SYSTEM, OWN_SYSTEM
from clearinghouse.operations.context import Context
from clearinghouse.store import recount
from clearinghouse.store.recount import LegLine
from settlement.adjustment_lines import adjustment_lines
from settlement.frozen_run import FrozenRun, statement_no
from settlement.statements.statement import OPERATOR, StatementLine


class RecountedLines:
    """The lines of one statement out of legs, transactions and postings; read anew each time."""

    def __init__(self, context: Context, run: FrozenRun, system: int | None) -> None:
        self._context = context
        self._run = run
        self._system = system

    def __iter__(self) -> Iterator[StatementLine]:
        with self._context.database.office() as session:
            number = 0
            legs = recount.leg_lines(session, self._run.period, self._system)
            for number, leg in enumerate(legs, start=1):
                yield self._line(number, leg)
        yield from adjustment_lines(self._run, self._system, number)

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
            card_masked=leg.card_masked if is_host and self._system is not None else None,
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
