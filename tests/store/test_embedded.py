"""The embedded PostgreSQL on a quiet day: places, accounts, settings, and clear refusals."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from clearinghouse.config import Settings
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.store.embedded import (
    OWNER,
    SUPERUSER,
    Endpoint,
    State,
    ensure_running,
    layout,
    log,
    status,
    stop,
)
from clearinghouse.store.embedded.binaries import find_binaries
from clearinghouse.store.embedded.layout import Layout
from tests.store.clusters import QUICK, Cluster, ask
from tests.store.databases import create_database, drop_database, temporary_database

IS_ROOT = os.geteuid() == 0
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
SYSTEM_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("shared"))
    cluster.start()
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "data")
    yield cluster
    cluster.close()


def test_the_owner_owns_the_database_and_may_make_roles_but_is_no_superuser(
    shared: Cluster,
) -> None:
    endpoint = shared.start()
    with create_engine(endpoint.url()).connect() as connection:
        row = connection.execute(
            text(
                "SELECT current_user, current_database(), rolsuper, rolcreaterole, rolbypassrls"
                " FROM pg_roles WHERE rolname = current_user"
            )
        ).one()
        assert tuple(row) == (OWNER, "clearinghouse", False, True, False)
        connection.execute(text("CREATE TABLE own_things (id int)"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("max_connections", "100"),
        ("max_wal_size", "4GB"),
        ("checkpoint_timeout", "15min"),
        ("jit", "off"),
        ("huge_pages", "off"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("log_min_error_statement", "panic"),
        ("data_checksums", "on"),
        ("fsync", "off"),  # the test's own wish
    ],
)
def test_the_server_is_set_up_as_decided(shared: Cluster, setting: str, value: str) -> None:
    assert ask(shared.start(), f"SHOW {setting}", SUPERUSER) == value


def test_without_a_wish_of_the_caller_every_commit_is_flushed(cluster: Cluster) -> None:
    endpoint = ensure_running(cluster.settings)
    assert ask(endpoint, "SHOW fsync") == "on"
    # A wish at a server that runs already changes nothing.
    assert ensure_running(cluster.settings, QUICK) == endpoint


def test_texts_are_ordered_by_code_point_whatever_the_system(shared: Cluster) -> None:
    endpoint = shared.start()
    assert (
        ask(endpoint, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,é,中,a}'::text[]) x")
        == "Babé中"
    )
    assert ask(endpoint, "SELECT upper('é')") == "É"


def test_nothing_outside_its_own_folder_is_touched(tmp_path: Path) -> None:
    outside = tmp_path / "given"
    outside.mkdir(mode=0o755)
    before = outside.stat()
    cluster = Cluster(outside)
    try:
        endpoint = cluster.start()
        after = outside.stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (
            before.st_mode,
            before.st_uid,
            before.st_gid,
        )
        assert [path.name for path in outside.iterdir()] == ["postgresql"]
        for folder in (cluster.layout.root, cluster.layout.cluster, endpoint.socket_folder):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in cluster.layout.root.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    finally:
        cluster.close()


def test_ready_again_in_a_moment(shared: Cluster) -> None:
    shared.start()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        shared.start()
        times.append(time.perf_counter() - began)
    assert min(times) < 0.1


@pytest.mark.parametrize(
    "name",
    [
        "数据 目录 with spaces",
        'it\'s "quoted"',
        "comma, separated",
        "100% \\ back\\slash & #hash?x=1",
        "long" * 40,
        "长" * 60,
    ],
    ids=["chinese", "quotes", "comma", "signs", "long", "long-chinese"],
)
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    cluster = Cluster(tmp_path / name / "data")
    try:
        endpoint = cluster.start()
        assert ask(endpoint, "SELECT 1") == 1
        with create_engine(endpoint.url()).connect() as connection:
            assert connection.execute(text("SELECT '联盟'")).scalar() == "联盟"
        assert status(cluster.settings).state is State.RUNNING
        assert cluster.start() == endpoint
        assert stop(cluster.settings)
        assert cluster.start().socket_folder == endpoint.socket_folder
    finally:
        cluster.close()
        if endpoint.socket_folder.parent != cluster.layout.root:
            endpoint.socket_folder.rmdir()


@pytest.mark.parametrize("trap", ["link", "file", "open"])
def test_a_short_socket_folder_that_is_not_ours_is_refused(tmp_path: Path, trap: str) -> None:
    cluster = Cluster(tmp_path / ("long" * 40))
    folder = cluster.layout.short_socket_folder
    assert folder.parent == Path(tempfile.gettempdir())
    if trap == "link":
        folder.symlink_to(tmp_path)
    elif trap == "file":
        folder.write_text("mine")
    elif IS_ROOT:
        folder.mkdir()
        os.chown(folder, 65534, 65534)
    else:
        pytest.skip("only root can make a folder of somebody else")
    try:
        with pytest.raises(DatabaseUnavailable, match=r"socket folder .* only this account"):
            cluster.start()
        assert not cluster.processes()
    finally:
        folder.rmdir() if folder.is_dir() and not folder.is_symlink() else folder.unlink()


def test_a_file_system_without_sockets_gets_the_short_folder(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "can_hold_socket", lambda folder: False)
    endpoint = cluster.start()
    try:
        assert endpoint.socket_folder == cluster.layout.short_socket_folder
        assert ask(endpoint, "SELECT 1") == 1
    finally:
        cluster.close()
        endpoint.socket_folder.rmdir()


def test_status_and_stop_of_what_was_never_made_make_nothing(cluster: Cluster) -> None:
    found = status(cluster.settings)
    assert (found.state, found.version, found.pid) == (State.STOPPED, None, None)
    assert stop(cluster.settings) is False
    assert not cluster.data_dir.exists()


def test_status_follows_the_server(shared: Cluster) -> None:
    endpoint = shared.start()
    running = status(shared.settings)
    assert (running.state, running.pid) == (State.RUNNING, endpoint.pid)
    assert running.version == find_binaries(None).version
    assert running.socket_folder == endpoint.socket_folder
    assert running.size_bytes > 10_000_000
    assert stop(shared.settings) is True
    stopped = status(shared.settings)
    assert (stopped.state, stopped.pid, stopped.version) == (State.STOPPED, None, "18")
    assert stop(shared.settings) is False


def test_stop_keeps_what_was_written_and_cuts_off_who_is_connected(shared: Cluster) -> None:
    endpoint = shared.start()
    ask(endpoint, "CREATE TABLE kept AS SELECT 7 AS n")
    with closing(psycopg2.connect(endpoint.dsn())):
        assert stop(shared.settings)
    assert ask(shared.start(), "SELECT n FROM kept") == 7


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DatabaseUnavailable, match=r"can't be made \(Not a directory\)") as caught:
        Cluster(tmp_path / "file" / "data").start()
    assert caught.value.message.count("\n") == 0
    with pytest.raises(DatabaseUnavailable, match="can't be made"):
        Cluster(Path("/proc/clearinghouse")).start()


def test_a_folder_with_something_else_in_it_is_refused(cluster: Cluster) -> None:
    strange = cluster.layout.cluster
    strange.mkdir(parents=True)
    (strange / "thesis.txt").write_text("mine")
    with pytest.raises(DatabaseUnavailable, match="holds no PostgreSQL database"):
        cluster.start()
    assert (strange / "thesis.txt").read_text() == "mine"


def test_data_of_another_major_version_are_left_alone(cluster: Cluster) -> None:
    cluster.start()
    stop(cluster.settings)
    (cluster.layout.cluster / "PG_VERSION").write_text("14\n")
    with pytest.raises(DatabaseUnavailable, match="was made by PostgreSQL 14 and the programs"):
        cluster.start()


def test_programs_that_are_not_there_are_one_sentence(cluster: Cluster, tmp_path: Path) -> None:
    settings = replace(cluster.settings, postgres_bin=tmp_path)
    with pytest.raises(DatabaseUnavailable, match="does not hold the programs"):
        ensure_running(settings)
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(DatabaseUnavailable, match=r"is PostgreSQL 9\.6\.24; 15 or newer"):
        ensure_running(settings)


@pytest.mark.skipif(not SYSTEM_BINARIES, reason="no PostgreSQL of the system is installed")
def test_the_programs_of_the_system_work_too(cluster: Cluster) -> None:
    settings = replace(cluster.settings, postgres_bin=SYSTEM_BINARIES[-1])
    endpoint = ensure_running(settings, QUICK)
    version = status(settings).version
    assert version == find_binaries(SYSTEM_BINARIES[-1]).version
    assert str(ask(endpoint, "SHOW server_version")).startswith(f"{version} ")


def test_a_wish_the_server_does_not_know_is_one_sentence_with_its_reason(cluster: Cluster) -> None:
    ensure_running(cluster.settings, QUICK)
    stop(cluster.settings)
    with pytest.raises(DatabaseUnavailable, match=r"did not start: .*no_such_setting"):
        ensure_running(cluster.settings, {"no_such_setting": "1"})
    assert ask(cluster.start(), "SELECT 1") == 1


def test_the_log_is_bounded(shared: Cluster) -> None:
    shared.start()
    with shared.layout.log.open("ab") as file:
        file.write(b"x" * (log.BOUND_BYTES + 5_000_000))
        file.write(b"the last line\n")
    shared.start()
    assert shared.layout.log.stat().st_size < 100_000
    assert shared.layout.previous_log.stat().st_size == log.BOUND_BYTES
    assert shared.layout.previous_log.read_bytes().endswith(b"the last line\n")
    ask(shared.start(), "SELECT pg_terminate_backend(0)", SUPERUSER)
    assert b"\0" not in shared.layout.log.read_bytes()


def test_no_statement_and_no_value_reaches_the_log(shared: Cluster) -> None:
    endpoint = shared.start()
    ask(endpoint, "CREATE TABLE guests (phone text PRIMARY KEY)")
    ask(endpoint, "INSERT INTO guests VALUES ('13800138000')")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        ask(endpoint, "INSERT INTO guests VALUES ('13800138000')")
    said = shared.layout.log.read_text()
    assert "duplicate key" in said
    assert "13800138000" not in said


def test_databases_for_tests_are_cloned_from_a_template(shared: Cluster) -> None:
    endpoint = shared.start()
    superuser = endpoint.dsn(SUPERUSER, "postgres")
    create_database(superuser, "mould", owner=OWNER)
    with closing(psycopg2.connect(endpoint.dsn(OWNER, "mould"))) as connection:
        connection.cursor().execute("CREATE TABLE t AS SELECT 5 AS n")
        connection.commit()
    with (
        temporary_database(superuser, "a copy", owner=OWNER, template="mould") as name,
        closing(psycopg2.connect(endpoint.dsn(OWNER, name))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT n FROM t")
        assert cursor.fetchone() == (5,)
    drop_database(superuser, "mould")


def test_a_copied_folder_does_not_reach_the_originals_server(
    shared: Cluster, tmp_path: Path
) -> None:
    original = shared.start()
    shutil.copytree(shared.data_dir, tmp_path / "copy", ignore=shutil.ignore_patterns(".s.*"))
    copy = Cluster(tmp_path / "copy")
    try:
        endpoint = copy.start()
        assert endpoint.pid != original.pid
        assert ask(endpoint, "SHOW data_directory", SUPERUSER) == str(copy.layout.cluster)
        assert shared.start() == original
    finally:
        copy.close()


def test_an_endpoint_is_a_value(tmp_path: Path) -> None:
    endpoint = Endpoint(tmp_path / "a b", 1)
    assert endpoint == Endpoint(tmp_path / "a b", 1)
    assert endpoint.url().startswith("postgresql+psycopg2://clearinghouse_owner@/clearinghouse?")
    assert "a%20b" in endpoint.url("r", "d")


def test_the_layout_follows_links(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert Layout.under(tmp_path / "link") == Layout.under(tmp_path / "disk")
    assert Settings(tmp_path / "link").data_dir == tmp_path / "link"
