"""Whether two names are of one person, however they are written (docs/decisions/0022)."""

import pytest

from clearinghouse.domain.people import same_person


@pytest.mark.parametrize(
    "name",
    [
        "Zhao Li",
        " zhao li",
        "ZHAO  LI ",
        "Ｚｈａｏ\u3000Ｌｉ",
        "zhao\u00a0Li",
        "zhao\tli",
        "Z\u200bhao\ufeff Li\u202e",
    ],
)
def test_it_is_one_person(name: str) -> None:
    assert same_person("Zhao Li", name)
    assert same_person(name, "Zhao Li")


@pytest.mark.parametrize("name", ["Zhao", "Zhaoli", "赵丽", ""])
def test_it_is_somebody_else(name: str) -> None:
    assert not same_person("Zhao Li", name)
