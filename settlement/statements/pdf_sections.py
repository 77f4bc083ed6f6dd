"""The tables of a statement as the PDF's template prints them: headings, rows of texts, totals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from settlement.statements import labels
from settlement.statements.amounts import shown
from settlement.statements.labels import Label
from settlement.statements.presentation import payment_rows
from settlement.statements.sections import Member, Proof
from settlement.statements.statement import Counterparty, Statement

Table = dict[str, Any]


#: A column of texts up to so wide takes what it needs (a Chinese character counts as two); wider ones share the rest.
_NARROW = 24
_WIDEST = 60
#: A word longer than this may be broken, every so many characters.
_LONG_WORD = re.compile(r"\S{24,}")
_PIECE = 10


def table(
    columns: Sequence[Label],
    rows: list[list[Any]],
    total: list[str] | None = None,
    left: int = 1,
) -> Table:
    """Return a table; the first ``left`` columns are text, a cell one text or two, the others figures."""
    rows = [[*map(_breakable, row[:left]), *row[left:]] for row in rows]
    widest = [max((_width(row[column]) for row in rows), default=0) for column in range(left)]
    widths = [0 if width <= _NARROW else min(width, _WIDEST) for width in widest]
    if not any(widths):
        widths[-1] = 1
    return {
        "columns": list(columns),
        "rows": rows,
        "total": total,
        "left": left,
        "widths": widths,
    }


def _breakable(cell: Any) -> Any:
    """Return a cell whose long words may be broken: a reference without blanks must not run over the figures."""
    if isinstance(cell, list):
        return [_breakable(text) for text in cell]
    return _LONG_WORD.sub(_with_breaks, cell)


def _with_breaks(word: re.Match[str]) -> str:
    text = word[0]
    return "\u200b".join(text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _width(cell: Any) -> int:
    if isinstance(cell, list):
        return max(map(_width, cell))
    return sum(2 if ord(character) > 0x2E80 else 1 for character in cell)


def counterparties_table(statement: Statement) -> Table:
    """Return what was exchanged with each counterparty."""
    return table(
        (
            labels.CODE,
            labels.COUNTERPARTY,
            labels.COUNT,
            labels.RECEIVABLE_SHORT,
            labels.COUNT,
            labels.PAYABLE_SHORT,
            labels.NET_BEFORE_FEES,
        ),
        [
            [row.code, [row.name_zh, row.name_en], *_exchanged(row)]
            for row in statement.counterparties
        ],
        _exchanged(statement.counterparty_total),
        left=2,
    )


def _exchanged(row: Counterparty) -> list[str]:
    return [
        f"{row.receivable_count:,}",
        shown(row.receivable_minor),
        f"{row.payable_count:,}",
        shown(row.payable_minor),
        shown(row.net_minor),
    ]


def movements_table(statement: Statement) -> Table:
    """Return the payments and what else moved; on the clearing house's statement with whose each is."""
    whose = statement.control is not None
    columns = (labels.DATE, labels.MOVEMENT, labels.REFERENCE, labels.AMOUNT)
    rows = [
        [
            *([row.system or ""] if whose else []),
            row.date.isoformat(),
            list(labels.movement(row.kind)),
            row.reference,
            shown(row.amount_minor),
        ]
        for row in statement.movements
    ]
    total = [shown(-statement.summary.payments_minor)]
    return table(
        (labels.SYSTEM, *columns) if whose else columns, rows, total, left=4 if whose else 3
    )


def adjustments_table(statement: Statement) -> Table:
    """Return the corrections of earlier periods; the total is of those between systems, as in the summary."""
    whose = statement.control is not None
    columns = (
        labels.NUMBER,
        labels.COUNTERPARTY,
        labels.COUNTS_AS,
        labels.EXPLANATION,
        labels.AMOUNT,
    )
    rows = [
        [
            *([row.system or ""] if whose else []),
            str(row.number),
            row.counterparty or labels.CLEARING_HOUSE_SHORT.zh,
            list(labels.COUNTED_AS.get(row.counts_as, Label(row.counts_as, ""))),
            [str(labels.adjustment(row.kind)), " · ".join(filter(None, (row.reference, row.text)))],
            shown(row.amount_minor),
        ]
        for row in statement.adjustments
    ]
    return table(
        (labels.SYSTEM, *columns) if whose else columns,
        rows,
        [shown(sum(row.amount_minor for row in statement.adjustments))],
        left=5 if whose else 4,
    )


def issued_table(statement: Statement) -> Table:
    """Return the points liability of the hotels."""

    def figures(row: Any) -> list[str]:
        points = (
            row.opening, row.issued, -row.redeemed_own, -row.redeemed_cross, -row.expired,
            row.reversed, row.closing, row.debts,
        )  # fmt: skip
        return [
            *(f"{number:,}".replace("-", "−") for number in points),
            shown(row.fair_value_minor),
        ]

    return table(
        (
            labels.HOTEL if statement.control is None else labels.SYSTEM,
            labels.POINTS_OPENING,
            labels.POINTS_ISSUED,
            labels.REDEEMED_OWN,
            labels.REDEEMED_CROSS,
            labels.POINTS_EXPIRED,
            labels.POINTS_REVERSED,
            labels.POINTS_CLOSING,
            labels.POINTS_DEBTS,
            labels.FAIR_VALUE,
        ),
        [[row.issuer, *figures(row)] for row in statement.issued],
        figures(statement.issued_total),
    )


def payment_tables(statement: Statement) -> dict[str, Any] | None:
    """Return how the net is settled, and what was unpaid of earlier periods; ``None`` if there is nothing to settle."""
    payment = statement.payment
    if payment is None:
        return None
    *parts, total = (
        [[row.label.zh, row.label.en], row.reference, shown(row.amount_minor)]
        for row in payment_rows(payment)
    )
    debts = payment.older_debts
    return {
        "settled": table((labels.ITEM, labels.REFERENCE, labels.AMOUNT), [*parts, total], left=2),
        "debts": table(
            (labels.REFERENCE, labels.UNPAID_AT_END, labels.SET_OFF_NOW, labels.STILL_UNPAID),
            [
                [
                    row.reference,
                    shown(row.unpaid_minor),
                    shown(-row.set_off_minor),
                    shown(row.left_minor),
                ]
                for row in debts
            ],
            [
                shown(sum(row.unpaid_minor for row in debts)),
                shown(-sum(row.set_off_minor for row in debts)),
                shown(sum(row.left_minor for row in debts)),
            ],
        ),
    }


def securities_table(statement: Statement) -> Table:
    """Return what secures the party's debts, and what it claims."""
    return table(
        (labels.ITEM, labels.AMOUNT),
        [
            [
                str(labels.SECURITY_KINDS.get(row.kind) or row.kind),
                shown(row.amount_minor),
            ]
            for row in statement.securities
        ],
    )


def control_tables(statement: Statement) -> dict[str, Any] | None:
    """Return the clearing house's control; ``None`` on a member's statement."""
    control = statement.control
    if control is None:
        return None
    columns = (
        labels.SYSTEM,
        labels.OPENING_SHORT,
        labels.RECEIVABLE_SHORT,
        labels.PAYABLE_SHORT,
        labels.FEES_SHORT,
        labels.VAT_SHORT,
        labels.ADJUSTMENTS_SHORT,
        labels.NET_SHORT,
        labels.PAYMENTS_SHORT,
        labels.CLOSING_SHORT,
        labels.TO_TRANSFER,
    )
    return {
        **table(
            columns,
            [
                [[f"{row.code} {row.name_zh}", row.name_en], *_controlled(row)]
                for row in control.members
            ],
            [*_controlled(control.total)[:-1], shown(control.total.transfer_minor)],
        ),
        "settling": table(
            (labels.SETTLED_BY, labels.COUNT_SYSTEMS, labels.AMOUNT),
            [
                [str(labels.WAYS[row.way]), f"{row.count:,}", shown(row.amount_minor)]
                for row in control.settling
            ],
        ),
        "figures": table(
            (labels.ITEM, labels.COUNT),
            [[str(labels.FIGURE_NAMES[name]), f"{number:,}"] for name, number in control.figures],
        ),
        "proofs": [_proof(proof) for proof in control.proofs],
    }


def _controlled(row: Member) -> list[Any]:
    way = labels.WAYS.get(row.settled_by)
    return [
        shown(row.opening_minor),
        shown(row.receivable_minor),
        shown(-row.payable_minor),
        shown(-row.fees_minor),
        shown(-row.vat_minor),
        shown(row.adjustments_minor),
        shown(row.net_minor),
        shown(-row.payments_minor),
        shown(row.closing_minor),
        [shown(row.transfer_minor), str(way) if way and row.transfer_minor else ""],
    ]


def _proof(proof: Proof) -> dict[str, Any]:
    write = (lambda number: f"{number:,}".replace("-", "−")) if proof.name == "points" else shown
    terms = " ".join(
        f"{'+' if amount >= 0 else '−'} {labels.TERMS[name].zh} {write(abs(amount))}"
        for name, amount in proof.terms
    )
    return {
        "label": labels.PROOF_NAMES[proof.name],
        "terms": f"{terms.removeprefix('+ ')} =",
        "difference": write(proof.difference_minor),
        "good": proof.difference_minor == 0,
    }
