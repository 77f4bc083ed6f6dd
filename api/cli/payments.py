"""``clearinghouse payment``: what is to be paid, what the bank says of it, and who decides where that is not plain."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import payment_documents as documents
from api.cli import payment_tables as tables
from api.cli.authority import signed_by
from api.cli.common import DATE, PERIOD, books
from api.cli.tables import FORMAT, print_json, print_table
from clearinghouse.domain.calendar import format_period, parse_period
from clearinghouse.domain.dunning import STAGES
from clearinghouse.domain.money import yuan
from clearinghouse.operations.changing import Authority
from clearinghouse.operations.payments import dunning, importing, listing, matching
from clearinghouse.operations.payments.sharing import Target

_AS_OF = click.option(
    "--as-of", type=DATE, metavar="YYYY-MM-DD", help="Business date.  [default: today]"
)
#: Click leaves a paragraph that begins with a backspace as it is.
_HELP = """Payments of published months: from the bank's statements to "settled".

\b
payment import FILE     what the bank says; what is beyond doubt is matched at once
payment list            what is still to be paid, and the bank's lines that wait for somebody
payment match LINE …    one person proposes what a line is for
payment confirm LINE    another person confirms it; then it is posted
payment dunning         reminds systems of what is overdue

A month is settled when all of its payments are confirmed.
"""
_TARGET = re.compile(
    r"(?P<system>[^@=\s]+)(?:@(?P<place>[^=\s]+))?(?:=(?P<yuan>[0-9]{1,13})(?:\.(?P<part>[0-9]{2}))?)?"
)


class TargetType(click.ParamType[Target]):
    """Whom money is for: ``SYSTEM``, ``SYSTEM@YYYY-MM``, ``SYSTEM@credit`` or ``SYSTEM@collateral``, with ``=YUAN``."""

    name = "target"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Target:
        """Return the target; anything else is wrong usage."""
        if isinstance(value, Target):
            return value
        found = _TARGET.fullmatch(value)
        if found is None:
            self.fail(
                f'"{value[:40]}" is not SYSTEM, SYSTEM@YYYY-MM, SYSTEM@credit or SYSTEM@collateral,'
                " with =YUAN for a part, such as AUR@2026-10=306.62",
                param,
                ctx,
            )
        place = found["place"]
        period = None
        if place not in (None, "credit", "collateral"):
            try:
                period = parse_period(place)
            except ValueError as wrong:
                self.fail(str(wrong), param, ctx)
        amount = (
            None if found["yuan"] is None else int(found["yuan"]) * 100 + int(found["part"] or 0)
        )
        return Target(found["system"], period, place == "credit", place == "collateral", amount)


@click.group("payment", help=_HELP)
def payment_commands() -> None:
    """Payments of published months."""


@payment_commands.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--new-account", is_flag=True, help="The file is of another account of ours than those before."
)
@FORMAT
@signed_by("the bank's statement")
def import_files(
    files: tuple[Path, ...], new_account: bool, format_name: str, authority: Authority
) -> None:
    """Import the bank's statements, camt.053 or CSV.

    The camt.053 is version 001.08. A file that does not hold together is refused whole. Importing again, or files
    that overlap, change nothing: the bytes of a file and the bank's reference of each entry are kept.

    The columns of the CSV: account, entry_reference, booked_on, direction (in, out), amount (yuan), currency; and
    if there are: reversal (yes, no), end_to_end_id, remittance, counterparty_account, counterparty_name.
    """
    with books() as context:
        done = []
        for file in files:
            done.append(
                importing.import_bank_file(context, file, authority, new_account=new_account)
            )
            if format_name == "table":
                tables.show_imported(done[-1])
    if format_name == "json":
        print_json([documents.imported_document(one) for one in done])


@payment_commands.command("list")
@click.argument("period", type=PERIOD, required=False)
@click.option("--all", "everything", is_flag=True, help="Also what is confirmed, of all months.")
@_AS_OF
@FORMAT
def list_payments(
    period: int | None, everything: bool, as_of: date | None, format_name: str
) -> None:
    """Show what is to be paid, and what waits.

    Without PERIOD (YYYY-MM) it is what is still to be paid of all months, and the bank's lines that wait for somebody.
    """
    with books() as context:
        found = listing.payments(context, period=period, everything=everything, as_of=as_of)
    if format_name == "json":
        print_json(documents.payments_document(found))
    else:
        tables.show_payments(found)


@payment_commands.command("show")
@click.argument("what")
@_AS_OF
@FORMAT
def show_payments(what: str, as_of: date | None, format_name: str) -> None:
    """Show a system's payments, or one bank line.

    WHAT is the code of a system, or the number of a line.
    """
    with books() as context:
        if what.isascii() and what.isdigit() and len(what) < 18:
            line, codes = listing.line(context, int(what))
            if format_name == "json":
                print_json(documents.line_document(line, codes))
            else:
                tables.show_line(line, codes)
            return
        account = listing.account(context, what, as_of=as_of)
    if format_name == "json":
        print_json(documents.account_document(account))
    else:
        tables.show_account(account)


@payment_commands.command("match")
@click.argument("line", type=int)
@click.argument("targets", nargs=-1, type=TargetType(), metavar="[SYSTEM[@YYYY-MM][=YUAN]]...")
@click.option("--undo", is_flag=True, help="Take back what the line was matched to.")
@signed_by("matched by hand")
def match_line(line: int, targets: tuple[Target, ...], undo: bool, authority: Authority) -> None:
    """Propose what the bank's LINE is for.

    Another person has to confirm it before anything is posted. Without SYSTEM it is what suggests itself. SYSTEM
    alone takes its open instructions, the oldest first, and what is left stands as its credit; SYSTEM@YYYY-MM is one
    month's; SYSTEM@credit leaves it on its account; SYSTEM@collateral is the money of collateral that was recorded.
    Several share the line: AUR@2026-10=100.00 AUR@2026-11.
    """
    if undo and targets:
        raise click.UsageError("--undo takes back everything; it goes without a system")
    with books() as context:
        if undo:
            parts = matching.propose_undoing(context, line, authority)
        else:
            parts = matching.propose(context, line, targets, authority)
        codes = listing.line(context, line)[1]
    tables.show_parts(f"建议匹配流水 {line} Proposed for line {line}", parts, codes)
    click.echo(f"proposed; another person confirms it with: clearinghouse payment confirm {line}")


@payment_commands.command("confirm")
@click.argument("line", type=int)
@signed_by("checked")
def confirm_match(line: int, authority: Authority) -> None:
    """Confirm what somebody else proposed.

    What was proposed for the bank's LINE is posted; whoever proposed it can't confirm it.
    """
    with books() as context:
        done = matching.confirm(context, line, authority)
        codes = listing.line(context, line)[1]
    what = "撤销 Taken back from" if done.undoes else "已匹配 Matched"
    tables.show_parts(f"{what} line {line}", done.parts, codes)


@payment_commands.command("reject")
@click.argument("line", type=int)
@signed_by("not right")
def reject_match(line: int, authority: Authority) -> None:
    """Reject what is proposed for the bank's LINE.

    Whoever proposed it may withdraw it so.
    """
    with books() as context:
        done = matching.reject(context, line, authority)
    click.echo(f"the match that {done.proposed_by} proposed for line {line} is rejected")


@payment_commands.command("dunning")
@_AS_OF
@FORMAT
def send_reminders(as_of: date | None, format_name: str) -> None:
    """Remind systems of what is overdue.

    A reminder one day behind the due date, a second one after seven days, notice of default after fourteen: each is
    sent once, as the event payment.overdue. The running service does it by itself.
    """
    with books() as context:
        sent = dunning.dun(context, as_of)
    if format_name == "json":
        print_json(
            [
                {
                    "system": one.system,
                    "period": format_period(one.instruction.period),
                    "reference": one.instruction.reference,
                    "due_on": one.instruction.due_on,
                    "outstanding_minor": one.instruction.outstanding_minor,
                    "stage": one.stage,
                }
                for one in sent
            ]
        )
        return
    names = {stage.name: f"{stage.zh} {stage.en}" for stage in STAGES}
    print_table(
        "已发催款 Reminders sent",
        ("系统 System", "账期 Period", "参考号 Reference", "到期 Due", "阶段 Stage", "未付(元) Outstanding (CNY)"),
        [
            (
                one.system,
                format_period(one.instruction.period),
                one.instruction.reference,
                one.instruction.due_on,
                names[one.stage],
                yuan(one.instruction.outstanding_minor),
            )
            for one in sent
        ],
        figures=1,
    )  # fmt: skip
