"""The client is for other people's programmes: it brings nothing of ours along."""

import subprocess
import sys

from tests.architecture.tree import imported_modules, modules, name_of

# What it may use; the last two only where they are asked for.
ALLOWED = {"urllib3", "joserfc", "standardwebhooks"}
LAZY = ALLOWED - {"urllib3"}


def test_it_stands_on_the_standard_library_and_urllib3() -> None:
    allowed = sys.stdlib_module_names | ALLOWED
    foreign = [
        f"{name_of(path)}:{line}: {module}"
        for path in modules("clearinghouse/client")
        for line, module in imported_modules(path)
        if not module.startswith("clearinghouse.client") and module.partition(".")[0] not in allowed
    ]
    assert foreign == []


def test_importing_it_brings_nothing_else() -> None:
    code = (
        "import sys, clearinghouse.client; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    names = set(loaded.stdout.split())
    assert "urllib3" in names
    assert (
        names & (LAZY | {"cryptography", "flask", "psycopg2", "sqlalchemy", "marshmallow"}) == set()
    )
