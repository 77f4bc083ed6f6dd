"""``/docs``: the reference as pages, rendered here from the OpenAPI document; no script, nothing from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, render_template
from markupsafe import Markup, escape

from api.docs.reference import Section, sections
from api.http.blueprint import Blueprint
from api.http.caller import public
from api.http.catalogue import CATALOGUE
from api.http.problems import language
from api.resources.service import openapi_document
from clearinghouse.domain.scopes import SCOPES

#: A page may use our style sheet and nothing else.
_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_CODE = re.compile(r"`([^`]+)`")
_PAGE: dict[str, Any] = {"type": "string"}

blueprint = Blueprint("docs", __name__, url_prefix="/docs", description="文档 Documentation")


@blueprint.get("")
@public
@blueprint.response(200, _PAGE, content_type="text/html")
def reference() -> Response:
    """The reference of all resources, for people."""
    return _page("reference.html", sections=_sections(), scopes=SCOPES)


@blueprint.get("/problems")
@public
@blueprint.response(200, _PAGE, content_type="text/html")
def problems() -> Response:
    """Every code that an error can have, with its status and meaning."""
    return _page("problems.html", problems=CATALOGUE)


@blueprint.get("/style.css")
@public
@blueprint.response(200, _PAGE, content_type="text/css")
def style() -> Response:
    """How the pages look."""
    return _cached(Response(_style(), content_type="text/css; charset=utf-8"))


def _page(template: str, **values: Any) -> Response:
    text = render_template(template, language=language(), written=_written, **values)
    answer = _cached(Response(text, content_type="text/html; charset=utf-8"))
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Content-Language"] = "zh, en"
    answer.vary.add("Accept-Language")
    return answer


def _cached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def _sections() -> list[Section]:
    """Return the document laid out; it does not change while the process lives."""
    kept = current_app.extensions
    if "reference" not in kept:
        kept["reference"] = sections(openapi_document())
    found: list[Section] = kept["reference"]
    return found


def _written(text: str) -> Markup:
    """Show what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before


@cache
def _style() -> bytes:
    return (Path(__file__).parents[1] / "docs" / "style.css").read_bytes()
