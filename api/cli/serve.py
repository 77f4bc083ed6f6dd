"""``clearinghouse serve``: the service over HTTP."""

from __future__ import annotations

import click
from werkzeug.serving import WSGIRequestHandler, make_server

from api.app import create_app
from api.cli.common import books
from clearinghouse.domain.errors import ClearinghouseError

_HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Keeps addresses out of the terminal: they may one day hold what is nobody's business."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


@click.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
def serve(port: int) -> None:
    """Serve health and readiness on this machine until interrupted (Ctrl-C)."""
    with books() as context:
        try:
            server = make_server(
                _HOST, port, create_app(context), threaded=True, request_handler=_QuietHandler
            )
        except (OSError, SystemExit) as error:
            raise ClearinghouseError(f"port {port} can't be used; try another --port") from error
        click.echo(f"http://{_HOST}:{port}/  (健康 health: /livez, 就绪 ready: /readyz)")
        server.serve_forever()
