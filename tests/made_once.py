"""What every application makes anew and always alike is made once a process: routes and templates.

Each test has an application of its own, of two hundred routes. Werkzeug writes two functions for each of them and
compiles these, which is half of what an application costs; such a function depends on nothing but the rule, whose
converters it is given when it is called. Jinja parses and compiles each template for each application.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

_builders: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}
_build = Rule._compile_builder


def _built_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    if rule.defaults:  # they are values within the function
        return _build(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _builders:
        _builders[key] = _build(rule, append_unknown)
    return _builders[key]


class _Templates(BytecodeCache):
    """Templates as they were compiled; Jinja asks by name and file, and compares the source."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


def make_once() -> None:
    """Share among all applications of this process."""
    Rule._compile_builder = _built_once  # type: ignore[method-assign,assignment]  # Werkzeug has no setting
    Flask.jinja_options = {"bytecode_cache": _Templates()}
