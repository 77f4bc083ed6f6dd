"""Make `.venv` hold exactly what the lock says, and the lock what pyproject.toml asks for.

Run by `make setup` and `make lock` with the machine's own Python, where only the standard library is
there. A setup is: a virtual environment (several ways to make one, for machines that lack a part of
Python), the locked uv in it, every locked package by its hash, then this project, editable. uv does
not read pip's configuration, so the machine's mirror, proxy and certificate are handed to it; where
uv cannot work, pip installs from the same lock, only slower.
"""

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / ".stamp"
LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
INPUTS = (ROOT / "pyproject.toml", DEV_LOCK, Path(__file__))
IS_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"

# pip's option and the variable that means the same to uv. pip separates several values by blanks.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


class SetupError(Exception):
    """Setup cannot go on; the message is the sentence for the person at the keyboard."""


def say(sentence: str) -> None:
    """Tell the person what is taking time."""
    print(f"setup: {sentence}", flush=True)


def run(*command: object, env: dict[str, str] | None = None) -> bool:
    """Run a command that may fail, showing what it printed only if it did; True if it succeeded."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError:
        return False
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
    return done.returncode == 0


def output_of(*command: object) -> str:
    """What a command prints, and nothing where it does not run."""
    words = [str(word) for word in command]
    try:
        return subprocess.run(
            words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return ""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock on the checkout: two setups at once would delete each other's files."""
    with (ROOT / ".setup.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def digest() -> str:
    """Fingerprint of what the environment depends on, the place of the checkout included."""
    parts = [str(ROOT).encode(), *(path.read_bytes() for path in INPUTS)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def has_module(name: str) -> bool:
    """Whether the machine's own Python has a module."""
    return run(sys.executable, "-c", f"import importlib.util as u; exit(not u.find_spec({name!r}))")


def install_debian_venv() -> bool:
    """Install what Debian's Python lacks, where we may (root, apt-get); True if that worked."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    say("installing python3-venv")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return run(apt, "-qq", "update", env=env) and run(
        apt, "-qq", "install", "-y", "--no-install-recommends", "python3-venv", env=env
    )


def make_venv() -> None:
    """Create `.venv` unless a sound one is there.

    Debian ships ensurepip apart from venv: without it the environment is made without pip, which
    `make_uv` then does without.

    Raises:
        SetupError: No way of making one works here.
    """
    if PYTHON.exists() and run(PYTHON, "-c", IS_NEW_ENOUGH):
        return
    say(f"creating .venv with Python {sys.version.split()[0]}")
    ways = []
    if has_module("venv"):
        ways.append(("venv", *([] if has_module("ensurepip") else ["--without-pip"])))
    if has_module("virtualenv"):
        ways.append(("virtualenv",))
    if any(run(sys.executable, "-m", *way, "--clear", VENV) for way in ways):
        return
    if install_debian_venv() and run(sys.executable, "-m", "venv", "--clear", VENV):
        return
    raise SetupError(
        "this Python has no module venv, so no virtual environment can be made: install it "
        "(Debian and Ubuntu: apt install python3-venv) and run make setup again"
    )


def locked_lines(package: str) -> str:
    """The lines of the lock that pin one package, hashes included.

    Raises:
        SetupError: The lock does not pin it.
    """
    lines: list[str] = []
    for line in DEV_LOCK.read_text().splitlines():
        if line.startswith(f"{package}==") or (lines and "--hash" in line):
            lines.append(line)
        elif lines:
            return "\n".join(lines) + "\n"
    raise SetupError(f"requirements-dev.lock does not pin {package}: it is damaged")


def make_uv() -> bool:
    """Put the locked uv into `.venv`; False where only pip is there to work with.

    Raises:
        SetupError: There is neither pip nor uv on this machine to start from.
    """
    pinned = locked_lines("uv")
    version = pinned.split()[0].removeprefix("uv==")
    if UV.exists() and version in output_of(UV, "--version").split():
        return True
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pin:
        pin.write(pinned)
        pin.flush()
        wanted = ("install", "--quiet", "--no-deps", "--require-hashes", "-r", pin.name)
        if (VENV / "bin" / "pip").exists():
            return run(PYTHON, "-m", "pip", "--no-input", *wanted) and UV.exists()
        # No pip in .venv: the machine's own pip, or its own uv, can install into it from outside.
        other = shutil.which("uv")
        if has_module("pip"):
            run(sys.executable, "-m", "pip", "--no-input", "--python", PYTHON, *wanted)
        if not UV.exists() and other:
            run(other, "pip", *wanted, "--python", PYTHON)
    if UV.exists():
        return True
    if install_debian_venv() and run(sys.executable, "-m", "venv", "--clear", VENV):
        return make_uv()
    raise SetupError(
        "this Python has no pip to install packages with: install it "
        "(Debian and Ubuntu: apt install python3-venv) and run make setup again"
    )


def pip_options() -> dict[str, str]:
    """What pip is configured with on this machine: the environment over `install` over `global`."""
    python = PYTHON if (VENV / "bin" / "pip").exists() else sys.executable
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in output_of(python, "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = str(ast.literal_eval(value))
    return {**found["global"], **found["install"], **found[":env:"]}


def uv_environment() -> dict[str, str]:
    """The environment for uv: what is set for it already stands, the rest follows pip."""
    env = dict(os.environ)
    options = pip_options()
    for option, variable in PIP_TO_UV.items():
        values = options.get(option, "").split()
        if values:
            env.setdefault(variable, ("," if option == "find-links" else " ").join(values))
    # Like pip, look at every index, not only at the first that knows a name: the hashes keep it safe.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    home = Path(env.get("HOME") or "/nonexistent")
    if not os.access(home, os.W_OK):
        env.setdefault("UV_CACHE_DIR", str(VENV / ".cache"))
    return env


def install() -> None:
    """Bring `.venv` up to date with the lock; quick where it is already.

    Raises:
        SetupError: A step failed; its output has been shown.
    """
    if STAMP.is_file() and STAMP.read_text() == digest() and run(PYTHON, "-c", IS_NEW_ENOUGH):
        STAMP.touch()
        return
    make_venv()
    has_uv = make_uv()
    say("installing the locked packages")
    project = ("--no-deps", "--no-build-isolation", "--editable", ROOT)
    if has_uv:
        env = uv_environment()
        into = ("--quiet", "--python", PYTHON)
        if run(UV, "pip", "sync", *into, "--require-hashes", DEV_LOCK, env=env) and run(
            UV, "pip", "install", *into, *project, env=env
        ):
            STAMP.write_text(digest())
            return
        say("uv could not; trying pip")
    pip = (PYTHON, "-m", "pip", "--no-input", "install", "--quiet")
    if not (run(*pip, "--no-deps", "--require-hashes", "-r", DEV_LOCK) and run(*pip, *project)):
        raise SetupError(
            "the locked packages could not be installed: look at the lines above, check the network "
            "or pip's configuration, and run make setup again"
        )
    STAMP.write_text(digest())


def lock(*options: str) -> None:
    """Resolve the dependencies for every platform; pins that still hold stay, unless `--upgrade`.

    No index is written into the files (docs/decisions/0001).

    Raises:
        SetupError: There is no resolution, or no way to the packages; uv's words have been shown.
    """
    command = [UV, "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    env = {**uv_environment(), "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    runtime = (*command, "pyproject.toml", "--output-file", LOCK.name, *options)
    everything = (*command, "pyproject.toml", "--extra", "dev", "--constraints", LOCK.name)
    if not run(*runtime, env=env) or not run(
        *everything, "--output-file", DEV_LOCK.name, *options, env=env
    ):
        raise SetupError("the dependencies could not be resolved: look at the lines above")


def main(arguments: list[str]) -> int:
    """Run `install`, `lock [OPTION...]` or `pins PACKAGE...`; 0 if it worked, 1 with one sentence if not."""
    try:
        if arguments[:1] == ["pins"]:
            print("".join(locked_lines(package) for package in arguments[1:]), end="")
            return 0
        with one_at_a_time():
            if arguments[:1] == ["lock"]:
                lock(*arguments[1:])
            else:
                install()
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
