"""The rulebook of a pack: strict JSON, the rules of domain.md §2, one version a day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.errors import PackFault
from clearinghouse.operations.packs import Known, read_pack
from tests.operations.packs_sample import FILES, RULEBOOK, load, remembered, write_pack

TEXT = FILES["rulebook.json"]


def replaced(old: str, new: str) -> str:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


FAULTS: list[tuple[str | bytes, int | None, str]] = [
    ("", 1, "is not JSON: Expecting value"),
    ("[]", 1, "a rulebook has no lists"),
    ('"v1"', 1, "a rulebook must be an object"),
    (replaced('"v1",', '"v1"'), 3, "is not JSON: Expecting ',' delimiter"),
    (replaced('"v1"', '"v1'), 2, "is not JSON: "),
    ("[" * 200_000, 1, "is nested too deeply"),
    (replaced("10000", "NaN"), 6, '"NaN" is not a whole number'),
    (replaced("10000", "-Infinity"), 6, '"-Infinity" is not a whole number'),
    (replaced("10000", "1e30"), 6, '"1e30" is not a whole number'),
    (replaced("10000", "73.5"), 6, '"73.5" is not a whole number'),
    (replaced("10000", "9" * 5000), 6, "is not a whole number of at most 18 digits"),
    (replaced("20000", "[1]"), 9, "a rulebook has no lists"),
    (replaced('"rate_ppm": 20000,', '"rate_ppm": 1, "rate_ppm": 2,'), 9,
     '"fees.redeem.rate_ppm" is there twice'),
    (replaced('"fees"', '"version": "v2",\n"fees"'), 4, '"version" is there twice'),
    (replaced("L-1", "L\\u0000"), 14, '"L\\x00" has a control character'),
    (replaced("L-1", "L\\ud800"), 14, '"L\\ud800" has a control character'),
    (replaced("10000", "-1"), 6, "fees.spend.rate_ppm must be between 0 and"),
    (replaced("20000", "-1"), 9, "fees.redeem.rate_ppm must be between 0 and"),
    (replaced('"fees"', '"vat_ppm": -60000,\n"fees"'), 4, "vat_ppm must be between 0 and"),
    (replaced('"fees"', '"draw_order": "random",\n"fees"'), 4, "draw_order must be earliest_expiry or"),
    (replaced('"fees"', '"fee"'), 4, '"fee" is not a rulebook field'),
    (replaced('"max_minor"', '"maximum"'), 10, '"maximum" is not a rulebook field'),
    (replaced('"2026-01-01"', '"01.01.2026"'), 3, "effective_from must be a date"),
    (replaced('"version": "v1",', ""), 1, "version must be given"),
    (replaced('  "holder": "清算所",\n', ""), 13, "stored_value_licence.holder must be given"),
    (replaced("2030-12-31", "2030-13-31"), 17, "stored_value_licence.valid_until must be a date"),
    (TEXT.encode("gb18030"), 15, "is not UTF-8 text; save the file as UTF-8"),
    (TEXT.encode() + b"\0", 19, "has a NUL byte"),
    (TEXT + " " * (1 << 20), None, "is longer than 1,048,576 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "sentence"), FAULTS)
def test_a_fault_in_the_rulebook(
    tmp_path: Path, text: str | bytes, line: int | None, sentence: str
) -> None:
    with pytest.raises(PackFault) as raised:
        read_pack(write_pack(tmp_path, {"rulebook.json": text}))
    place = "rulebook.json: " if line is None else f"rulebook.json line {line}: "
    assert str(raised.value).startswith(place)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def known_of(tmp_path: Path) -> Known:
    return remembered(load(write_pack(tmp_path / "first")))


@pytest.mark.parametrize(
    ("change", "line", "sentence"),
    [({"vat_ppm": 1}, 2, 'version "v1" is on record with other content; a change is a new version'),
     ({"effective_from": "2026-02-01"}, 2, 'version "v1" is on record with other content'),
     ({"version": "v2"}, 3, 'version "v1" takes effect on 2026-01-01 too; only one version can')],
)  # fmt: skip
def test_versions_that_overlap(
    tmp_path: Path, change: dict[str, Any], line: int, sentence: str
) -> None:
    text = json.dumps(RULEBOOK | change, indent=1)
    with pytest.raises(PackFault) as raised:
        load(write_pack(tmp_path / "later", {"rulebook.json": text}), known_of(tmp_path))
    assert str(raised.value).startswith(f"rulebook.json line {line}: {sentence}")


def test_the_next_version_follows_the_first(tmp_path: Path) -> None:
    text = json.dumps(RULEBOOK | {"version": "v2", "effective_from": "2026-07-01"})
    checked = load(write_pack(tmp_path / "later", {"rulebook.json": text}), known_of(tmp_path))
    assert checked.pack.rulebook is not None
    assert checked.pack.rulebook.rulebook.version == "v2"
