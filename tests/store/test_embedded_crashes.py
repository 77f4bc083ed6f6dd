"""The embedded PostgreSQL on a bad day: kill -9 of anything, anything at once, folders that go."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest

from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded import SUPERUSER, Endpoint, State, status, stop
from clearinghouse.store.embedded.process import find_process, orphans, read_pid_file
from tests.store.clusters import (
    START,
    START_AND_STAY,
    Cluster,
    answer_of,
    ask,
)
from tests.waiting import wait_until

START_THEN_STOP = f"{START}; from clearinghouse.store.embedded import stop; stop(settings)"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "data")
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One data folder for many bad days: each must leave it able to start."""
    cluster = Cluster(tmp_path_factory.mktemp("lived-in"))
    cluster.start()
    yield cluster
    cluster.close()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: find_process(pid) is None)


def leftovers(cluster: Cluster) -> list[str]:
    return [path.name for path in cluster.layout.root.iterdir() if "new" in path.name]


def test_a_captured_command_ends_while_the_server_goes_on(lived_in: Cluster) -> None:
    pid = int(answer_of(lived_in.command(), seconds=60))
    process = find_process(pid)
    assert process is not None
    assert os.getsid(pid) != os.getsid(0)
    assert lived_in.start().pid == pid


def test_a_server_whose_command_was_killed_is_adopted(cluster: Cluster) -> None:
    command = cluster.command(START_AND_STAY)
    assert command.stdout is not None
    pid = int(command.stdout.readline())
    os.killpg(command.pid, signal.SIGKILL)
    command.communicate(timeout=60)
    assert cluster.start().pid == pid
    assert stop(cluster.settings)


def test_ten_commands_at_once_get_one_server(cluster: Cluster) -> None:
    commands = [cluster.command() for _ in range(10)]
    pids = {answer_of(command) for command in commands}
    assert len(pids) == 1
    assert cluster.processes() == [int(pids.pop())]
    # And once more, where the data exist but no server runs.
    stop(cluster.settings)
    commands = [cluster.command() for _ in range(10)]
    assert len({answer_of(command) for command in commands}) == 1


def test_a_killed_server_is_stale_then_recovered_with_all_it_had_promised(
    lived_in: Cluster,
) -> None:
    endpoint = lived_in.start()
    ask(endpoint, "CREATE TABLE kept AS SELECT 7 AS n")
    kill(endpoint.pid)
    assert status(lived_in.settings).state is State.STALE
    assert stop(lived_in.settings) is False
    again = lived_in.start()
    assert again.pid != endpoint.pid
    assert ask(again, "SELECT n FROM kept") == 7


def test_ten_commands_at_once_recover_a_killed_server_once(lived_in: Cluster) -> None:
    endpoint = lived_in.start()
    kill(endpoint.pid)
    commands = [lived_in.command() for _ in range(10)]
    assert len({answer_of(command) for command in commands}) == 1


def busy_backend(endpoint: Endpoint) -> tuple[psycopg2.extensions.connection, int]:
    """A backend that computes for minutes and so does not notice that its postmaster is gone."""
    connection = psycopg2.connect(endpoint.dsn(), async_=True)
    psycopg2.extras.wait_select(connection)
    pid = connection.info.backend_pid
    connection.cursor().execute("SELECT count(*) FROM generate_series(1, 100000000000)")
    time.sleep(0.3)
    return connection, pid


def test_a_busy_child_of_a_killed_server_is_ended_first(lived_in: Cluster) -> None:
    endpoint = lived_in.start()
    connection, backend = busy_backend(endpoint)
    kill(endpoint.pid)
    time.sleep(0.5)
    assert find_process(backend) is not None
    again = lived_in.start()
    assert find_process(backend) is None
    assert ask(again, "SELECT 1") == 1
    connection.close()


def test_children_of_a_living_server_are_no_orphans(lived_in: Cluster) -> None:
    endpoint = lived_in.start()
    title = ask(endpoint, "SHOW cluster_name", SUPERUSER)
    assert title.startswith("clearinghouse-")
    assert orphans(title) == []


def test_a_process_id_that_belongs_to_another_program_now_does_not_matter(
    lived_in: Cluster,
) -> None:
    endpoint = lived_in.start()
    kill(endpoint.pid)
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        path = lived_in.layout.cluster / "postmaster.pid"
        path.write_text(path.read_text().replace(str(endpoint.pid), str(sleeper.pid), 1))
        found = status(lived_in.settings)
        assert (found.state, found.pid) == (State.STALE, None)
        assert stop(lived_in.settings) is False
        assert ask(lived_in.start(), "SELECT 1") == 1
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize("torn", ["", "12", "not a number\n", "99999999\n/nowhere\n"])
def test_a_torn_process_file_does_not_matter(lived_in: Cluster, torn: str) -> None:
    endpoint = lived_in.start()
    kill(endpoint.pid)
    (lived_in.layout.cluster / "postmaster.pid").write_text(torn)
    assert ask(lived_in.start(), "SELECT 1") == 1


@pytest.mark.parametrize("with_children", [True, False], ids=["all", "command-only"])
def test_an_interrupted_initdb_leaves_nothing_half_made(
    cluster: Cluster, with_children: bool
) -> None:
    command = cluster.command()
    wait_until(lambda: any(cluster.layout.root.glob("data.new-*/global")))
    if with_children:
        os.killpg(command.pid, signal.SIGKILL)
    else:
        command.kill()
    command.communicate(timeout=60)
    assert not cluster.layout.cluster.exists()
    assert status(cluster.settings).version is None
    assert ask(cluster.start(), "SELECT 1") == 1
    assert leftovers(cluster) == []


@pytest.mark.parametrize("after", [0.2, 0.35, 0.5, 0.65, 0.8, 1.1])
def test_killed_at_any_moment_of_the_first_start_the_next_command_works(
    cluster: Cluster, after: float
) -> None:
    command = cluster.command()
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)
    command.communicate(timeout=60)
    endpoint = cluster.start()
    assert ask(endpoint, "SELECT 1") == 1
    assert cluster.processes() == [endpoint.pid]
    assert leftovers(cluster) == []


def test_commands_that_start_and_stop_at_once_never_break_each_other(lived_in: Cluster) -> None:
    lived_in.start()
    commands = [lived_in.command(START_THEN_STOP if n % 2 else START) for n in range(12)]
    for command in commands:
        answer_of(command)
    endpoint = lived_in.start()
    assert ask(endpoint, "SELECT 1") == 1
    assert lived_in.processes() == [endpoint.pid]


def test_a_removed_folder_is_made_anew_and_its_old_server_goes(cluster: Cluster) -> None:
    old = cluster.start()
    shutil.rmtree(cluster.data_dir)
    new = cluster.start()
    assert new.pid != old.pid
    assert find_process(old.pid) is None
    assert ask(new, "SELECT 1") == 1


def test_a_removed_folder_with_a_short_socket_folder_is_made_anew(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / ("long" * 40))
    try:
        old = cluster.start()
        shutil.rmtree(cluster.data_dir)
        new = cluster.start()
        assert new.socket_folder == old.socket_folder
        assert find_process(old.pid) is None
    finally:
        cluster.close()
        cluster.layout.short_socket_folder.rmdir()


def test_a_folder_renamed_under_a_running_server_is_never_served_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    endpoint = cluster.start()
    cluster.data_dir.rename(tmp_path / "renamed")
    moved = Cluster(tmp_path / "renamed")
    try:
        assert status(moved.settings).pid == endpoint.pid
        # Its socket lies in the folder, or elsewhere where the path is long: then it is still reachable.
        try:
            served_by = moved.start().pid
        except DatabaseUnavailable as refused:
            said, served_by = str(refused), endpoint.pid
        else:
            said = ""
        assert said == "" or "can't be reached" in said
        # PostgreSQL looks for its folder once a minute: it may have ended by itself before we came.
        assert served_by == endpoint.pid or find_process(endpoint.pid) is None
        stop(moved.settings)
        assert ask(moved.start(), "SELECT 1") == 1
    finally:
        moved.close()


def test_a_server_without_its_socket_is_never_served_twice(lived_in: Cluster) -> None:
    endpoint = lived_in.start()
    shutil.rmtree(endpoint.socket_folder)
    with pytest.raises(DatabaseUnavailable, match="clearinghouse db stop"):
        lived_in.start()
    assert stop(lived_in.settings) is True
    assert ask(lived_in.start(), "SELECT 1") == 1


def test_a_crash_inside_the_server_is_waited_for(lived_in: Cluster) -> None:
    endpoint = lived_in.start()
    connection, backend = busy_backend(endpoint)
    kill(backend)
    assert ask(lived_in.start(), "SELECT 1") == 1
    assert lived_in.start().pid == endpoint.pid
    connection.close()


def test_a_server_in_the_middle_of_stopping_is_waited_for(lived_in: Cluster) -> None:
    endpoint = lived_in.start()
    os.kill(endpoint.pid, signal.SIGINT)
    again = lived_in.start()
    assert ask(again, "SELECT 1") == 1
    assert read_pid_file(lived_in.layout.cluster) is not None
    assert lived_in.processes() == [again.pid]


def test_a_server_in_another_container_is_used_but_not_stopped_from_here(
    cluster: Cluster,
) -> None:
    container = ("unshare", "-p", "-f", "--mount-proc", "--")
    if subprocess.run([*container, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("process namespaces are not allowed here")
    command = cluster.command(START_AND_STAY, prefix=container)
    assert command.stdout is not None
    pid = int(command.stdout.readline())
    try:
        endpoint = cluster.start()
        assert (endpoint.pid, ask(endpoint, "SELECT 1")) == (pid, 1)
        assert status(cluster.settings).state is State.RUNNING
        with pytest.raises(DatabaseUnavailable, match="in another container: stop it there"):
            stop(cluster.settings)
    finally:
        os.killpg(command.pid, signal.SIGKILL)
        command.communicate(timeout=60)
    assert ask(cluster.start(), "SELECT 1") == 1
