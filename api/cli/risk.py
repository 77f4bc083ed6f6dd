"""``clearinghouse risk``: exposures, collateral, defaults and the guarantee fund; and how members stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

import click

from api.cli.authority import signed
from api.cli.common import DATE, PERIOD, books
from api.cli.tables import FORMAT, print_json, print_table
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.money import yuan
from clearinghouse.operations import (
    collateral,
    contributing,
    defaulting,
    exposure_report,
    standing_changes,
)
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.exposure_report import WARNINGS, Exposure

_REFERENCE = click.option(
    "--reference", required=True, metavar="TEXT", help="What the bank or the contract calls it."
)


@click.group("risk")
def risk_commands() -> None:
    """Running debits and caps, collateral, defaults, and the guarantee fund.

    What moves money or somebody's standing needs two people: --by and --approved-by.
    """


@risk_commands.command("exposure")
@FORMAT
def show_exposure(format_name: str) -> None:
    """Show what every system owes right now, how far it may go, and what to look at."""
    with books() as context:
        found = exposure_report.exposures(context)
    if format_name == "json":
        document = {
            "systems": [{**asdict(row), "room_minor": row.room_minor} for row in found.systems],
            "fund_minor": found.fund_minor,
            "fund_claims_minor": found.fund_claims_minor,
        }
        print_json(document)
        return
    print_table(
        "实时净欠(元) Running debits (CNY)",
        (
            "系统 System", "提示 Look at", "净欠 Debit", "上限 Cap", "保证金 Collateral", "剩余额度 Room",
            "超出 Over", "冻结中 Held", "逾期 Overdue", "债权 Claims on it",
        ),
        [_row(row) for row in found.systems],
        figures=8,
    )  # fmt: skip
    click.echo(f"互保基金 Guarantee fund: {yuan(found.fund_minor)}")
    if found.fund_claims_minor:
        click.echo(f"互保基金债权 Advanced by the fund: {yuan(found.fund_claims_minor)}")


@risk_commands.group("collateral")
def collateral_commands() -> None:
    """Collateral that systems have posted."""


@collateral_commands.command("post")
@click.argument("system")
@click.argument("fen", type=click.IntRange(min=1))
@_REFERENCE
@signed
def post_collateral(system: str, fen: int, reference: str, authority: Authority) -> None:
    """Record that collateral of so many FEN of SYSTEM has come in."""
    with books() as context:
        balance = collateral.post_collateral(context, system, fen, reference, authority)
    click.echo(f"{system} has posted {yuan(balance)} yuan")


@collateral_commands.command("release")
@click.argument("system")
@click.argument("fen", type=click.IntRange(min=1))
@_REFERENCE
@signed
def release_collateral(system: str, fen: int, reference: str, authority: Authority) -> None:
    """Record that collateral of so many FEN is given back to SYSTEM, if it is not needed."""
    with books() as context:
        balance = collateral.release_collateral(context, system, fen, reference, authority)
    click.echo(f"{system} has {yuan(balance)} yuan posted still")


@risk_commands.command("default")
@click.argument("system")
@click.argument("period", type=PERIOD)
@signed
def declare_default(system: str, period: int, authority: Authority) -> None:
    """Let the waterfall run for what SYSTEM has not paid of PERIOD by the due date, and suspend it."""
    with books() as context:
        found = defaulting.declare_default(context, system, period, authority)
    loss = found.loss
    print_table(
        f"{system} {found.period}: 违约处置(元) waterfall (CNY)",
        ("步骤 Step", "金额 Amount"),
        [
            ("未付 Unpaid", yuan(found.unpaid_minor)),
            ("保证金 Collateral", yuan(loss.collateral_minor)),
            ("互保基金 Guarantee fund", yuan(loss.fund_minor)),
            *_shares("损失分摊 Haircut", found.haircuts),
            ("清算所自担 Our own fees", yuan(loss.borne_minor)),
        ],
        figures=1,
    )
    click.echo(f"{system} is suspended; its own hotels go on as before")


@risk_commands.command("recover")
@click.argument("system")
@click.argument("period", type=PERIOD)
@signed
def recover(system: str, period: int, authority: Authority) -> None:
    """Hand on what SYSTEM has paid since its default on PERIOD: to the creditors first, then to the fund.

    What was handed on of a payment that is gone again is taken back, below zero in the table.
    """
    with books() as context:
        found = defaulting.recover(context, system, period, authority)
    print_table(
        f"{system} {found.period}: 追偿分配(元) handed on (CNY)"
        if found.paid_minor > 0
        else f"{system} {found.period}: 追偿收回(元) taken back (CNY)",
        ("给 To", "金额 Amount"),
        [
            *_shares("债权 Claim", found.claims),
            ("互保基金 Guarantee fund", yuan(found.share.fund_minor)),
            ("清算所 Clearing house", yuan(found.share.kept_minor)),
            ("仍欠 Still owed", yuan(found.left_minor)),
        ],
        figures=1,
    )


@risk_commands.command("contributions")
@click.argument("period", type=PERIOD)
@signed
def contributions(period: int, authority: Authority) -> None:
    """Bring every system's contribution to the guarantee fund up to its share, as of PERIOD."""
    with books() as context:
        found = contributing.contribute(context, period, authority)
    print_table(
        f"互保基金缴存(元) Contributions of {format_period(period)} (CNY)",
        ("系统 System", "月均应付 Average payables", "已缴 Before", "应缴 Now"),
        [
            (
                row.system_code,
                yuan(row.average_minor),
                yuan(row.before_minor),
                yuan(row.amount_minor),
            )
            for row in found
        ],
        figures=3,
    )


@click.command("suspend")
@click.argument("code")
@signed
def suspend_system(code: str, authority: Authority) -> None:
    """Keep the system CODE out of exchange: it hosts no others, and only its own hotels honour what it issued."""
    with books() as context:
        standing_changes.suspend(context, code, authority)
    click.echo(f"{code} is suspended from exchange; its own hotels go on as before")


@click.command("reinstate")
@click.argument("code")
@signed
def reinstate_system(code: str, authority: Authority) -> None:
    """Let the suspended system CODE take part again, once it has paid."""
    with books() as context:
        standing_changes.reinstate(context, code, authority)
    click.echo(f"{code} takes part again")


@click.command("withdraw")
@click.argument("code")
@click.option("--from", "withdrawn_on", type=DATE, required=True, metavar="YYYY-MM-DD",
              help="First business date on which it is no member.")  # fmt: skip
@click.option(
    "--uncovered", is_flag=True, help="Even if its collateral does not cover what is outstanding."
)
@signed
def withdraw_system(code: str, withdrawn_on: date, uncovered: bool, authority: Authority) -> None:
    """Let the system CODE leave. What it issued stays good to the end of the run-off."""
    with books() as context:
        found = standing_changes.withdraw(
            context, code, withdrawn_on, authority, uncovered=uncovered
        )
    left = found.outstanding
    click.echo(
        f"{code} leaves on {found.withdrawn_on}; its {left.points:,} points are good until {found.run_off_until}"
    )
    if left.stored_value_minor:
        click.echo(f"stored value outstanding: {yuan(left.stored_value_minor)} yuan")
    click.echo(
        f"collateral {yuan(found.collateral_minor)} yuan, for at most {yuan(found.worth_minor)} yuan"
    )


@click.command("end-run-off")
@click.argument("code")
@signed
def end_run_off(code: str, authority: Authority) -> None:
    """End what is left of the points of CODE once its run-off is over; safe to run again."""
    with books() as context:
        found = standing_changes.end_run_off(context, code, authority)
    click.echo(f"{found.points:,} points of {code} have ended")
    if found.left.points:
        click.echo(f"{found.left.points:,} points are held still; run it again later")
    if found.left.stored_value_minor:
        click.echo(
            f"stored value of {yuan(found.left.stored_value_minor)} yuan is {code}'s to pay back"
        )


#: For the group ``system``.
STANDING_COMMANDS = (suspend_system, reinstate_system, withdraw_system, end_run_off)


def _row(row: Exposure) -> tuple[object, ...]:
    told = "; ".join(f"{WARNINGS[code][0]} {WARNINGS[code][1]}" for code in row.warnings)
    cap = "未设 none" if row.cap_minor is None else yuan(row.cap_minor)
    room = None if row.room_minor is None else yuan(row.room_minor)
    return (
        row.system_code, told, yuan(row.debit_minor), cap, yuan(row.collateral_minor), room,
        *(yuan(amount) if amount else None for amount in (
            row.overshoot_minor, row.held_minor, row.overdue_minor, row.claims_minor)),
    )  # fmt: skip


def _shares(what: str, amounts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(f"{what} {code}", yuan(amount)) for code, amount in sorted(amounts.items())]
