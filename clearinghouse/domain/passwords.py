"""Which passwords are refused (NIST SP 800-63B): short ones and those that everybody tries; no others.

No rule wants capitals or signs: a long one that its owner remembers is better than a short one on a slip of paper.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

LENGTH_MIN, LENGTH_MAX = 12, 200
_DIFFERENT_MIN = 5
#: What lists of leaked passwords begin with: words that others are made of by adding to them.
_WORDS = (
    "password passw0rd p@ssword p@ssw0rd passwort welcome letmein iloveyou woaini wodemima mima admin administrator"
    " root qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm 1qaz2wsx 1q2w3e4r 1q2w3e4r5t qazwsx qazwsxedc abc abcd"
    " abcdef abcdefgh aa123456 a123456 monkey dragon football baseball sunshine princess superman batman trustno"
    " starwars shadow master michael jordan jesus love hello login secret changeme default test testing guest user"
    " hotel finance caiwu jiudian china beijing shanghai summer winter spring autumn january october november"
    " december monday friday company computer internet whatever freedom forever mustang charlie pokemon naruto"
    " woshishui nihao zhongguo clearing clearinghouse"
)
_RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()_+",
)
_LEET = str.maketrans("@$013457!", "asoleastl")
_COMMON = sorted(
    {form for word in _WORDS.split() for form in (word, word.translate(_LEET))},
    key=len,
    reverse=True,
)


class PasswordFault(StrEnum):
    """What is wrong with a password."""

    SHORT = "short"
    LONG = "long"
    PLAIN = "plain"
    COMMON = "common"
    LOGIN = "login"


def password_fault(password: str, login: str) -> PasswordFault | None:
    """Return what is wrong with a password for a user with that login; ``None`` if it is good."""
    text = unicodedata.normalize("NFKC", password)
    if len(text) < LENGTH_MIN:
        return PasswordFault.SHORT
    if len(text) > LENGTH_MAX:
        return PasswordFault.LONG
    folded = text.casefold()
    if len(set(folded)) < _DIFFERENT_MIN:
        return PasswordFault.PLAIN
    rest = folded
    for part in (login.casefold(), *login.casefold().split("@")):
        if len(part) >= 4:
            rest = rest.replace(part, "")
    if rest != folded and len(rest) < 8:
        return PasswordFault.LOGIN
    return PasswordFault.COMMON if _is_common(folded) else None


def _is_common(folded: str) -> bool:
    """Tell whether little is left of a password without runs of the keyboard, years, and the commonest words."""
    plain = folded
    for run in _RUNS:
        plain = _without_run(plain, run)
    for word in _COMMON:
        plain = plain.replace(word, "")
    plain = re.sub(r"(?:19|20)\d\d|[\W_]", "", plain)
    # What is repeated adds nothing: three times the same four letters is four letters.
    plain = re.sub(r"(.+?)\1+", r"\1", plain)
    return len(plain) < 5


def _without_run(text: str, run: str) -> str:
    """Take stretches of four and more characters of a run away."""
    kept, at = "", 0
    while at < len(text):
        length = 4
        if text[at : at + length] in run and len(text) - at >= length:
            while at + length < len(text) and text[at : at + length + 1] in run:
                length += 1
            at += length
        else:
            kept += text[at]
            at += 1
    return kept
