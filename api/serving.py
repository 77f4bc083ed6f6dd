"""The service as it runs: gunicorn with some processes of some threads, each with its background work."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from api.http.worker import StayingWorker
from clearinghouse.operations.context import Context

if TYPE_CHECKING:
    from flask import Flask

    from api.background import Background
    from api.http.options import Options

#: Opens the books for one process, for as long as it lives.
Opened = Callable[[], AbstractContextManager[Context]]

_METRICS = "PROMETHEUS_MULTIPROC_DIR"


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, set up by us instead of by its command line."""

    def __init__(self, make: Callable[[], Flask], settings: dict[str, Any]) -> None:
        self._make = make
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Take our settings and none from files or the environment."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, once in each worker."""
        return self._make()


def serve(opened: Opened, options: Options, bind: str, threads: int = 16) -> None:
    """Serve until a signal ends it. Each worker opens the books for itself: no connection outlives a fork."""
    with _metrics_folder(), ExitStack() as books:
        background: list[Background] = []

        def make() -> Flask:
            # Not before the folder of the metrics is known, and not in the parent of the workers.
            from api.app import create_app
            from api.background import Background

            context = books.enter_context(opened())
            background.append(Background(context, private_webhooks=options.webhook_private))
            background[0].start()
            made = create_app(context, options)
            _collect_seldom()
            return made

        def worker_ends(_arbiter: object, _worker: object) -> None:
            for each in background:
                each.stop()

        def worker_gone(_arbiter: object, worker: Any) -> None:
            from api.http.metrics import worker_ended

            worker_ended(worker.pid)

        _Gunicorn(
            make,
            {
                "bind": bind,
                "workers": options.workers,
                "threads": threads,
                "worker_class": StayingWorker,
                "timeout": 120,
                "graceful_timeout": 20,
                "keepalive": 75,
                "loglevel": "warning",
                "control_socket_disable": True,
                "child_exit": worker_gone,
                "worker_exit": worker_ends,
            },
        ).run()


def _collect_seldom() -> None:
    """Look for cycles less often, and never among what was made at the start and lives as long as the process.

    A request makes some thousand objects and hardly a cycle.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@contextmanager
def _metrics_folder() -> Iterator[None]:
    """Give the workers a folder to share their metrics in, unless the environment names one."""
    if _METRICS in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(prefix="clearinghouse-metrics-")
    mine = os.getpid()
    os.environ[_METRICS] = folder
    try:
        yield
    finally:
        # The workers come through here as well when they end; the folder is the parent's.
        if os.getpid() == mine:
            shutil.rmtree(folder, ignore_errors=True)
