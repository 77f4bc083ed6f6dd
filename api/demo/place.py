"""Where the demo's books are: beside yours, never among them."""

from __future__ import annotations

from dataclasses import replace

from api.demo.bank import SAMPLE_OPERATOR
from clearinghouse.config import Settings


def demo_settings(configured: Settings) -> Settings:
    """Return the settings of the demo beside these: an embedded database of its own, never the configured one."""
    return replace(
        configured,
        data_dir=configured.data_dir / "demo",
        database_url=None,
        reader_url=None,
        operator=SAMPLE_OPERATOR,
    )
