"""QR codes as pictures that scale, without a style in them."""

from __future__ import annotations

from io import BytesIO

import segno
from markupsafe import Markup

_QUIET = 4


def drawn(text: str) -> Markup:
    """Return a text as an inline picture; its size is for the style sheet to say."""
    return Markup(_svg(text, xmldecl=False).decode())  # noqa: S704  made by us, of modules alone


def picture(text: str) -> bytes:
    """Return a text as a picture of its own."""
    return _svg(text, xmldecl=True)


def _svg(text: str, *, xmldecl: bool) -> bytes:
    out = BytesIO()
    segno.make(text, error="l", micro=False, boost_error=False).save(
        out,
        kind="svg",
        border=_QUIET,
        omitsize=True,
        xmldecl=xmldecl,
        nl=False,
        svgclass="qr",
        lineclass=None,
        dark="#000",
        light="#fff",
    )
    return out.getvalue()
