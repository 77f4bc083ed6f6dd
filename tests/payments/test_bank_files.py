"""Files of the bank: what is read of them, and why they are refused."""

from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from clearinghouse.domain.errors import BankFileFault
from clearinghouse.operations.payments import reading
from clearinghouse.operations.payments.bank_file import FileLine
from clearinghouse.operations.payments.reading import read_bank_file
from tests.payments.bank import OURS, Booked, camt, csv

LINES = [
    Booked("B1", 31_250, "CH-202610-AUR-1", "AUR", text="结算 <October>"),
    Booked("B2", -5, None, "BAM", reversal=True),
]
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def read(path: Path) -> tuple[FileLine, ...]:
    return read_bank_file(path, "CNY").content.lines


def test_camt_and_csv_say_the_same(tmp_path: Path) -> None:
    first, second = read(camt(tmp_path / "a", LINES)), read(csv(tmp_path / "b", LINES))
    assert [line[1:] for line in first] == [line[1:] for line in second]
    assert first[0][1:] == (
        "B1",
        date(2026, 11, 10),
        True,
        False,
        31_250,
        "CH-202610-AUR-1",
        "结算 <October>",
        "6222000047109087253",
        "示例付款人",
        None,
    )
    assert (first[1].incoming, first[1].reversal, first[1].amount_minor) == (False, True, 5)


def test_a_file_of_our_own_making_is_valid(tmp_path: Path, shared_folder: Path) -> None:
    schema = etree.XMLSchema(etree.parse(shared_folder / "xsd" / "camt.053.001.08.xsd"))
    written = etree.parse(camt(tmp_path / "a", LINES, opening=1_000))
    # The bank of the tests says no more than is read; what a schema needs beside that is put in.
    for entry in written.iter(f"{{{NAMESPACE}}}BkTxCd"):
        etree.SubElement(entry, f"{{{NAMESPACE}}}Prtry").append(_code("X"))
    assert schema.validate(written), schema.error_log


def _code(text: str) -> etree._Element:
    code = etree.Element(f"{{{NAMESPACE}}}Cd")
    code.text = text
    return code


def entry(**changed: str) -> str:
    parts = {
        "amount": '<Amt Ccy="CNY">10.00</Amt>',
        "side": "<CdtDbtInd>CRDT</CdtDbtInd>",
        "status": "<Sts><Cd>BOOK</Cd></Sts>",
        "day": "<BookgDt><DtTm>2026-11-10T23:59:00+08:00</DtTm></BookgDt>",
        "ref": "<AcctSvcrRef>E1</AcctSvcrRef>",
        "details": "",
        **changed,
    }
    return "<Ntry>" + "".join(parts.values()) + "</Ntry>"


def document(*entries: str, head: str = "", before: str = "") -> str:
    return (
        f'{before}<Document xmlns="{NAMESPACE}"><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id><IBAN>X1</IBAN></Id>'
        f"</Acct>{head}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    )


def balances(opening: str, closing: str) -> str:
    return "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{amount}</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd></Bal>"
        for kind, amount in (("OPBD", opening), ("CLBD", closing))
    )


def details(*amounts: str) -> str:
    return "<NtryDtls>" + "".join(
        f'<TxDtls><Refs><AcctSvcrRef>E1</AcctSvcrRef></Refs><Amt Ccy="CNY">{amount}</Amt></TxDtls>'
        for amount in amounts
    ) + "</NtryDtls>"  # fmt: skip


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
FAULTS = {
    "no xml": ("<Document", "not well-formed XML"),
    "another message": ("<Document xmlns='urn:x'/>", "it is not a camt.053.001.08 file"),
    "an older version": (
        document(entry()).replace("001.08", "001.02"),
        "it is not a camt.053.001.08 file",
    ),
    "entities": (document(entry(), before=LAUGHS), "declares a document type or entities"),
    "a file of ours": (
        document(before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        "declares a document type or entities",
    ),
    "no statement": (
        f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt/></Document>',
        "there is no statement",
    ),
    "no reference": (
        document(entry(ref="")),
        "entry 1: the bank's reference of the entry is missing",
    ),
    "no side": (document(entry(side="")), "entry 1: it does not say whether it is a credit"),
    "dollars": (document(entry(amount='<Amt Ccy="USD">1</Amt>')), 'the currency is "USD", not CNY'),
    "half a fen": (
        document(entry(amount='<Amt Ccy="CNY">1.005</Amt>')),
        "not a whole number of fen",
    ),
    "below zero": (document(entry(amount='<Amt Ccy="CNY">-1</Amt>')), "is not an amount in yuan"),
    "nothing": (document(entry(amount='<Amt Ccy="CNY">0.00</Amt>')), "an amount is zero"),
    "no day": (document(entry(day="")), "is not a date"),
    "the same twice": (document(entry(), entry()), "entry 2: it has the bank's reference of"),
    "in one sum and in parts": (
        document(entry(), entry(details=details("4.00", "6.00"))),
        "entry 2: it has the bank's reference of",
    ),
    "does not foot": (
        document(entry(), head=balances("1.00", "12.00")),
        "its entries do not lead from the opening to the closing balance",
    ),
    "details do not sum": (
        document(entry(details=details("4.00", "5.00"))),
        "its transactions do not sum to its amount",
    ),
    "one detail differs": (document(entry(details=details("4.00"))), "is another than its own"),
    "two accounts": (
        document(entry()).replace(
            "</Stmt>", "</Stmt><Stmt><Acct><Id><IBAN>X2</IBAN></Id></Acct></Stmt>"
        ),
        "several accounts",
    ),
    "csv without a column": (
        "account,entry_reference\n",
        "line 1: the column booked_on is missing",
    ),
    "csv with a strange one": (
        "account,entry_reference,booked_on,direction,amount,currency,iban\n",
        'there is no column "iban"',
    ),
}
HEADER = "account,entry_reference,booked_on,direction,amount,currency\n"
ROWS = {
    "direction": ("A,E1,2026-11-10,up,1.00,CNY", 'the direction "up" is not in or out'),
    "day": ("A,E1,10.11.2026,in,1.00,CNY", "line 2: "),
    "commas in numbers": ('A,E1,2026-11-10,in,"1,000.00",CNY', "is not an amount in yuan"),
    "fewer columns": ("A,E1,2026-11-10,in,1.00", "line 2: it has 5 columns, the header 6"),
    "two accounts": ("A,E1,2026-11-10,in,1,CNY\nB,E2,2026-11-10,in,1,CNY", "several accounts"),
    "an open quote": ('A,"E1,2026-11-10,in,1.00,CNY', "line 2: "),
    "no account": (",E1,2026-11-10,in,1.00,CNY", "on which account"),
    "no lines": ("", "there is no line"),
}


@pytest.mark.parametrize(
    ("text", "said"),
    [*FAULTS.values(), *((HEADER + row, said) for row, said in ROWS.values())],
    ids=[*FAULTS, *(f"csv {name}" for name in ROWS)],
)
def test_a_fault_refuses_the_file_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bank.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BankFileFault) as refused:
        read(path)
    assert said in refused.value.message
    assert '"bank.xml"' in refused.value.message or "bank.xml" in refused.value.message
    assert "\n" not in refused.value.message


def test_entities_in_another_encoding_are_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    path.write_bytes(
        ('<?xml version="1.0" encoding="UTF-16"?>' + document(entry(), before=LAUGHS)).encode(
            "utf-16"
        )
    )
    with pytest.raises(BankFileFault, match="declares a document type or entities"):
        read(path)


def test_what_was_booked_in_one_sum_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    path.write_text(document(entry(details=details("4.00", "6.00"))), encoding="utf-8")
    assert [(line.entry_reference, line.amount_minor) for line in read(path)] == [
        ("E1#1", 400),
        ("E1#2", 600),
    ]


def test_what_is_only_announced_is_counted_and_left(tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    pending = entry(status="<Sts><Cd>PDNG</Cd></Sts>", ref="")
    path.write_text(document(entry(), pending), encoding="utf-8")
    content = read_bank_file(path, "CNY").content
    assert (len(content.lines), content.not_booked) == (1, 1)


def test_a_return_without_its_mark_is_known_by_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    back = "<NtryDtls><TxDtls><RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf></TxDtls></NtryDtls>"
    path.write_text(document(entry(details=back)), encoding="utf-8")
    assert read(path)[0].reversal


def test_a_number_alone_is_a_reference_within_its_statement(tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    path.write_text(document(entry(ref="<NtryRef>1</NtryRef>")), encoding="utf-8")
    assert read(path)[0].entry_reference == "S/1"


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BYTES_MAX", 100)
    with pytest.raises(BankFileFault, match="is larger than"):
        read(csv(tmp_path / "a", LINES))


def test_strange_characters_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bank.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + HEADER.replace("\n", ",remittance\r\n").encode()
        + f"{OURS},E\u202e1,2026-11-10,in,1.5,CNY,a\x00b\r\n\r\n".encode()
    )  # fmt: skip
    (line,) = read(path)
    assert (line.entry_reference, line.remittance, line.amount_minor) == ("E 1", "a b", 150)
