"""What tests of governing share: who changes things, what may be refused, and proof that nothing happened."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.domain.errors import ClearinghouseError, OperatorRefused
from clearinghouse.operations.changing import Authority
from clearinghouse.store.members import SystemProfile
from tests.alliances import RULEBOOK, MiniAlliance

WHO = Authority("李明", "contract 2026-17")
PROFILE = SystemProfile("鹭酒店", "Heron", "91310000MA1FL00004", "6222000047109087287", None, 0)


def refused(error: type[ClearinghouseError] = OperatorRefused) -> Any:
    """Expect a refusal."""
    return pytest.raises(error)


def written(folder: Path, **members: Any) -> Path:
    """Write a rulebook file: version v2 from November on, where nothing else is said."""
    path = folder / "next.json"
    document = {**RULEBOOK, "version": "v2", "effective_from": "2026-11-01", **members}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@contextmanager
def nothing_changes(alliance: MiniAlliance) -> Iterator[None]:
    """Whatever is refused leaves no trace, not even in the audit log."""
    tables = ("systems", "hotels", "memberships", "rulebooks", "acceptances", "audit_log", "tiers")
    sql = "SELECT " + ", ".join(f"(SELECT json_agg(t) FROM {table} t)::text" for table in tables)
    before = alliance.rows(sql)
    yield
    assert alliance.rows(sql) == before
