"""A server of two threads with the service's worker and an application of a few lines, in a process of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
THREADS = 2
#: Serves what a test's code has defined as ``answer``.
_SERVE = """
import sys
from gunicorn.app.base import BaseApplication
from api.http.worker import StayingWorker

class App(BaseApplication):
    def load_config(self):
        for name, value in {"bind": sys.argv[1], "threads": int(sys.argv[2]), "worker_class": StayingWorker,
                            "keepalive": 60, "graceful_timeout": 10, "control_socket_disable": True}.items():
            self.cfg.set(name, value)
    def load(self):
        return answer

App().run()
"""


class Served:
    """The server, and connections to it."""

    #: How long a client waits: less than a silent connection is kept, or its end would pass for an answer.
    patience_seconds = 10

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), self.patience_seconds)


@contextmanager
def started(answer: str, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run it; ``answer`` is the code of the application, which finds the arguments from ``sys.argv[3]`` on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", answer + _SERVE, f"127.0.0.1:{port}", str(THREADS), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)

    def listens() -> bool:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    try:
        wait_until(listens)
        yield port, process
    finally:
        process.kill()
        process.wait(10)
