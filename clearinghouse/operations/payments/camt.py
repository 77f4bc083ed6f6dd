"""Reading camt.053.001.08, the bank's statement of ISO 20022: what is booked on our account.

The file comes from outside, so nothing in it is looked up elsewhere: no document type, no entities, no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from lxml import etree

from clearinghouse.domain.errors import BankFileFault
from clearinghouse.domain.matching import plain_account
from clearinghouse.operations.packs.showing import shown
from clearinghouse.operations.payments.bank_file import (
    LINES_MAX,
    FileContent,
    FileLine,
    day,
    fen,
    must_be_currency,
    one_line,
    reference,
)

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_NS = {"c": NAMESPACE}
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


class _Statement(NamedTuple):
    account: str
    opening_minor: int | None
    closing_minor: int | None
    lines: list[FileLine]
    not_booked: int


def read_camt(content: bytes, currency: str) -> FileContent:
    """Read the booked entries of all statements of a file, which are of one account.

    Raises:
        BankFileFault: it is no such file, or does not hold together.
    """
    statements = [
        _statement(element, place, currency)
        for place, element in _numbered("statement", _root(content), "c:BkToCstmrStmt/c:Stmt")
    ]
    if not statements:
        raise BankFileFault("there is no statement in the file")
    if len({statement.account for statement in statements}) > 1:
        raise BankFileFault("the file tells of several accounts; import a file for each")
    for before, after in pairwise(statements):
        if None not in (before.closing_minor, after.opening_minor) and (
            before.closing_minor != after.opening_minor
        ):
            raise BankFileFault("a statement does not open with what the one before it closed with")
    return FileContent(
        "camt053",
        statements[0].account,
        statements[0].opening_minor,
        statements[-1].closing_minor,
        tuple(line for statement in statements for line in statement.lines),
        sum(statement.not_booked for statement in statements),
    )


def _root(content: bytes) -> etree._Element:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise BankFileFault("the file declares a document type or entities, which no bank does")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise BankFileFault(f"it is not well-formed XML (line {error.lineno})") from None
    # In another encoding the search above finds nothing.
    if root.getroottree().docinfo.doctype:
        raise BankFileFault("the file declares a document type or entities, which no bank does")
    if root.tag != f"{{{NAMESPACE}}}Document":
        raise BankFileFault(f"it is not a camt.053.001.08 file but {shown(str(root.tag))}")
    return root


def _numbered(
    what: str, element: etree._Element, path: str, within: str = ""
) -> Iterator[tuple[str, etree._Element]]:
    for number, child in enumerate(element.iterfind(path, _NS), start=1):
        yield f"{within}{what} {number}", child


def _statement(element: etree._Element, place: str, currency: str) -> _Statement:
    account = plain_account(_text(element, "c:Acct/c:Id/c:IBAN", "c:Acct/c:Id/c:Othr/c:Id"))
    if account is None:
        raise BankFileFault("it does not say of which account it is", place)
    name = _text(element, "c:Id")
    lines: list[FileLine] = []
    total, not_booked = 0, 0
    for where, entry in _numbered("entry", element, "c:Ntry", f"{place}, "):
        if _text(entry, "c:Sts/c:Cd", "c:Sts") != "BOOK":
            not_booked += 1
            continue
        found = list(_entry(entry, where, currency, name, account))
        lines.extend(found)
        total += sum(line.amount_minor if line.incoming else -line.amount_minor for line in found)
        if len(lines) > LINES_MAX:
            raise BankFileFault(f"there are more than {LINES_MAX:,} entries in the file")
    opening = _balance(element, _OPENING, place, currency)
    closing = _balance(element, _CLOSING, place, currency)
    if None not in (opening, closing) and (opening or 0) + total != closing:
        raise BankFileFault(
            "its entries do not lead from the opening to the closing balance", place
        )
    return _Statement(account, opening, closing, lines, not_booked)


def _entry(
    entry: etree._Element, place: str, currency: str, statement: str, account: str
) -> Iterator[FileLine]:
    """Yield the movements of an entry: itself, or those that the bank has booked in one sum."""
    amount = _amount(entry, "c:Amt", place, currency)
    incoming = _is_credit(entry, place)
    details = entry.findall("c:NtryDtls/c:TxDtls", _NS)
    key = _key(entry, details, place, statement)
    reversal = _text(entry, "c:RvslInd") in ("true", "1")
    booked = _text(entry, "c:BookgDt/c:Dt", "c:BookgDt/c:DtTm")[:10]
    if len(details) < 2:
        detail = details[0] if details else entry
        if (
            details
            and _text(detail, "c:Amt")
            and _amount(detail, "c:Amt", place, currency) != amount
        ):
            raise BankFileFault("the amount of its one transaction is another than its own", place)
        parts = [(key, amount, incoming, detail)]
    else:
        parts = [
            (
                f"{key}#{number}",
                _amount(detail, "c:Amt", place, currency),
                _is_credit(detail, place) if _text(detail, "c:CdtDbtInd") else incoming,
                detail,
            )
            for number, detail in enumerate(details, start=1)
        ]
        total = sum(part if credit else -part for _, part, credit, _ in parts)
        if total != (amount if incoming else -amount):
            raise BankFileFault("its transactions do not sum to its amount", place)
    for part_key, part, credit, detail in parts:
        if part == 0:
            raise BankFileFault("an amount is zero", place)
        back = reversal or detail.find("c:RtrInf", _NS) is not None
        yield FileLine(
            place,
            part_key,
            day(booked, place),
            credit,
            back,
            part,
            _given(_text(detail, "c:Refs/c:EndToEndId")),
            _remittance(entry, detail),
            *_counterparty(detail, credit, account),
            key if len(parts) > 1 else None,
        )


def _key(entry: etree._Element, details: list[etree._Element], place: str, statement: str) -> str:
    """Return by what the bank knows an entry; its number is one only together with its statement's."""
    own = _text(entry, "c:AcctSvcrRef")
    if not own and len(details) == 1:
        own = _text(details[0], "c:Refs/c:AcctSvcrRef")
    numbered = _text(entry, "c:NtryRef")
    return reference(own or (f"{statement}/{numbered}" if numbered else ""), place)


def _counterparty(
    detail: etree._Element, incoming: bool, own: str
) -> tuple[str | None, str | None]:
    """Return account and name of the other side. In a return a bank may leave the parties as they were at first."""
    for party in ("Dbtr", "Cdtr") if incoming else ("Cdtr", "Dbtr"):
        base = f"c:RltdPties/c:{party}"
        account = plain_account(
            _text(detail, f"{base}Acct/c:Id/c:IBAN", f"{base}Acct/c:Id/c:Othr/c:Id")
        )
        if account is not None and account != own:
            name = _text(detail, f"{base}/c:Pty/c:Nm", f"{base}/c:Agt/c:FinInstnId/c:Nm")
            return account, one_line(name) or None
    return None, None


def _remittance(entry: etree._Element, detail: etree._Element) -> str:
    paths = (
        "c:RmtInf/c:Ustrd",
        "c:RmtInf/c:Strd/c:CdtrRefInf/c:Ref",
        "c:RmtInf/c:Strd/c:AddtlRmtInf",
        "c:AddtlTxInf",
    )
    texts = [text for path in paths for found in detail.iterfind(path, _NS) if (text := found.text)]
    return one_line(" ".join(texts) or _text(entry, "c:AddtlNtryInf"))


def _given(text: str) -> str | None:
    """Return an end-to-end reference; ISO 20022 has a word for where the payer gave none."""
    text = one_line(text)
    return None if text in ("", "NOTPROVIDED") else text


def _balance(
    element: etree._Element, kinds: tuple[str, ...], place: str, currency: str
) -> int | None:
    for kind in kinds:
        for balance in element.iterfind("c:Bal", _NS):
            if _text(balance, "c:Tp/c:CdOrPrtry/c:Cd") == kind:
                amount = _amount(balance, "c:Amt", place, currency)
                return amount if _is_credit(balance, place) else -amount
    return None


def _amount(element: etree._Element, path: str, place: str, currency: str) -> int:
    found = element.find(path, _NS)
    if found is None:
        raise BankFileFault("an amount is missing", place)
    must_be_currency(found.get("Ccy"), currency, place)
    return fen(found.text or "", place)


def _is_credit(element: etree._Element, place: str) -> bool:
    side = _text(element, "c:CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise BankFileFault("it does not say whether it is a credit or a debit", place)
    return side == "CRDT"


def _text(element: etree._Element, *paths: str) -> str:
    """Return the text at the first of these paths that has any."""
    for path in paths:
        found = element.find(path, _NS)
        if found is not None and (text := (found.text or "").strip()):
            return text
    return ""
