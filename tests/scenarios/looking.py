"""Looking into the books by the codes and labels that a scenario uses."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from clearinghouse.domain.accounts import Asset
from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.clearing import Leg
from clearinghouse.domain.pools import Pool
from clearinghouse.operations.context import Context
from clearinghouse.store import frozen, periods
from clearinghouse.store.database import Session
from clearinghouse.store.directory import read_directory
from clearinghouse.store.loading import DEBT_COLUMNS, LOT_COLUMNS, debt_from_row, lot_from_row
from settlement.netting import figures

Row = dict[str, str]


class Books:
    """The books as they are now; ``cards`` names a card number of each traveller."""

    def __init__(self, context: Context, cards: Mapping[str, str]) -> None:
        self._context = context
        self._cards = cards
        with context.database.office() as session:
            self._directory = read_directory(session)

    def leg(self, leg: Leg) -> str:
        """Show a leg: issuer, value, and the fee or that there is none."""
        hotel = self._directory.hotels[leg.issuer_hotel].code
        fee = f"fee {leg.fee_minor}" if leg.is_cross_system else "own"
        return f"{hotel} {leg.base_minor} {fee}"

    def state(self, period: str) -> str | None:
        """The stage that a period has reached."""
        with self._context.database.office() as session:
            return periods.state_of(session, parse_period(period))

    def positions(self, period: str) -> list[Row]:
        """Net positions, frozen or as the roll-ups have them now."""
        number = parse_period(period)
        with self._context.database.office() as session:
            rows = frozen.positions(session, number)
            if not rows:
                _, rows, _ = figures(self._context, session, number)
        return [
            {
                "system": self._system(row.system),
                "receivable": str(row.receivable_minor),
                "payable": str(row.payable_minor),
                "fees": str(row.fees_minor),
                "vat": str(row.vat_minor),
                "net": str(row.net_minor),
            }
            for row in rows
        ]

    def obligations(self, period: str) -> list[Row]:
        """Gross obligations, frozen or as the roll-ups have them now."""
        number = parse_period(period)
        with self._context.database.office() as session:
            rows = frozen.obligations(session, number)
            if self.state(period) == "open":
                rows, _, _ = figures(self._context, session, number)
        found = [
            {
                "debtor": self._system(row.debtor),
                "creditor": self._system(row.creditor),
                "kind": row.kind,
                "count": str(row.count),
                "amount": str(row.amount_minor),
            }
            for row in rows
        ]
        return sorted(found, key=lambda row: (row["debtor"], row["creditor"], row["kind"]))

    def points(self, period: str) -> list[Row]:
        """The frozen points liability of a closed period."""
        with self._context.database.office() as session:
            rows = frozen.liability(session, parse_period(period))
        return [
            {
                "hotel": self._directory.hotels[row.hotel].code,
                **{
                    name: str(getattr(row, name))
                    for name in (
                        "opening",
                        "issued",
                        "redeemed",
                        "expired",
                        "reversed",
                        "closing",
                        "debts",
                    )
                },
            }
            for row in rows
        ]

    def lots(self, traveller: str) -> list[Row]:
        """A traveller's lots with something left, in the order of acceptance."""
        return [
            {**row, "expires": str(lot.expires_on)}
            for row, lot in self._holdings(traveller, Asset.POINT)
        ]

    def stored_value(self, traveller: str) -> list[Row]:
        """A traveller's loads with something left, in the order of acceptance."""
        return [row for row, _ in self._holdings(traveller, Asset.CNY)]

    def debts(self, traveller: str) -> list[Row]:
        """A traveller's debts, oldest first, also those that have ended."""
        return [
            {
                "hotel": self._directory.hotels[debt.issuer_hotel].code,
                "owed": str(debt.remaining),
                "until": str(debt.ends_on),
            }
            for debt in self._pool(self._number(traveller)).debts
            if debt.remaining
        ]

    def available(self, traveller: int, day: date) -> int:
        """The points that a traveller (by number) could redeem on a day."""
        with self._context.database.office() as session:
            (closed,) = session.row(
                "SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open'"
            ) or (0,)
        pool = self._pool(traveller)
        usable = pool.usable(Asset.POINT, day, closed)
        return sum(lot.unheld for lot in usable) - pool.owed_on(day)

    def _system(self, number: int) -> str:
        return self._directory.systems[number].code

    def _number(self, traveller: str) -> int:
        index = self._context.vault.blind_index("card", self._cards[traveller])
        with self._context.database.office() as session:
            row = session.row("SELECT traveller FROM cards WHERE number_index = %s", [index])
        assert row is not None
        return int(row[0])

    def _holdings(self, traveller: str, asset: Asset) -> list[tuple[Row, Any]]:
        lots = self._pool(self._number(traveller)).lots
        return [
            (
                {
                    "hotel": self._directory.hotels[lot.issuer_hotel].code,
                    "left": str(lot.remaining),
                },
                lot,
            )
            for _, lot in sorted(lots.items())
            if lot.asset is asset and lot.remaining
        ]

    def _pool(self, traveller: int) -> Pool:
        pool = Pool(traveller)
        with self._context.database.office() as session:
            for row in _rows(session, LOT_COLUMNS, "lots", traveller):
                lot = lot_from_row(row)
                pool.lots[lot.number] = lot
            pool.debts = [
                debt_from_row(row) for row in _rows(session, DEBT_COLUMNS, "debts", traveller)
            ]
        return pool


def _rows(session: Session, columns: str, table: str, traveller: int) -> list[tuple[Any, ...]]:
    return session.rows(
        f"SELECT {columns} FROM {table} WHERE traveller = %s ORDER BY number", [traveller]
    )
