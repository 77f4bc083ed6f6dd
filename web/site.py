"""The site, put together: one application for all pages, beside the API's on the same port."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, g

from web import home
from web.console import BLUEPRINTS as CONSOLE
from web.desk import BLUEPRINTS as DESK
from web.frame.assets import asset
from web.frame.errors import handle_errors
from web.frame.guarding import guard
from web.frame.language import speak
from web.frame.paging import here
from web.frame.shared import Site, settle_in
from web.frame.showing import show
from web.pool import BLUEPRINTS as POOL

#: The first parts of addresses that are pages; everything else is the API's.
AREAS = ("console", "desk", "pool", "static")
_LARGEST_FORM = 1 << 20


def make_site(site: Site) -> Flask:
    """Make the application of all pages."""
    app = Flask("web", root_path=str(Path(__file__).parent), static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_FORM
    app.config["MAX_FORM_MEMORY_SIZE"] = 256 << 10
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.url_map.strict_slashes = False
    settle_in(app.extensions, site)
    guard(app, site.context, secure=site.secure)
    speak(app)
    show(app)
    handle_errors(app)
    app.jinja_env.globals.update(asset=asset, here=here)
    app.context_processor(lambda: {"staff": g.get("staff")})
    for blueprint in (home.blueprint, *CONSOLE, *DESK, *POOL):
        app.register_blueprint(blueprint)
    return app
