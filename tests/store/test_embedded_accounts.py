"""Who runs the embedded PostgreSQL: root, an ordinary user, one without a name, somebody else."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearinghouse.store.embedded import stop
from tests.architecture.tree import ROOT
from tests.store.clusters import Cluster, answer_of, ask

IS_ROOT = os.geteuid() == 0
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "data")
    yield cluster
    cluster.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="clearinghouse-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def needs_other_account() -> None:
    if not IS_ROOT:
        pytest.skip("only root can become another user")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    tried = subprocess.run(
        [*NOBODY, sys.executable, "-c", "import clearinghouse.store.embedded"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if tried.returncode != 0:
        pytest.skip("the user nobody can't reach this Python or this checkout")


def test_a_read_only_folder_is_one_sentence(open_folder: Path) -> None:
    needs_other_account()
    command = Cluster(open_folder / "missing" / "data").command(prefix=NOBODY)
    error = command.communicate(timeout=60)[1].strip().splitlines()[-1]
    assert "can't be made (Permission denied): set CLEARINGHOUSE_DATA_DIR" in error


def test_an_ordinary_user_runs_it_plainly_and_root_may_join(open_folder: Path) -> None:
    needs_other_account()
    os.chown(open_folder, 65534, 65534)
    cluster = Cluster(open_folder / "data")
    try:
        pid = int(answer_of(cluster.command(prefix=NOBODY, env={"HOME": ""})))
        assert Path(f"/proc/{pid}").stat().st_uid == 65534
        assert cluster.start().pid == pid
        stop(cluster.settings)
        # Root starts it for the owner, who can go on afterwards.
        assert Path(f"/proc/{cluster.start().pid}").stat().st_uid == 65534
        stop(cluster.settings)
        answer_of(cluster.command(prefix=NOBODY))
    finally:
        cluster.close()


def test_somebody_elses_database_is_one_sentence(open_folder: Path) -> None:
    needs_other_account()
    cluster = Cluster(open_folder / "data")
    (open_folder / "data").mkdir(mode=0o755)
    try:
        cluster.start()
        command = cluster.command(prefix=NOBODY)
        error = command.communicate(timeout=60)[1].strip().splitlines()[-1]
        assert "belongs to another user: run the command as that user" in error
    finally:
        cluster.close()


def test_a_user_without_a_name_can_run_it(open_folder: Path) -> None:
    needs_other_account()
    nameless = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--")
    allowed = [*nameless, "unshare", "-U", "true"]
    if subprocess.run(allowed, capture_output=True, check=False).returncode != 0:
        pytest.skip("user namespaces are not allowed here")
    os.chown(open_folder, 54321, 54321)
    cluster = Cluster(open_folder / "data")
    try:
        assert int(answer_of(cluster.command(prefix=nameless))) > 0
    finally:
        cluster.close()


@pytest.mark.skipif(not IS_ROOT, reason="it is root whom PostgreSQL refuses")
def test_root_without_namespaces_runs_it_as_another_user(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    endpoint = cluster.start()
    ask(endpoint, "CREATE TABLE kept AS SELECT 7 AS n")
    assert cluster.layout.cluster.stat().st_uid == 0
    stop(cluster.settings)
    # As in a container that forbids namespaces; pytest's folder is closed to every other user.
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (shims / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}:{os.environ['PATH']}")
    endpoint = cluster.start()
    assert ask(endpoint, "SELECT n FROM kept") == 7
    assert Path(f"/proc/{endpoint.pid}").stat().st_uid != 0
    assert cluster.layout.cluster.stat().st_uid != 0
    assert cluster.data_dir.stat().st_uid == 0
    stop(cluster.settings)
    fresh = Cluster(tmp_path / "fresh")
    try:
        assert ask(fresh.start(), "SELECT 1") == 1
    finally:
        fresh.close()
