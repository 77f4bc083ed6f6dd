"""The service as the benchmark runs it: on a database and at a moment of its own, otherwise as ``serve`` does."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clearinghouse.config import Settings
from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault


def main(url: str, data_dir: str, moment: str, port: str) -> None:
    """Serve the books at ``url`` as if it were ``moment`` now."""
    from api.http.options import Options
    from api.serving import serve

    began, shown = time.monotonic(), datetime.fromisoformat(moment).astimezone(UTC)

    @contextmanager
    def opened() -> Iterator[Context]:
        database = Database(url, pool_size=16)
        try:
            yield Context(
                database,
                Vault.open(Settings(data_dir=Path(data_dir))),
                lambda: shown + timedelta(seconds=time.monotonic() - began),
            )
        finally:
            database.close()

    many = 1_000_000
    options = Options(requests_per_second=many, tokens_per_minute=many, workers=2)
    serve(opened, options, f"127.0.0.1:{port}")


if __name__ == "__main__":
    main(*sys.argv[1:])
