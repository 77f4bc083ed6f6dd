"""Every text of a page has its English, every English text is used, and both have the same placeholders."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

WEB = Path(__file__).parent.parent.parent / "web"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]")


def texts() -> Iterator[tuple[str, str]]:
    """The texts of templates and code, each with the file that it stands in."""
    methods = [("**/*.py", "python"), ("templates/**.html", "jinja2")]
    options = {
        "templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    }
    for file, _, message, *_ in extract_from_dir(WEB, methods, options, KEYWORDS):
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                yield text, file


def catalogues() -> Iterator[tuple[Path, Catalog]]:
    for path in sorted((WEB / "translations" / "en").glob("*.po")):
        with path.open("rb") as file:
            yield path, read_po(file, locale="en", abort_invalid=True)


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    return {
        str(message.id): str(message.string)
        for _, catalogue in catalogues()
        for message in catalogue
        if message.id and not message.fuzzy
    }


def test_every_text_has_its_english(english: dict[str, str]) -> None:
    missing = {text: file for text, file in texts() if not english.get(text)}
    assert not missing


def test_every_english_text_is_used() -> None:
    used = {text for text, _ in texts()}
    assert len(used) > 50
    unused = [
        (path.name, message.id)
        for path, catalogue in catalogues()
        for message in catalogue
        if message.id and message.id not in used
    ]
    assert not unused


def test_a_text_has_one_english(english: dict[str, str]) -> None:
    told = Counter(
        message.id for _, catalogue in catalogues() for message in catalogue if message.id
    )
    assert [text for text, count in told.items() if count > 1] == []


def test_placeholders_are_the_same_in_both(english: dict[str, str]) -> None:
    for chinese, text in english.items():
        assert set(_PLACEHOLDER.findall(chinese)) == set(_PLACEHOLDER.findall(text)), chinese


def test_english_is_no_chinese(english: dict[str, str]) -> None:
    assert [text for text in english.values() if _CHINESE.search(text)] == []


def test_chinese_stands_only_where_it_is_translated() -> None:
    """What is written into a template as it is would be Chinese for everybody."""
    for path in sorted((WEB / "templates").rglob("*.html")):
        html = re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", "", re.sub(
            r"{%-? *trans\b.*?{%-? *endtrans *-?%}", "", path.read_text(), flags=re.DOTALL
        ), flags=re.DOTALL)  # fmt: skip
        found = [line.strip() for line in html.splitlines() if _CHINESE.search(line)]
        assert not [line for line in found if "lang=" not in line], path.name
