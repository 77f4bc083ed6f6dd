"""``clearinghouse balance``: what a traveller holds, by issuer and expiry."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import click

from api.cli.common import DATE, books
from api.cli.tables import FORMAT, both, print_json, print_table
from clearinghouse.domain.money import yuan
from clearinghouse.operations.enquire import Balance, PointsHeld, StoredValue, pooled_balance


@click.command("balance")
@click.argument("card")
@click.option(
    "--as-of", type=DATE, metavar="YYYY-MM-DD", help="Business date.  [default: now, today]"
)
@FORMAT
def balance(card: str, as_of: date | None, format_name: str) -> None:
    """Show the pooled balance that CARD opens, by issuing hotel and expiry date.

    The number may be written with spaces. With --as-of it is as the books stood at the end of that business
    date (transactions count by their business date, and what has expired since is still shown); for a date to
    come, what will still be usable then. Stored value is money and is shown apart.
    """
    with books() as context:
        found = pooled_balance(context, card, as_of)
    if format_name == "json":
        print_json(asdict(found))
    else:
        _show(found)


def _show(found: Balance) -> None:
    click.echo(f"会员卡 Card {found.card_masked}，营业日 business date {found.as_of}")
    click.echo(f"可用积分 Spendable points: {found.spendable_points:,}{_worth(found.worth_minor)}")
    for points, what in (
        (found.pending_points, "待生效 Pending, usable later"),
        (found.held_points, "冻结 Held for authorisations"),
        (found.owed_points, "积分欠额 Debts, taken off already"),
    ):
        if points:
            click.echo(f"{what}: {points:,}")
    if found.points:
        print_table(
            "积分 Points",
            ("到期日 Expires", "发行方 Issuer", "名称 Name", "生效日 Usable from",
             "积分 Points", "冻结 Held", "折合(元) Worth (CNY)"),
            [_points_row(row) for row in found.points],
            figures=3,
        )  # fmt: skip
    if found.debts:
        print_table(
            "积分欠额 Debts",
            ("截止日 Ends", "发行方 Issuer", "名称 Name", "积分 Points"),
            [
                (r.ends_on, r.issuer.hotel_code, both(r.issuer.name_zh, r.issuer.name_en), f"{r.points:,}")
                for r in found.debts
            ],
            figures=1,
        )  # fmt: skip
    if found.stored_value:
        print_table(
            f"储值 Stored value: {yuan(found.stored_value_minor)} 元 CNY",
            ("发行方 Issuer", "名称 Name", "金额(元) Amount (CNY)", "冻结(元) Held (CNY)"),
            [_stored_value_row(row) for row in found.stored_value],
            figures=2,
        )
        if not found.stored_value_licensed:
            click.echo(
                "当日无有效储值牌照，储值不可用 No licence is in force then: stored value can't be used."
            )


def _worth(worth_minor: int | None) -> str:
    if worth_minor is None:
        return "（当日无联盟规则 no rulebook is in force then）"
    return f"，折合 worth {yuan(worth_minor)} 元 CNY"


def _points_row(row: PointsHeld) -> tuple[object, ...]:
    return (
        row.expires_on,
        row.issuer.hotel_code,
        both(row.issuer.name_zh, row.issuer.name_en),
        row.usable_from,
        f"{row.points:,}",
        f"{row.held:,}" if row.held else "",
        "" if row.worth_minor is None else yuan(row.worth_minor),
    )


def _stored_value_row(row: StoredValue) -> tuple[object, ...]:
    return (
        row.issuer.hotel_code,
        both(row.issuer.name_zh, row.issuer.name_en),
        yuan(row.amount_minor),
        yuan(row.held_minor) if row.held_minor else "",
    )
