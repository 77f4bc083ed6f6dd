"""The manifest of a period: every other file with its hash, whose it is, and the control totals (interfaces.md)."""

from __future__ import annotations

import json
import platform
import zlib
from collections.abc import Sequence
from importlib.metadata import version

from clearinghouse.domain.calendar import format_period
from clearinghouse.operations.footing import ControlTotals
from clearinghouse.store.frozen import StoredFile
from settlement.files import party_code
from settlement.frozen_run import VERSION, FrozenRun
from settlement.orders import payments_summary

#: What the bytes of PDF and XLSX files depend on beside the frozen figures.
_LIBRARIES = ("pylopdf-fonts-zh-cn", "typst", "xlsxwriter")


def made_with() -> dict[str, str]:
    """Return the versions by which a file can be made again byte for byte; by others its content is the same."""
    return {
        **{name: version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def manifest(run: FrozenRun, files: Sequence[StoredFile], totals: ControlTotals) -> bytes:
    """Write the manifest; ``files`` are all but itself and the signatures."""
    if run.key is None:
        raise LookupError("the period has no key")
    document = {
        "period": format_period(run.period),
        "version": VERSION,
        "generated_at": run.cut_off_at.isoformat(),
        "timezone": run.rulebook.timezone,
        "currency": run.rulebook.currency,
        "rulebook_versions": list(run.rulebook_versions),
        "signing_key": run.key._asdict(),
        "made_with": made_with(),
        "control_totals": {
            "systems": totals.systems,
            "legs": totals.legs,
            "vat_on_top": run.vat_on_top,
            **totals.minor,
            "points_opening": sum(row.opening for row in run.liability),
            "points_closing": sum(row.closing for row in run.liability),
        },
        "payments": payments_summary(run),
        "files": {
            file.path: {
                "sha256": file.sha256,
                "size": file.size,
                "rows": file.rows,
                "party": party_code(run, file.system),
            }
            for file in files
        },
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
