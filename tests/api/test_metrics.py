"""Figures of several workers are added up, and the command line does not fix too early where they are kept."""

import os
import re
import subprocess
import sys
from pathlib import Path

WORKERS = """
import os
from api.http import metrics

for _ in range(3):
    pid = os.fork()
    if pid == 0:
        metrics.declined("insufficient_points", 2)
        metrics.batch_lines("accepted", 5)
        metrics.answered("/v1/transactions", "POST", 201, 0.004)
        metrics.outbox_age(1.5)
        os._exit(0)
    os.waitpid(pid, 0)
    metrics.worker_ended(pid)
print(metrics.exposition().decode())
"""


def run(script: str, **environment: str) -> str:
    made = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def test_workers_add_up(tmp_path: Path) -> None:
    told = run(WORKERS, PROMETHEUS_MULTIPROC_DIR=str(tmp_path))

    def value(line: str) -> float:
        found = re.search(rf"^{re.escape(line)} (\S+)$", told, re.MULTILINE)
        assert found, (line, told)
        return float(found[1])

    assert value('clearinghouse_declines_total{code="insufficient_points"}') == 6
    assert value('clearinghouse_batch_lines_total{outcome="accepted"}') == 15
    assert value("clearinghouse_outbox_age_seconds") == 1.5
    series = 'method="POST",route="/v1/transactions",status="2xx"'
    assert value(f"clearinghouse_request_seconds_count{{{series}}}") == 3


def test_the_command_line_leaves_the_choice_open() -> None:
    told = run("import sys, api.cli; print('prometheus_client' in sys.modules)")
    assert told.strip() == "False"
