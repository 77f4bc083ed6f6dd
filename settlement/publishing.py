"""The publishing transaction: everything that happens at the moment in which a period is published (domain.md §4).

It is the only place of a run that reads the clock. Either all of it is committed or nothing, and it happens once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO

from clearinghouse.domain.accounts import AccountKind, Asset, account
from clearinghouse.domain.books import Posting
from clearinghouse.domain.calendar import format_period, last_day, local_date
from clearinghouse.domain.entries import Entry
from clearinghouse.operations.context import Context
from clearinghouse.operations.footing import prove_footing
from clearinghouse.operations.payments.settling import close_if_settled, instruct
from clearinghouse.operations.signing import sign_files
from clearinghouse.store import frozen, outbox, periods, staging
from clearinghouse.store.database import Session
from clearinghouse.store.entries import write_entries
from settlement.frozen_run import VERSION, FrozenRun
from settlement.manifest import manifest
from settlement.paths import MANIFEST
from settlement.self_check import must_be_sound

#: A part of publishing: given the surroundings, the transaction, the frozen run and the moment.
Step = Callable[[Context, Session, FrozenRun, datetime], None]


def publish(context: Context, run: FrozenRun) -> None:
    """Stage ``published``: take every step and make the period immutable, as one transaction.

    Raises:
        BooksDoNotBalance: something does not sum, here or in an earlier period; nothing is published.
    """
    at = context.clock()
    with context.database.office() as session:
        if periods.state_of(session, run.period) != "stated":
            return
        for step in STEPS:
            step(context, session, run, at)
        periods.publish(session, run.period, at)
        must_be_sound(session)
        # Where nobody has anything to pay, nothing is waited for.
        close_if_settled(session, run.period, at)


def _post_vat(context: Context, session: Session, run: FrozenRun, at: datetime) -> None:
    entry = Entry(context.new_id(run.period), run.period, "vat", last_day(run.period))
    entry.postings.extend(_vat_postings(run))
    write_entries(session, [entry], at)


def _vat_postings(run: FrozenRun) -> Iterator[Posting]:
    """Post each system's VAT: out of the fees that contain it, or from the system where it is on top."""
    vat_account, fees = account(AccountKind.VAT), account(AccountKind.FEES)
    for position in run.positions.values():
        payer = account(AccountKind.POSITION, position.system) if run.vat_on_top else fees
        if position.vat_minor > 0:
            yield Posting(payer, vat_account, Asset.CNY, position.vat_minor)
        elif position.vat_minor < 0:
            yield Posting(vat_account, payer, Asset.CNY, -position.vat_minor)


def _store_manifest(_: Context, session: Session, run: FrozenRun, _at: datetime) -> None:
    files = frozen.stored_files(session, run.period)
    document = BytesIO(manifest(run, files, prove_footing(session, run.period)))
    frozen.store_file(session, run.period, MANIFEST, document, rows=len(files))


def _sign(context: Context, session: Session, run: FrozenRun, at: datetime) -> None:
    sign_files(context, session, run.period, at)


def _instruct(_: Context, session: Session, run: FrozenRun, at: datetime) -> None:
    rules = run.rulebook
    older = instruct(
        session,
        run.period,
        codes={number: system.code for number, system in run.directory.systems.items()},
        version=VERSION,
        due_on=local_date(at, rules.timezone) + timedelta(days=rules.payment_days),
        at=at,
    )
    for period in older:
        close_if_settled(session, period, at)


def _tell(_: Context, session: Session, run: FrozenRun, at: datetime) -> None:
    name = format_period(run.period)
    for system in run.positions:
        outbox.add(session, at, "statement.published", {"period": name}, system)
    outbox.add(session, at, "period.published", {"period": name})


def _clear_staging(_: Context, session: Session, run: FrozenRun, _at: datetime) -> None:
    staging.discard(session, run.period)


#: In this order. Whatever adds a file comes before the manifest, whatever signs files behind it.
STEPS: tuple[Step, ...] = (
    _post_vat,
    _store_manifest,
    _sign,
    _instruct,
    _tell,
    _clear_staging,
)
