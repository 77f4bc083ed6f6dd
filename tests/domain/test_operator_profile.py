"""Who the clearing house is: what a setting may say of it."""

from __future__ import annotations

from typing import Any

import pytest

from clearinghouse.config import Settings
from clearinghouse.domain.errors import ConfigError
from clearinghouse.domain.operator_profile import OperatorProfile, operator_profile


def test_what_is_left_out_takes_its_default() -> None:
    assert operator_profile({}) == OperatorProfile()
    found = operator_profile({"name_zh": " 示例清算有限公司 ", "bank_code": "102290000013"})
    assert (found.name_zh, found.name_en) == ("示例清算有限公司", OperatorProfile().name_en)
    assert (found.bank_code, found.bank_account) == ("102290000013", None)


@pytest.mark.parametrize("code", ["102290000013", "BKCHCNBJ", "BKCHCNBJ300"])
def test_a_bank_code_is_of_cnaps_or_a_bic(code: str) -> None:
    assert operator_profile({"bank_code": code}).bank_code == code


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "is not a JSON object"),
        ({"name": "x"}, "has an unknown member name"),
        ({"uscc": 7}, "has no text as uscc"),
        ({"uscc": " "}, "has no text as uscc"),
        ({"bank_name": "a\nb"}, "has no text as bank_name"),
        ({"bank_account": "1" * 35}, "has a bank_account of more than 34 characters"),
        ({"name_zh": "名" * 141}, "has a name_zh of more than 140 characters"),
        ({"bank_code": "12"}, "has a bank_code that is neither 12 digits of CNAPS nor a BIC"),
    ],
)
def test_what_no_document_could_hold_is_refused(document: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        operator_profile(document)


def test_blanks_in_an_account_do_not_count() -> None:
    written = "6222 0000 " * 4
    assert operator_profile({"bank_account": written}).bank_account == written.strip()


@pytest.mark.parametrize("text", ["{", '{"name": "x"}', "7"])
def test_a_setting_that_cannot_be_used_is_told_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^CLEARINGHOUSE_OPERATOR .*\.$"):
        Settings.from_environment({"CLEARINGHOUSE_OPERATOR": text})


def test_the_setting_says_who_the_operator_is() -> None:
    found = Settings.from_environment({"CLEARINGHOUSE_OPERATOR": '{"name_en": "Sample Clearing"}'})
    assert found.operator.name_en == "Sample Clearing"
