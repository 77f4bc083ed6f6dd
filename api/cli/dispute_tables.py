"""Disputes, proposals and adjustments as tables."""

from __future__ import annotations

from collections.abc import Sequence

import click

from api.cli.tables import print_table
from clearinghouse.domain.money import yuan
from clearinghouse.operations.dispute_record import PREFIX, Dispute
from clearinghouse.store.proposals import Proposal

_STATES = {
    "open": "待答复 open",
    "answered": "已答复 answered",
    "upheld": "已支持 upheld",
    "rejected": "已驳回 rejected",
    "escalated": "已升级 escalated",
}
_US = "清算所 operator"


def show_disputes(found: Sequence[Dispute]) -> None:
    """Print disputes, one a row."""
    print_table(
        "争议 Disputes",
        ("争议 Dispute", "账期 Period", "提出方 Opened by", "被争议方 Respondent", "原因 Reason", "状态 State",
         "答复期限 Answer due", "注 Note", "主张(元) Claimed (CNY)", "裁定(元) Upheld (CNY)"),
        [
            (
                row.id,
                row.period,
                row.opened_by,
                row.respondent or _US,
                row.reason,
                _STATES[row.state],
                f"{row.answer_due_at:%Y-%m-%d %H:%M}Z" if row.state == "open" else None,
                _notes(row),
                yuan(row.claimed_minor),
                None if row.upheld_minor is None else yuan(row.upheld_minor),
            )
            for row in found
        ],
        figures=2,
    )  # fmt: skip


def show_proposals(found: Sequence[Proposal]) -> None:
    """Print what waits for a second person; nothing where nothing does."""
    if not found:
        return
    print_table(
        "待复核 Waiting for a second person",
        (
            "提案 Proposal",
            "内容 What",
            "提案人 Proposed by",
            "理由 Reason",
            "金额(元) Amount (CNY)",
        ),
        [
            (
                row.number,
                _what(row),
                row.proposed_by,
                row.reason,
                yuan(row.document.get("upheld_minor", row.document.get("amount_minor", 0))),
            )
            for row in found
        ],
        figures=1,
    )


def show_dispute_in_full(found: Dispute) -> None:
    """Print one dispute with all that was said."""
    for label, value in (
        ("争议 Dispute", f"{found.id}  {_STATES[found.state]}  {_notes(found) or ''}".rstrip()),
        ("交易 Transaction", f"{found.transaction} / {found.leg_no}"),
        ("账期 Period", found.period),
        ("提出方 Opened by", found.opened_by),
        ("被争议方 Respondent", found.respondent or _US),
        ("原因 Reason", found.reason),
        ("主张(元) Claimed (CNY)", yuan(found.claimed_minor)),
        ("裁定(元) Upheld (CNY)", None if found.upheld_minor is None else yuan(found.upheld_minor)),
        ("答复期限 Answer due", f"{found.answer_due_at:%Y-%m-%d %H:%M}Z"),
        (
            "升级期限 Escalate until",
            found.escalate_until and f"{found.escalate_until:%Y-%m-%d %H:%M}Z",
        ),
    ):
        if value is not None:
            click.echo(f"{label}: {value}")
    print_table(
        "经过 Steps",
        ("时间 At", "状态 State", "由 By", "陈述 Said", "裁定(元) Upheld (CNY)"),
        [
            (
                f"{row.at:%Y-%m-%d %H:%M}Z",
                _STATES[row.state],
                row.by or _US,
                row.text,
                None if row.upheld_minor is None else yuan(row.upheld_minor),
            )
            for row in found.steps
        ],
        figures=1,
    )
    print_table(
        "证据 Evidence",
        ("文件 File", "由 By", "类型 Type", "字节 Bytes", "SHA-256"),
        [(row.name, row.by or _US, row.media_type, row.size, row.sha256) for row in found.evidence],
    )


def _what(row: Proposal) -> str:
    if row.dispute_id is not None:
        verdict = "支持 uphold" if row.document["upheld_minor"] else "驳回 reject"
        return f"{verdict} {PREFIX}{row.dispute_id.hex}"
    about = row.document.get("reference") or f"txn_{row.document['txn_id']}"
    payer, payee = row.document["payer"] or _US, row.document["payee"] or _US
    return f"更正 correct {about}: {payer} → {payee}"


def _notes(row: Dispute) -> str | None:
    notes = [
        text
        for text, holds in (
            ("逾期提出 late", row.late),
            ("逾期未答复 overdue", row.overdue and row.answer is None),
            ("逾期答复 late answer", row.answer_late),
        )
        if holds
    ]
    return ", ".join(notes) or None
