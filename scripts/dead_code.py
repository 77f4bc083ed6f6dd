"""Look for code that nobody uses, templates counted as users: vulture reads Python alone."""

import subprocess
import sys
import tempfile
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ("web/templates", "api/templates")


def names_in(template: Path) -> set[str]:
    """What a template reads by name: variables, and attributes of them."""
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(template.read_text())  # noqa: S701  nothing is rendered
    read = {node.attr for node in tree.find_all(nodes.Getattr)}
    return read | {node.name for node in tree.find_all(nodes.Name)}


def main() -> int:
    """Run vulture on the packages and on a file that uses what templates use."""
    used: set[str] = set()
    for folder in TEMPLATES:
        for template in (ROOT / folder).rglob("*.html"):
            used |= names_in(template)
    with tempfile.TemporaryDirectory() as folder:
        users = Path(folder, "templates.py")
        users.write_text("".join(f"_.{name}\n" for name in sorted(used)))
        paths = ["clearinghouse", "settlement", "web", "api", "migrations", str(users)]
        return subprocess.run(
            [Path(sys.executable).with_name("vulture"), *paths], check=False, cwd=ROOT
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
