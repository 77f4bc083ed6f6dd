"""Payments as tables for people and documents for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

from api.cli.tables import print_table
from clearinghouse.domain.calendar import format_period
from clearinghouse.domain.dunning import STAGES
from clearinghouse.domain.matching import FINDINGS, Finding, Part
from clearinghouse.domain.money import yuan
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.payments.importing import Imported
from clearinghouse.operations.payments.listing import Account, InstructionSeen, LineSeen, Payments
from clearinghouse.store.payments.lines import BankLine

_STATES = {
    "open": "未付 open",
    "partial": "部分 partial",
    "confirmed": "已确认 confirmed",
    "covered": "已由他方承担 covered",
}
_WAYS = {Direction.IN: "付款 pays", Direction.OUT: "收款 is paid"}
_REMINDERS = {stage.name: f"{stage.zh} {stage.en}" for stage in STAGES}


def show_imported(done: Imported) -> None:
    """Say what came of a file, and what of it waits."""
    if done.repeated:
        click.echo(f"{done.name}: 已导入过 imported before; nothing changes")
        return
    matched = sum(one.matched for one in done.arrived)
    new = done.lines - done.known
    parts = [f"{new} 行新流水 new lines", f"{matched} 行已匹配 matched"]
    if done.known:
        parts.append(f"{done.known} 行已有 known already")
    if done.not_booked:
        parts.append(f"{done.not_booked} 行未入账 announced, not booked yet")
    click.echo(f"{done.name}: {', '.join(parts)}")
    if done.gap_minor:
        click.echo(
            f"注意 note: it opens {yuan(abs(done.gap_minor))} {'above' if done.gap_minor > 0 else 'below'}"
            " what the file before closed with; a statement may be missing",
            err=True,
        )
    if done.arrived:
        print_table(
            "银行流水 Bank lines",
            ("流水 Line", "日期 Booked", "对方 From or to", "附言 Text", "结果 Result", "金额(元) Amount (CNY)"),
            [
                (
                    one.line.number,
                    one.line.booked_on,
                    one.line.counterparty_name,
                    _text(one.line),
                    f"{'已匹配 matched, ' if one.matched else '待处理 waits, '}{_finding(one.finding)}",
                    _signed(one.line.incoming, one.line.rest_minor),
                )
                for one in done.arrived
            ],
            figures=1,
        )  # fmt: skip


def show_payments(found: Payments) -> None:
    """Show what is to be paid and what waits for somebody."""
    _show_instructions(f"付款指令 Payments, {found.as_of}", found.instructions)
    _show_lines("待处理流水 Lines that wait for somebody", found.waiting, found.codes)
    _show_credits(found.credits)


def show_account(found: Account) -> None:
    """Show all payments of a system."""
    _show_instructions(f"{found.system} 付款指令 Payments", found.instructions)
    _show_lines("银行流水 Bank lines", found.lines, found.codes)
    _show_credits({found.system: found.credit_minor} if found.credit_minor else {})


def show_line(seen: LineSeen, codes: Mapping[int, str]) -> None:
    """Show one line of the bank with what it was matched to."""
    line = seen.line
    for label, value in (
        ("流水 Line", line.number),
        ("银行参考号 Bank's reference", line.entry_reference),
        ("入账日 Booked", line.booked_on),
        ("金额(元) Amount (CNY)", _signed(line.incoming, line.amount_minor)),
        ("退回 Return", "是 yes" if line.reversal else None),
        ("端到端参考号 End-to-end reference", line.end_to_end),
        ("附言 Text", line.remittance or None),
        ("对方 From or to", line.counterparty_name),
        ("对方账号 Account", line.counterparty_account),
        ("未分配(元) Left (CNY)", yuan(line.rest_minor)),
    ):
        if value is not None:
            click.echo(f"{label}: {value}")
    show_parts("匹配 Matched", seen.parts, codes)
    if seen.proposal is not None:
        what = "建议撤销 Proposed to take back" if seen.proposal.undoes else "待复核 Proposed"
        show_parts(f"{what}, {seen.proposal.proposed_by}", seen.proposal.parts, codes)
    elif seen.suggestion is not None and seen.suggestion.parts:
        show_parts(
            f"建议 Suggested, {_finding(seen.suggestion.finding)}", seen.suggestion.parts, codes
        )


def show_parts(title: str, parts: Sequence[Part], codes: Mapping[int, str]) -> None:
    """Show whom parts of a line are for."""
    print_table(
        title,
        ("系统 System", "用途 For", "金额(元) Amount (CNY)"),
        [(codes[p.system], _purpose(p), yuan(p.amount_minor)) for p in parts],
        figures=1,
    )


def _show_instructions(title: str, found: Sequence[InstructionSeen]) -> None:
    print_table(
        title,
        (
            "账期 Period", "系统 System", "方向 Way", "参考号 Reference", "到期 Due", "状态 State", "催款 Reminded",
            "逾期天数 Days overdue", "金额(元) Amount (CNY)", "已确认 Confirmed", "未付 Outstanding",
        ),
        [
            (
                format_period(one.instruction.period),
                one.system,
                _WAYS[one.instruction.direction],
                one.instruction.reference,
                one.instruction.due_on,
                _STATES[one.instruction.state],
                _REMINDERS.get(one.reminder or ""),
                one.days_overdue or None,
                yuan(one.instruction.amount_minor),
                yuan(one.instruction.confirmed_minor),
                yuan(one.instruction.outstanding_minor),
            )
            for one in found
        ],
        figures=4,
    )  # fmt: skip


def _show_lines(title: str, found: Sequence[LineSeen], codes: Mapping[int, str]) -> None:
    print_table(
        title,
        (
            "流水 Line", "日期 Booked", "对方 From or to", "附言 Text", "去向 What for", "金额(元) Amount (CNY)",
            "未分配 Left",
        ),
        [
            (
                one.line.number,
                one.line.booked_on,
                one.line.counterparty_name,
                _text(one.line),
                _what_for(one, codes),
                _signed(one.line.incoming, one.line.amount_minor),
                yuan(one.line.rest_minor),
            )
            for one in found
        ],
        figures=2,
    )  # fmt: skip


def _show_credits(found: Mapping[str, int]) -> None:
    if found:
        print_table(
            "账户余额 Credits on account: the next instruction takes them in",
            ("系统 System", "金额(元) Amount (CNY)"),
            [(code, yuan(amount)) for code, amount in sorted(found.items())],
            figures=1,
        )


def _what_for(seen: LineSeen, codes: Mapping[int, str]) -> str:
    def named(parts: Iterable[Part]) -> str:
        return ", ".join(f"{codes[part.system]} {_purpose(part)}" for part in parts)

    if seen.proposal is not None:
        what = "待复核撤销 to be taken back" if seen.proposal.undoes else "待复核 to be confirmed"
        return f"{what}: {named(seen.proposal.parts)}"
    if seen.suggestion is not None:
        finding = _finding(seen.suggestion.finding)
        return f"{finding}: {named(seen.suggestion.parts)}" if seen.suggestion.parts else finding
    return named(seen.parts)


def _purpose(part: Part) -> str:
    if part.collateral:
        return "保证金 collateral"
    return "账户余额 credit" if part.period is None else format_period(part.period)


def _finding(finding: Finding) -> str:
    return " ".join(FINDINGS[finding])


def _text(line: BankLine) -> str:
    return (line.end_to_end or line.remittance)[:40]


def _signed(incoming: bool, amount_minor: int) -> str:
    return f"{'+' if incoming else '-'}{yuan(amount_minor)}"
