"""Texts that people type into a form, as the books keep them: on one line, without what nobody sees."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return a text with single blanks and no control or invisible characters."""
    words = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(words.split())
