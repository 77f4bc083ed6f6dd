"""``clearinghouse serve``: the service over HTTP."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager
from dataclasses import replace

import click

from api.cli.addresses import show_addresses
from api.cli.common import books, settings
from api.cli.sandbox import show_sandbox
from api.demo.place import demo_settings
from api.sandbox.filling import sandbox_settings
from clearinghouse.config import Settings
from clearinghouse.domain.errors import ClearinghouseError, ConfigError
from clearinghouse.operations.context import Context
from clearinghouse.operations.opening import opened
from clearinghouse.operations.sandbox_clock import opened_sandbox
from clearinghouse.store import embedded

_HOST = "127.0.0.1"


@click.command("serve")
@click.option(
    "--host",
    default=_HOST,
    show_default=True,
    help="Address to listen on; 0.0.0.0 is every one of this machine: then put a proxy with TLS before it.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option(
    "--sandbox", is_flag=True, help="Serve an alliance of samples with test cards and a test clock."
)
@click.option("--reset", is_flag=True, help="Make the sandbox afresh.")
@click.option(
    "--demo/--no-demo",
    default=None,
    help="Serve what `clearinghouse demo` left, or your own books; by default the demo's only while you have none.",
)
def serve(
    host: str, port: int, workers: int, sandbox: bool, reset: bool, demo: bool | None
) -> None:
    """Serve the API, the finance console, the operator's desk and travellers' pages until interrupted (Ctrl-C).

    With --sandbox it has a database of its own under the data folder, as the demo has; your books are not touched.
    """
    configured = settings()
    if reset and not sandbox:
        raise click.UsageError("--reset is for the sandbox: say --sandbox too")
    if demo and sandbox:
        raise click.UsageError("--demo and --sandbox are two things: say one of them")
    shows_demo = not sandbox and _is_demo(configured, demo)
    if shows_demo:
        configured = demo_settings(configured)
    # Started, brought up to date and checked once, by one process: what is wrong is told here.
    if sandbox:
        _must_be_free(host, port)
        configured = sandbox_settings(configured)
        show_sandbox(configured, reset=reset)
    else:
        with opened(configured) if shows_demo else books():
            _must_be_free(host, port)
    # Late: the metrics must know first where several processes share them.
    from api.http.options import Options
    from api.serving import serve as serve_with

    def open_books() -> AbstractContextManager[Context]:
        return opened_sandbox(configured) if sandbox else opened(configured)

    show_addresses(f"http://{host}:{port}", configured if shows_demo else None)
    serve_with(
        open_books,
        replace(Options.from_settings(configured, port=port, workers=workers), sandbox=sandbox),
        f"{host}:{port}",
    )


def _is_demo(configured: Settings, wanted: bool | None) -> bool:
    """Tell whether to serve the demo's books.

    Raises:
        ConfigError: they are wanted and not there.
    """
    there = embedded.exists(demo_settings(configured))
    if wanted and not there:
        raise ConfigError("there is no demo yet: run `clearinghouse demo` first")
    if wanted is None:
        return there and configured.database_url is None and not embedded.exists(configured)
    return wanted


def _must_be_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ClearinghouseError(
                f"port {port} of {host} can't be used; try another --port"
            ) from error
