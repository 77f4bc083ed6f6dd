"""The bank of the sample alliance: the day after, its statement tells that everybody has paid and was paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from lxml import etree
from lxml.builder import ElementMaker

from clearinghouse.domain.directory import System
from clearinghouse.domain.operator_profile import OperatorProfile
from clearinghouse.domain.payments import Direction
from clearinghouse.operations.payments.camt import NAMESPACE
from clearinghouse.store.payments.instructions import Instruction

#: A made-up account of the clearing house.
OUR_ACCOUNT = "6222000000000000001"
#: Who the clearing house of the demo is: its documents say at every turn that it is made up.
SAMPLE_OPERATOR = OperatorProfile(
    name_zh="示例酒店联盟清算所",
    name_en="Sample Hotel Alliance Clearing House",
    uscc="91310000SAMPLE0000",
    bank_account=OUR_ACCOUNT,
    bank_name="示例银行（样例账户，请勿付款） Sample Bank (a made-up account: pay nothing to it)",
)
_E = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE})


def write_statement(
    path: Path, paid: Sequence[tuple[Instruction, System]], day: date, unnamed: Instruction
) -> None:
    """Write a camt.053.001.08 in which each instruction is paid on a day; one payer names no reference."""
    entries = [
        _entry(number, one, system, day, named=one != unnamed)
        for number, (one, system) in enumerate(paid, start=1)
    ]
    total = sum(
        one.outstanding_minor if one.direction is Direction.IN else -one.outstanding_minor
        for one, _ in paid
    )
    document = _E.Document(
        _E.BkToCstmrStmt(
            _E.GrpHdr(_E.MsgId(f"DEMO-{day:%Y%m%d}"), _E.CreDtTm(f"{day}T20:00:00+08:00")),
            _E.Stmt(
                _E.Id(f"DEMO-{day:%Y%m%d}"),
                _E.Acct(_E.Id(_E.Othr(_E.Id(OUR_ACCOUNT)))),
                _balance("OPBD", 0, day),
                _balance("CLBD", total, day),
                *entries,
            ),
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        etree.tostring(document, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    )


def _entry(
    number: int, one: Instruction, system: System, day: date, *, named: bool
) -> etree._Element:
    comes_in = one.direction is Direction.IN
    party, account = ("Dbtr", "DbtrAcct") if comes_in else ("Cdtr", "CdtrAcct")
    details = [
        _E.RltdPties(
            _E(party, _E.Pty(_E.Nm(system.name_zh or system.name_en))),
            _E(account, _E.Id(_E.Othr(_E.Id(system.bank_account or "-")))),
        )
    ]
    if named:
        details.insert(0, _E.Refs(_E.EndToEndId(one.reference)))
    return _E.Ntry(
        _amount(one.outstanding_minor),
        _E.CdtDbtInd("CRDT" if comes_in else "DBIT"),
        _E.Sts(_E.Cd("BOOK")),
        _E.BookgDt(_E.Dt(day.isoformat())),
        _E.AcctSvcrRef(f"DEMO{day:%Y%m%d}{number:04d}"),
        _E.BkTxCd(_E.Prtry(_E.Cd("TRANSFER"))),
        _E.NtryDtls(_E.TxDtls(*details)),
    )


def _balance(kind: str, amount: int, day: date) -> etree._Element:
    return _E.Bal(
        _E.Tp(_E.CdOrPrtry(_E.Cd(kind))),
        _amount(abs(amount)),
        _E.CdtDbtInd("CRDT" if amount >= 0 else "DBIT"),
        _E.Dt(_E.Dt(day.isoformat())),
    )


def _amount(fen: int) -> etree._Element:
    return _E.Amt(f"{fen // 100}.{fen % 100:02d}", Ccy="CNY")
