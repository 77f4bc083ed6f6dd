"""Batches: a hotel's night audit, up to a million lines in one upload, each answered once (interfaces.md "HTTP").

:func:`receive` takes an upload in, :func:`work_off` posts what waits by the one way in for value, and the
results can be asked for line by line. Whatever is sent again or killed, every line is posted once.
"""

from clearinghouse.operations.batches.cutting import BYTES_MAX, LINES_MAX, Format, Limits
from clearinghouse.operations.batches.enquiring import (
    Batch,
    BatchPage,
    ResultPage,
    all_results,
    batches_of,
    find_batch,
    results_after,
)
from clearinghouse.operations.batches.uploading import Receipt, receive
from clearinghouse.operations.batches.working import run_batches, work_off

__all__ = [
    "BYTES_MAX",
    "LINES_MAX",
    "Batch",
    "BatchPage",
    "Format",
    "Limits",
    "Receipt",
    "ResultPage",
    "all_results",
    "batches_of",
    "find_batch",
    "receive",
    "results_after",
    "run_batches",
    "work_off",
]
