"""What a deployment is made of: it names only what exists, starts as nobody special, and holds no secret."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import compose_spec
import pytest
import yaml

from api.cli import cli
from clearinghouse.config import SETTINGS_TABLE, Settings
from clearinghouse.store.embedded import configuration
from tests.architecture.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
#: Services that do their work and end.
JOBS = {"migrate"}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of secrets as the script makes it, twice: the second time changes nothing."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    script = ["sh", str(ROOT / "deploy" / "secrets.sh"), str(folder)]
    subprocess.run(script, check=True, capture_output=True)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    again = subprocess.run(script, check=True, capture_output=True)
    assert again.stdout == b""
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    return folder


def test_the_compose_file_is_one_by_the_specification() -> None:
    plain = {name: part for name, part in COMPOSE.items() if not name.startswith("x-")}
    # It refuses members it does not know, and networks, volumes and secrets that nobody defines.
    compose_spec.PyCompose.from_json(json.dumps(plain)).validate()


def test_all_that_was_asked_for_is_there() -> None:
    assert {"database", "broker", "migrate", "api", "worker", "beat"} <= SERVICES.keys()
    assert {"backup-journal", "backup-base"} <= SERVICES.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in {"", "root", "0", "0:0"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["networks"]
    assert not service.get("privileged")
    if name in JOBS:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    # A version of its own for every image: nothing changes by itself.
    assert re.search(r":\d+\.\d+", service["image"])


def test_only_the_api_is_reached_and_only_from_this_machine() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert published == {"api": ["127.0.0.1:8080:8080"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", SERVICES)
def test_settings_exist_and_secrets_come_from_files_that_the_service_is_given(name: str) -> None:
    service = SERVICES[name]
    known = {variable.name for variable in SETTINGS_TABLE}
    for variable, value in service.get("environment", {}).items():
        if variable.startswith("CLEARINGHOUSE_"):
            assert variable.removesuffix("_FILE") in known
        assert not re.search(r"://[^/]*:[^/]*@", str(value))
        if variable.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service["secrets"]
        else:
            assert not re.search("PASSWORD|KEY|SECRET|_URL$", variable.replace("PUBLIC_URL", ""))
    words = json.dumps([service.get("command"), service.get("healthcheck")])
    assert set(re.findall(r"/run/secrets/(\w+)", words)) <= set(service.get("secrets", []))


def test_who_serves_requests_does_not_know_the_owners_password() -> None:
    may = {name for name, s in SERVICES.items() if "owner_url" in s.get("secrets", [])}
    assert may == {"migrate"}


def test_the_script_makes_every_secret_and_the_settings_take_them(secrets: Path) -> None:
    files = {
        name: Path(secret["file"]).relative_to("secrets")
        for name, secret in COMPOSE["secrets"].items()
    }
    assert all(str(file) == name for name, file in files.items())
    assert {file.name for file in secrets.iterdir()} == files.keys()
    assert secrets.stat().st_mode & 0o077 == 0
    for name in OURS:
        env = {
            variable: str(value).replace("/run/secrets", str(secrets))
            for variable, value in SERVICES[name]["environment"].items()
            if not str(value).startswith("$")
        }
        settings = Settings.from_environment({**env, "HOME": "/nobody"})
        assert settings.database_url is not None
        password = (secrets / "superuser_password").read_text().strip()
        assert len(password) == 32
        assert password not in settings.database_url


def words_of_commands() -> list[list[str]]:
    """What the compose file and the image's own default run of ours."""
    found = [SERVICES[name]["command"] for name in OURS]
    found += [
        SERVICES[name]["healthcheck"]["test"][2:]
        for name in OURS
        if SERVICES[name].get("healthcheck", {}).get("test", [""] * 2)[1] == "clearinghouse"
    ]
    default = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert default
    return [*found, json.loads(default[1])]


@pytest.mark.parametrize("words", words_of_commands(), ids=" ".join)
def test_the_commands_exist_with_their_options(words: list[str]) -> None:
    command: click.Command = cli
    rest = list(words)
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest.pop(0))
        assert found is not None, words
        command = found
    command.make_context(words[0], rest)


def test_the_image_is_of_a_pinned_base_and_runs_as_nobody_special() -> None:
    assert re.search(r"^ARG PYTHON=python:3\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert all(SERVICES[name]["user"] == "10001:10001" for name in OURS)
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    # Nothing that a build is handed could stay in a layer.
    assert not re.search(r"^ARG (?!PYTHON=)", DOCKERFILE, re.MULTILINE)


def test_the_image_is_built_from_files_that_are_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists()
            assert f"!{name}" in ignored


def test_what_builds_the_wheel_is_in_the_lock() -> None:
    names = re.search(r"setup\.py pins ([a-z- ]+) >", DOCKERFILE)
    assert names
    command = [sys.executable, "scripts/setup.py", "pins", *names[1].split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^([a-z-]+)==", done.stdout, re.MULTILINE) == names[1].split()
    # What the lock says hatchling asks for, and what that asks for: nothing is missing from the list.
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE):
        if "hatchling" in re.findall(r"^    #(?: via)? +(\S+)$", block, re.MULTILINE):
            assert block.split("==")[0] in names[1].split()


def test_the_database_keeps_guests_out_of_its_log_and_has_room_for_partitions() -> None:
    words = SERVICES["database"]["command"]
    said = dict(word.split("=", 1) for word in words if "=" in word)
    embedded = configuration.server_settings(Path("/c"), Path("/s"), lz4=True)
    for name in (
        "log_min_error_statement",
        "log_error_verbosity",
        "max_locks_per_transaction",
        "jit",
        "timezone",
        "wal_compression",
    ):
        assert said[name] == embedded[name]
    assert not {"fsync", "synchronous_commit", "full_page_writes"} & said.keys()


def test_scripts_and_image_have_no_lint() -> None:
    assert len(SCRIPTS) == 3
    assert all(os.access(script, os.X_OK) for script in SCRIPTS)
    for command in (
        [TOOLS / "shellcheck", *SCRIPTS],
        [TOOLS / "hadolint", ROOT / "Dockerfile"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
