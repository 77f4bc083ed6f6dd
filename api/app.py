"""The HTTP application, put together."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.operations.context import Context
from clearinghouse.operations.opening import is_ready


def create_app(context: Context) -> Flask:
    """Make the application on these books."""
    app = Flask("clearinghouse")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    @app.get("/livez")
    def live() -> Response:
        """The process answers."""
        return jsonify(status="ok")

    @app.get("/readyz")
    def ready() -> tuple[Response, int]:
        """The process can do its work: its database answers."""
        try:
            is_ready(context)
        except DatabaseUnavailable:
            return jsonify(status="unavailable", database="unavailable"), 503
        return jsonify(status="ok", database="ok"), 200

    @app.get("/")
    def home() -> Response:
        """What this is."""
        return jsonify(
            name="酒店联盟清算所 · Hotel Alliance Clearing House",
            health="/livez",
            readiness="/readyz",
        )

    return app
