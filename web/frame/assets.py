"""Addresses of what never changes: style sheets, scripts and pictures, with the hash of what they hold."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import url_for

_STATIC = Path(__file__).parent.parent / "static"


def asset(name: str) -> str:
    """Return the address under which a browser may keep a file for good."""
    return url_for("static", filename=name, v=_version(name))


@cache
def _version(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
