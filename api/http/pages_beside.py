"""The pages for people beside the API: one port, two applications, told apart by the first part of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.http import parse_accept_header

from api.http.catalogue import CATALOGUE
from api.http.frame import frame
from api.http.logs import log_failure
from api.http.options import Options
from clearinghouse.operations.context import Context
from web.frame.shared import Site
from web.site import AREAS, make_site

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def with_pages(api: WSGIApplication, context: Context, options: Options) -> WSGIApplication:
    """Return the API with the site beside it.

    They share the request ids, the log and the metrics; sessions, forms and languages are the pages' alone, so no
    till waits for them.
    """
    titles = {code: kind.zh for code, kind in CATALOGUE.items()}
    site = make_site(
        Site(
            context,
            options.public_url,
            options.send_sign_in_code,
            titles,
            log_failure,
            ask_workers=options.ask_workers,
        )
    )
    frame(site, options)
    pages = site.wsgi_app

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        first = path[1:].partition("/")[0]
        if first in AREAS or (path == "/" and _wants_a_page(environ)):
            return pages(environ, start_response)
        return api(environ, start_response)

    return serve


def _wants_a_page(environ: WSGIEnvironment) -> bool:
    """Tell whether it is a browser that asks: it accepts HTML by name."""
    accepted = parse_accept_header(str(environ.get("HTTP_ACCEPT", "")))
    return any(kind == "text/html" for kind, _ in accepted)
