"""The language of a page: Chinese, unless the reader chose or prefers English.

The texts in templates and code are the Chinese ones; English stands in ``translations/en/*.po``, one file for each
part of the site, read at the start. A test fails on a text without English, and on one that is no longer used.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, request, session
from flask_babel import Babel, Domain, get_locale

CHINESE, ENGLISH = "zh_Hans", "en"
_TRANSLATIONS = Path(__file__).parent.parent / "translations"
_CHOSEN = "language"


class _Catalogues(Domain):  # type: ignore[misc]  # flask_babel ships no types
    """The English of all parts, without compiled files that could be older than their sources."""

    def get_translations(self) -> NullTranslations:
        """Return the texts of this request's language."""
        locale = get_locale()
        return _english() if locale is not None and locale.language == "en" else _chinese()


class _Speaker(Babel):  # type: ignore[misc]  # flask_babel ships no types
    """Babel with our catalogues: it takes only folders of compiled ones by itself."""

    @property
    def domain_instance(self) -> Domain:
        """Return the catalogues."""
        return _CATALOGUES


_CATALOGUES = _Catalogues()


@cache
def _chinese() -> NullTranslations:
    return NullTranslations()


@cache
def _english() -> Translations:
    whole = Catalog(locale=ENGLISH)
    for path in sorted((_TRANSLATIONS / ENGLISH).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=ENGLISH):
                if message.id:
                    whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)


def speak(app: Flask) -> None:
    """Let a site's pages be read in both languages; ``?lang=en`` chooses one until another is chosen."""
    _english()
    _Speaker(app, default_locale=CHINESE, locale_selector=_locale)
    app.context_processor(lambda: {"language": language()})


def language() -> str:
    """Return the language of the page that is being made: ``zh`` or ``en``."""
    return "en" if _locale() == ENGLISH else "zh"


def _locale() -> str:
    found = getattr(g, "locale_name", None)
    if found is None:
        found = g.locale_name = _chosen() or _preferred()
    return str(found)


def _chosen() -> str | None:
    asked = request.args.get("lang")
    if asked in ("zh", "en"):
        if session.get(_CHOSEN) != asked:
            session[_CHOSEN] = asked
        return ENGLISH if asked == "en" else CHINESE
    kept = session.get(_CHOSEN)
    return None if kept is None else ENGLISH if kept == "en" else CHINESE


def _preferred() -> str:
    # The best first; a script or region does not matter ("zh-Hant-HK" is Chinese).
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    best = next((tag for tag in wanted if tag in ("zh", "en")), "zh")
    return ENGLISH if best == "en" else CHINESE
