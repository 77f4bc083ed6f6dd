"""``clearinghouse db``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.db import db_commands
from tests.store.clusters import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "data")
    yield cluster
    cluster.close()


def run(*arguments: str, **env: str) -> str:
    variables = {"CLEARINGHOUSE_DATABASE_URL": None, "CLEARINGHOUSE_POSTGRES_BIN": None, **env}
    result = CliRunner(env=variables).invoke(db_commands, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_start_status_and_stop(cluster: Cluster) -> None:
    env = {"CLEARINGHOUSE_DATA_DIR": str(cluster.data_dir)}
    assert run("status", **env).startswith("state    stopped (no data yet)\n")
    assert not cluster.data_dir.exists()
    assert run("stop", **env) == "was not running\n"
    started = run("start", **env)
    lines = dict(line.split(maxsplit=1) for line in started.splitlines())
    assert list(lines) == ["state", "process", "version", "data", "socket", "size"]
    assert lines["state"] == "running"
    assert lines["version"].startswith("PostgreSQL ")
    assert lines["data"] == str(cluster.layout.cluster)
    assert lines["size"].endswith(" MiB")
    assert run("start", **env).splitlines()[:2] == started.splitlines()[:2]
    assert run("status", **env).splitlines()[:2] == started.splitlines()[:2]
    assert run("stop", **env) == "stopped\n"
    assert run("status", **env).startswith("state    stopped\nversion  PostgreSQL ")


@pytest.mark.parametrize("command", ["start", "stop", "status"])
def test_an_external_database_is_named_without_its_password(command: str, cluster: Cluster) -> None:
    env = {
        "CLEARINGHOUSE_DATA_DIR": str(cluster.data_dir),
        "CLEARINGHOUSE_DATABASE_URL": "postgresql://li:hush@db.example/books",
    }
    said = run(command, **env)
    assert said.startswith("An external database is configured: postgresql://li@db.example/books\n")
    assert "hush" not in said
    assert not cluster.data_dir.exists()


def test_help_names_every_setting() -> None:
    said = run("--help")
    assert "CLEARINGHOUSE_DATA_DIR" in said
    assert "CLEARINGHOUSE_DATABASE_URL" in said
