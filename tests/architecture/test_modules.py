"""What every module owes its reader: a docstring and a readable size."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import PACKAGES, modules, name_of, parsed

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
EVERYTHING = modules(*PACKAGES, "tests", "scripts")


def functions() -> Iterator[tuple[str, int]]:
    """Every function, as file and line, and how many lines it takes without its decorators."""
    for path in EVERYTHING:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{name_of(path)}:{node.lineno} {node.name}", lines


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in EVERYTHING if not ast.get_docstring(parsed(path))]
    assert silent == []


def test_no_file_outgrows_its_idea() -> None:
    sizes = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in EVERYTHING
    }
    assert {name: lines for name, lines in sizes.items() if lines > MAX_FILE_LINES} == {}


def test_every_function_fits_on_a_screen() -> None:
    assert {place: lines for place, lines in functions() if lines > MAX_FUNCTION_LINES} == {}
