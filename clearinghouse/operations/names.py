"""Whether two names are the same person's, however they were typed (docs/decisions/0013)."""

from __future__ import annotations

import re
import unicodedata

#: A name in both scripts, as "李芳 Li Fang": words with Chinese characters, then words without any.
_BOTH = re.compile(r"(\S*[\u4e00-\u9fff]\S*(?: \S*[\u4e00-\u9fff]\S*)*) ([^\u4e00-\u9fff]+)")


def same_name(one: str, other: str) -> bool:
    """Tell whether two names differ in nothing but width, case and blanks; no name is nobody's."""
    return bool(plain_name(one)) and plain_name(one) == plain_name(other)


def answers_to(on_record: str, said: str) -> bool:
    """Tell whether a name that somebody says is the one on record, or one half of it where that is in both scripts."""
    both = _BOTH.fullmatch(unicodedata.normalize("NFKC", on_record).strip())
    halves = (both[1], both[2]) if both else ()
    return any(same_name(each, said) for each in (on_record, *halves))


def plain_name(name: str) -> str:
    """Return a name without what may differ from one typing to the next: width, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
