"""The HTTP application, put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api.http import metrics
from api.http.blueprint import Api, Schemas
from api.http.caller import House, settle_in
from api.http.frame import frame
from api.http.limiting import Limiter
from api.http.logs import configure_logs
from api.http.options import Options
from api.http.pages_beside import with_pages
from api.http.problems import handle_problems
from api.openapi import document
from api.resources import BLUEPRINTS
from api.resources.cards import CardId
from api.resources.sandbox import blueprint as sandbox
from api.sandbox.till import SandboxTill
from clearinghouse.operations.answering import Request, Result, answer
from clearinghouse.operations.context import Context
from clearinghouse.operations.grouping import Group
from clearinghouse.operations.tokens import TokenDesk


class _Application(Flask):
    """Flask without its questions, several a request, whether a view might be asynchronous: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view as it is."""
        return func


def create_app(context: Context, options: Options | None = None) -> Flask:
    """Make the application on these books."""
    options = options or Options()
    app = _Application("clearinghouse", root_path=str(Path(__file__).parent), static_folder=None)
    # Flask declares its provider by the base class, which does not have these settings of the default one.
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider's own
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider's own
    app.json.compact = True  # type: ignore[attr-defined]  # the default provider's own
    app.url_map.strict_slashes = False
    app.url_map.converters["card"] = CardId
    configure_logs()
    app.wsgi_app = with_pages(app.wsgi_app, context, options)  # type: ignore[method-assign,assignment] # Flask's own way
    if options.proxies:
        # Only the address: whom limits count. Everything else that a proxy may say is said by the settings.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # Flask's own way to put something before it
            app.wsgi_app, x_for=options.proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    desk = TokenDesk(context, options.public_url)
    carry_out = partial(answer, context, metrics.lots_waited)
    till = SandboxTill(carry_out, context) if options.sandbox else Group[Request, Result](carry_out)
    settle_in(app.extensions, House(context, options, desk, Limiter(options), till))
    frame(app, options)
    handle_problems(app)
    api = Api(app, spec_kwargs={**document(), "marshmallow_plugin": Schemas()})
    for blueprint in (*BLUEPRINTS, sandbox) if options.sandbox else BLUEPRINTS:
        api.register_blueprint(blueprint)
    return app
