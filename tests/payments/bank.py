"""The bank of the tests: writes statements in camt.053.001.08 and in CSV of what it says was booked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from clearinghouse.operations.changing import Authority
from clearinghouse.operations.context import Context
from clearinghouse.operations.payments import matching
from clearinghouse.operations.payments.bank_csv import NEEDED, OPTIONAL
from clearinghouse.operations.payments.importing import import_bank_file
from clearinghouse.operations.payments.sharing import Target

#: Our own account, and those of the systems of ``tests.alliances``.
OURS = "6222000000000000001"
ACCOUNTS = {
    "AUR": "6222000047109087253",
    "BAM": "6222000047109087261",
    "CLD": "6222000047109087279",
}

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True)
class Booked:
    """A movement of our account; ``amount`` in fen, above 0 what comes in. ``account`` may be a system's code."""

    ref: str
    amount: int
    reference: str | None = None
    account: str | None = None
    day: date = date(2026, 11, 10)
    reversal: bool = False
    text: str = ""
    name: str = "示例付款人"

    @property
    def other(self) -> str | None:
        return ACCOUNTS.get(self.account or "", self.account)


def camt(
    path: Path,
    lines: Sequence[Booked],
    *,
    opening: int | None = None,
    closing: int | None = None,
    account: str = OURS,
) -> Path:
    """Write a statement; the closing balance follows from the opening one unless it is given."""
    if opening is not None and closing is None:
        closing = opening + sum(line.amount for line in lines)
    balances = "".join(
        _balance(kind, amount)
        for kind, amount in (("OPBD", opening), ("CLBD", closing))
        if amount is not None
    )
    entries = "".join(map(_entry, lines))
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-10T20:00:00+08:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S1</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>{balances}{entries}</Stmt>"
        "</BkToCstmrStmt></Document>",
        encoding="utf-8",
    )
    return path


def csv(path: Path, lines: Sequence[Booked], *, account: str = OURS) -> Path:
    """Write the same as CSV."""
    rows = [",".join((*NEEDED, *OPTIONAL))]
    for line in lines:
        way = "in" if line.amount > 0 else "out"
        back = "yes" if line.reversal else "no"
        rows.append(
            f"{account},{line.ref},{line.day},{way},{_yuan(line.amount)},CNY,{back},{line.reference or ''},"
            f"{line.text},{line.other or ''},{line.name}"
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def bring_collateral(context: Context, path: Path, code: str, fen: int) -> None:
    """Let the bank bring the money of collateral that is posted, and tie it to that."""
    clerk, checker = Authority("clerk", "daily statement"), Authority("checker", "seen")
    file = camt(path, [Booked(path.stem, fen, day=context.clock().date())])
    (arrived,) = import_bank_file(context, file, clerk).arrived
    matching.propose(context, arrived.line.number, [Target(code, as_collateral=True)], clerk)
    matching.confirm(context, arrived.line.number, checker)


def _yuan(amount: int) -> str:
    return f"{Decimal(abs(amount)) / 100:.2f}"


def _side(amount: int) -> str:
    return "CRDT" if amount >= 0 else "DBIT"


def _balance(kind: str, amount: int) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{_yuan(amount)}</Amt>'
        f"<CdtDbtInd>{_side(amount)}</CdtDbtInd><Dt><Dt>2026-11-10</Dt></Dt></Bal>"
    )


def _entry(line: Booked) -> str:
    party = "Dbtr" if line.amount > 0 else "Cdtr"
    other = (
        f"<RltdPties><{party}><Pty><Nm>{escape(line.name)}</Nm></Pty></{party}><{party}Acct><Id><Othr><Id>"
        f"{line.other}</Id></Othr></Id></{party}Acct></RltdPties>"
        if line.other
        else ""
    )
    refs = (
        f"<Refs><EndToEndId>{escape(line.reference)}</EndToEndId></Refs>" if line.reference else ""
    )
    text = f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf>" if line.text else ""
    return (
        f'<Ntry><Amt Ccy="CNY">{_yuan(line.amount)}</Amt><CdtDbtInd>{_side(line.amount)}</CdtDbtInd>'
        f"<RvslInd>{'true' if line.reversal else 'false'}</RvslInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{line.day}</Dt></BookgDt><AcctSvcrRef>{escape(line.ref)}</AcctSvcrRef><BkTxCd/>"
        f"<NtryDtls><TxDtls>{refs}{other}{text}</TxDtls></NtryDtls></Ntry>"
    )
