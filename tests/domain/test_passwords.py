"""Which passwords are refused, and how logins are written."""

import pytest

from clearinghouse.domain.passwords import PasswordFault, password_fault
from clearinghouse.domain.users import login_key, login_of


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", PasswordFault.SHORT),
        ("elevenchars", PasswordFault.SHORT),
        ("ab" * 101, PasswordFault.LONG),
        ("aaaaaaaaaaaaaaaa", PasswordFault.PLAIN),
        ("password1234", PasswordFault.COMMON),
        ("Passw0rd!2026", PasswordFault.COMMON),
        ("123456789012", PasswordFault.COMMON),
        ("qwertyuiop12", PasswordFault.COMMON),
        ("abcabcabcabcd", PasswordFault.PLAIN),
        ("woaini5201314", PasswordFault.COMMON),
        ("1qaz2wsx3edc", PasswordFault.COMMON),
        ("finance1finance1", PasswordFault.LOGIN),
        ("finance1@AUR2026", PasswordFault.LOGIN),
        ("ｐａｓｓｗｏｒｄ１２３４", PasswordFault.COMMON),
        ("correct horse battery", None),
        ("x7Gh-29kd-Lmq0", None),
        ("纸船漂在月光河上的夜晚呀", None),
    ],
)
def test_passwords(password: str, fault: PasswordFault | None) -> None:
    assert password_fault(password, "finance1@AUR") == fault


def test_a_login_is_found_however_it_is_typed() -> None:
    assert login_of("caiwu1", "AUR") == "caiwu1@AUR"
    assert login_of("chief", None) == "chief"
    for typed in ("caiwu1@AUR", " CAIWU1@aur ", "ｃａｉｗｕ１＠ＡＵＲ"):
        assert login_key(typed) == login_key("caiwu1@AUR")


@pytest.mark.parametrize("name", ["", "a", "A1", "财务", "a" * 33, "-ab", "a b", "a@b", "ab\n"])
def test_names_that_do_not_fit(name: str) -> None:
    with pytest.raises(ValueError, match="2 to 32"):
        login_of(name, "AUR")
