"""What ISO 20022 messages share: amounts, moments, texts that fit, parties and banks.

A message is made in memory: it has as many entries as there are counterparties, not as there were lines.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from hashlib import sha256
from typing import Any, BinaryIO, TypeAlias

from lxml import etree

from clearinghouse.domain.operator_profile import OperatorProfile
from settlement.statements.amounts import local

#: Stands where a message must name a bank or an account and we know none; banks' guides have it in ``Othr/Id``.
NOT_PROVIDED = "NOTPROVIDED"
NAME_MAX, TEXT_MAX, LONG_TEXT_MAX, ID_MAX, ACCOUNT_MAX = 140, 140, 500, 35, 34
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN_ID = re.compile(r"[A-Za-z0-9.-]{1,35}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CNAPS = re.compile(r"[0-9]{12}")

Element: TypeAlias = Any  # lxml brings no types


class Message:
    """Makes elements of one message in its namespace."""

    def __init__(self, name: str) -> None:
        self.namespace = f"urn:iso:std:iso:20022:tech:xsd:{name}"

    def tag(self, name: str) -> str:
        """Return a name in the message's namespace."""
        return f"{{{self.namespace}}}{name}"

    def element(self, name: str, *content: Any, **attributes: str) -> Element:
        """Make an element of texts and elements; ``None`` is left out."""
        made = etree.Element(self.tag(name), attributes, nsmap={None: self.namespace})
        for part in content:
            if isinstance(part, str):
                made.text = part
            elif part is not None:
                made.append(part)
        return made

    def path(self, names: str, *content: Any) -> Element:
        """Make elements one inside the other, named ``Outer/Inner``, around the content."""
        *outer, inner = names.split("/")
        made = self.element(inner, *content)
        for name in reversed(outer):
            made = self.element(name, made)
        return made

    def amount(self, name: str, amount_minor: int, currency: str) -> Element:
        """Make an amount, without its sign."""
        return self.element(name, decimal(abs(amount_minor)), Ccy=currency)

    def sign(self, amount_minor: int) -> Element:
        """Make the indicator of an amount's sign; nothing counts as credit."""
        return self.element("CdtDbtInd", "DBIT" if amount_minor < 0 else "CRDT")

    def organisation(self, name: str, names: str, code: str | None, uscc: str | None) -> Element:
        """Make a party: its name, its unified social credit code and its code in the alliance, as far as known."""
        ids = [
            self.element(
                "Othr",
                self.element("Id", fitting(identifier, ID_MAX)),
                self.path(f"SchmeNm/{kind}", scheme),
            )
            for identifier, kind, scheme in (
                (uscc, "Cd", "COID"),
                (code, "Prtry", "ALLIANCE_SYSTEM"),
            )
            if identifier
        ]
        return self.element(
            name,
            self.element("Nm", fitting(names, NAME_MAX)),
            self.path("Id/OrgId", *ids) if ids else None,
        )

    def bank(self, name: str, operator: OperatorProfile) -> Element:
        """Make the operator's bank, by its BIC or its CNAPS number; one of neither is said not to be provided."""
        code = operator.bank_code or ""
        known = bool(_BIC.fullmatch(code) or _CNAPS.fullmatch(code))
        return self.path(
            f"{name}/FinInstnId",
            self.element("BICFI", code) if _BIC.fullmatch(code) else None,
            self.element(
                "ClrSysMmbId", self.path("ClrSysId/Cd", "CNAPS"), self.element("MmbId", code)
            )
            if _CNAPS.fullmatch(code)
            else None,
            self.element("Nm", fitting(operator.bank_name, NAME_MAX))
            if operator.bank_name
            else None,
            None if known else self.path("Othr/Id", NOT_PROVIDED),
        )

    def write(self, out: BinaryIO, name: str, *content: Any) -> None:
        """Write the document with its one message, indented for people to read."""
        document = self.element("Document", self.element(name, *content))
        out.write(_DECLARATION + etree.tostring(document, encoding="UTF-8", pretty_print=True))


def message_id(text: str) -> str:
    """Return an id of at most 35 plain characters: the text itself, or its beginning and its hash.

    Different texts have different ids, and a text has the same for ever.
    """
    if _PLAIN_ID.fullmatch(text):
        return text
    begins = "".join(character for character in text if _PLAIN_ID.fullmatch(character))
    return f"{begins[:18]}-{sha256(text.encode()).hexdigest()[:16].upper()}"


def decimal(amount_minor: int) -> str:
    """Write fen as a decimal with two places: ``-5`` is ``-0.05``."""
    whole, rest = divmod(abs(amount_minor), 100)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{rest:02d}"


def moment(at: datetime, timezone: str) -> str:
    """Write a moment in a time zone, with its offset."""
    return local(at, timezone).isoformat(timespec="seconds")


def day(on: date) -> str:
    """Write a date."""
    return on.isoformat()


def fitting(text: str, most: int) -> str:
    """Return a text without what XML can't hold, cut to ``most`` characters."""
    return _NO_XML.sub("\ufffd", text)[:most]
