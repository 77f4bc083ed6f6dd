"""Reading ``rulebook.json``: strict JSON whose faults have a line, then the rules of domain.md §2."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clearinghouse.domain.errors import PackFault, RulebookFault
from clearinghouse.domain.rulebook import Rulebook, rulebook_from_document, rulebook_sha256
from clearinghouse.operations.packs.fields import Unfit, prose
from clearinghouse.operations.packs.reading import open_regular
from clearinghouse.operations.packs.showing import escaped, shown

RULEBOOK = "rulebook.json"
#: The longest document that is read.
BYTES_MAX = 1 << 20
_BOM = b"\xef\xbb\xbf"

#: The tokens of JSON that is already known to be well formed.
_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*+")|(?P<mark>[{}\[\]:,])|(?P<blank>\s+)|(?P<other>[^\s{}\[\]:,"]+)'
)
_prose = prose(1000)
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class AgreedRulebook:
    """The rulebook of a pack; ``sha256`` is that of the complete document, however this one is spelled."""

    rulebook: Rulebook
    sha256: str
    lines: Mapping[str, int] = field(repr=False)


def read_rulebook(folder: Path) -> AgreedRulebook:
    """Read and check the ``rulebook.json`` of a pack.

    Raises:
        PackFault: no JSON, a member twice, a fraction or NaN, or a document that breaks domain.md §2.
    """
    return read_rulebook_file(folder / RULEBOOK)


def read_rulebook_file(path: Path) -> AgreedRulebook:
    """Read and check a rulebook from a file of any name; faults within it name it ``rulebook.json``.

    Raises:
        PackFault: as of :func:`read_rulebook`.
    """
    with open_regular(path) as handle:
        return read_rulebook_bytes(handle.read(BYTES_MAX + 1))


def read_rulebook_bytes(data: bytes) -> AgreedRulebook:
    """Read and check a rulebook from the bytes of its document.

    Raises:
        PackFault: as of :func:`read_rulebook`.
    """
    text = _text(data)
    try:
        # Numbers stay text until the walk below has looked at them: it can tell their line.
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise PackFault(f"is not JSON: {error.msg}", RULEBOOK, error.lineno) from None
    except RecursionError:
        raise PackFault("is nested too deeply", RULEBOOK, 1) from None
    lines = _walked(text)
    if not isinstance(document, dict):
        raise PackFault("a rulebook must be an object", RULEBOOK, 1)
    document = json.loads(text)
    try:
        rulebook = rulebook_from_document(document)
    except RulebookFault as fault:
        raise PackFault(escaped(fault.message), RULEBOOK, _line_of(fault, lines)) from None
    return AgreedRulebook(rulebook, rulebook_sha256(rulebook), lines)


def _text(data: bytes) -> str:
    if len(data) > BYTES_MAX:
        raise PackFault(f"is longer than {BYTES_MAX:,} bytes", RULEBOOK)
    nul = data.find(b"\0")
    if nul >= 0:
        raise PackFault("has a NUL byte", RULEBOOK, data.count(b"\n", 0, nul) + 1)
    try:
        return data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PackFault("is not UTF-8 text; save the file as UTF-8", RULEBOOK, line) from None


def _walked(text: str) -> dict[str, int]:
    """Refuse what JSON allows and a rulebook must not have; return the line of every member by path."""
    lines: dict[str, int] = {}
    open_paths: list[str] = []  # of the objects that the walk is inside of
    path = ""
    line, last = 1, ""
    for token in _TOKEN.finditer(text):
        shape, piece = token.lastgroup, token[0]
        if shape == "text":
            _refuse_control(piece, line)
            last = piece
        elif shape == "other":
            _refuse_inexact(piece, line)
        elif piece == ":":
            path = f"{open_paths[-1]}.{json.loads(last)}".removeprefix(".")
            if path in lines:
                raise PackFault(f"{shown(path)} is there twice", RULEBOOK, line)
            lines[path] = line
        elif piece == "[":
            raise PackFault("a rulebook has no lists", RULEBOOK, line)
        elif piece == "{":
            open_paths.append(path)
        elif piece == "}":
            open_paths.pop()
        line += piece.count("\n")
    return lines


def _refuse_control(token: str, line: int) -> None:
    text = json.loads(token)
    try:
        _prose(text)
    except Unfit as reason:
        raise PackFault(f"{shown(text)} {reason}", RULEBOOK, line) from None


def _refuse_inexact(token: str, line: int) -> None:
    if token in {"true", "false", "null"} or _WHOLE.fullmatch(token):
        return
    raise PackFault(f"{shown(token)} is not a whole number of at most 18 digits", RULEBOOK, line)


def _line_of(fault: RulebookFault, lines: Mapping[str, int]) -> int:
    """Return the line of the member that a fault is about, or of the object it is missing in."""
    named = fault.field or ""
    about = [path for path in lines if path == named or path.endswith(f".{named}")]
    about = about or [path for path in lines if path in fault.message]
    return lines[max(about, key=len)] if about else 1
