"""Prometheus metrics: what the service counts and times, in one process or in several workers.

Several workers share files in the folder that ``PROMETHEUS_MULTIPROC_DIR`` names; it must be set before this module is
imported, which is why the command ``serve`` imports the application late.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_LATENCY = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)

_requests = Histogram(
    "clearinghouse_request_seconds",
    "Time to answer a request, by route template.",
    ("route", "method", "status"),
    buckets=_LATENCY,
)
_declines = Counter("clearinghouse_declines", "Transactions refused by the rules.", ("code",))
_batch_lines = Counter(
    "clearinghouse_batch_lines", "Lines of night audit batches, by outcome.", ("outcome",)
)
_outbox_age = Gauge(
    "clearinghouse_outbox_age_seconds",
    "Age of the oldest event that is still to be delivered.",
    multiprocess_mode="mostrecent",
)
_lot_waits = Histogram(
    "clearinghouse_lot_lock_seconds", "Time a transaction waited for a traveller's lots.", buckets=_LATENCY
)  # fmt: skip

CONTENT_TYPE = CONTENT_TYPE_LATEST


def answered(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request that was answered; ``route`` is its template, ``unmatched`` where none fits."""
    _requests.labels(route, method, f"{status // 100}xx").observe(seconds)


def declined(code: str, count: int = 1) -> None:
    """Count transactions that the rules refused."""
    _declines.labels(code).inc(count)


def batch_lines(outcome: str, count: int) -> None:
    """Count lines of a batch that were answered: ``accepted``, ``repeated`` or ``refused``."""
    _batch_lines.labels(outcome).inc(count)


def outbox_age(seconds: float) -> None:
    """Tell how old the oldest event is that is still to be delivered; 0 if there is none."""
    _outbox_age.set(seconds)


def lots_waited(seconds: float) -> None:
    """Tell how long a transaction waited for a traveller's lots."""
    _lot_waits.observe(seconds)


def exposition() -> bytes:
    """Return all metrics of all workers, as Prometheus reads them."""
    if _FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped there
    return generate_latest(registry)


def worker_ended(pid: int) -> None:
    """Forget what a worker that is gone said about itself; what it counted stays."""
    if _FOLDER in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # untyped there
