"""The domain decides with exact integers, from its arguments alone."""

import ast
import sys
from collections.abc import Iterator

from tests.architecture.tree import imported_modules, modules, name_of, parsed

# Modules that touch the world, and functions of other modules that read a clock or draw an id.
WORLD = {
    "asyncio",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
}
CLOCKS = {"now", "today", "utcnow", "monotonic", "perf_counter", "uuid1", "uuid4", "uuid7"}
DOMAIN = modules("clearinghouse/domain")


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Every node of the domain's syntax trees, with its file and line."""
    for path in DOMAIN:
        for node in ast.walk(parsed(path)):
            yield f"{name_of(path)}:{getattr(node, 'lineno', 0)}", node


def called_name(node: ast.AST) -> str:
    """The last part of what is called, `now` of `datetime.now()`; empty if nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def brings_a_float(node: ast.AST) -> bool:
    """Floats come in three ways: a literal, float, and the true division of two integers."""
    match node:
        case ast.Constant(value=float()) | ast.Name(id="float"):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case _:
            return False


def test_it_stands_on_the_standard_library() -> None:
    allowed = sys.stdlib_module_names - WORLD
    foreign = [
        f"{name_of(path)}:{line}: {module}"
        for path in DOMAIN
        for line, module in imported_modules(path)
        if not module.startswith((".", "clearinghouse.domain"))
        and module.partition(".")[0] not in allowed
    ]
    assert foreign == []


def test_it_never_reads_the_clock() -> None:
    assert [
        f"{place}: {called_name(node)}()" for place, node in nodes() if called_name(node) in CLOCKS
    ] == []


def test_no_float_touches_money_or_points() -> None:
    """A float in an annotation counts too: nothing in the domain may ask for one."""
    assert [
        f"{place}: {ast.unparse(node)}" for place, node in nodes() if brings_a_float(node)
    ] == []
