"""The API on a fresh alliance for every test that asks."""

from pathlib import Path

import pytest

from clearinghouse.operations.context import Context
from tests.api.service import Service


@pytest.fixture
def service(context: Context, tmp_path: Path) -> Service:
    return Service(context, tmp_path / "service")
