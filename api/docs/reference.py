"""The OpenAPI document, laid out for reading: operations by resource, each with the fields that go in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.http.problems import MEDIA_TYPE

_METHODS = ("get", "post", "put", "patch", "delete")
#: Beyond this a nested object is shown as such.
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a body, or a parameter; ``name`` is dotted, lists have ``[]``."""

    name: str
    kind: str
    required: bool
    bounds: str
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers with a status."""

    status: str
    description: str
    content_types: tuple[str, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[str, ...]
    parameters: tuple[Field, ...]
    body_types: tuple[str, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of one resource."""

    name: str
    description: str
    operations: tuple[Operation, ...]


def sections(document: Mapping[str, Any]) -> list[Section]:
    """Return the operations of an OpenAPI document by tag, in the document's order."""
    schemas = document["components"]["schemas"]
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                stated = operations[method]
                shared = operations.get("parameters", [])
                found[stated["tags"][0]].append(_operation(path, method, stated, shared, schemas))
    return [
        Section(tag["name"], tag.get("description", ""), tuple(found[tag["name"]]))
        for tag in document["tags"]
        if found[tag["name"]]
    ]


def _operation(
    path: str,
    method: str,
    stated: Mapping[str, Any],
    shared: list[Mapping[str, Any]],
    schemas: Mapping[str, Any],
) -> Operation:
    content = stated.get("requestBody", {}).get("content", {})
    body = _schema(content)
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        summary=stated.get("summary", ""),
        description=stated.get("description", ""),
        scopes=tuple(s for way in stated.get("security", ()) for names in way.values() for s in names),
        parameters=tuple(
            _field(f"{p['name']}", p.get("schema", {}), p.get("required", False), p.get("description"))
            for p in (*shared, *stated.get("parameters", ()))
            if "name" in p
        ),
        body_types=tuple(content),
        body=tuple(_fields(body, "", schemas, 0)),
        answers=tuple(
            _answer(status, answer, schemas)
            for status, answer in stated["responses"].items()
            if str(status)[0] in "23" or "content" in answer
        ),
    )  # fmt: skip


def _answer(status: str, stated: Mapping[str, Any], schemas: Mapping[str, Any]) -> Answer:
    content = stated.get("content", {})
    if MEDIA_TYPE in content:
        # A problem is the same everywhere but for its codes, and /docs/problems says what they mean.
        codes = content[MEDIA_TYPE]["schema"]["allOf"][1]["properties"]["code"]["enum"]
        return Answer(str(status), ", ".join(f"`{code}`" for code in codes), (), ())
    return Answer(
        str(status),
        stated.get("description", ""),
        tuple(content),
        tuple(_fields(_schema(content), "", schemas, 0)),
    )


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a body; where several types are possible they are the same, or files."""
    for stated in content.values():
        schema: Mapping[str, Any] = stated.get("schema", {})
        return schema
    return {}


def _fields(
    schema: Mapping[str, Any], inside: str, schemas: Mapping[str, Any], depth: int
) -> Iterator[Field]:
    """Yield the members of an object, and those of the objects in it."""
    schema = _resolved(schema, schemas)
    required = schema.get("required", ())
    for name, stated in schema.get("properties", {}).items():
        member = _resolved(stated, schemas)
        place = f"{inside}{name}"
        yield _field(place, member, name in required, stated.get("description"))
        item = _resolved(member.get("items", {}), schemas)
        if depth < _DEEPEST:
            yield from _fields(member, f"{place}.", schemas, depth + 1)
            yield from _fields(item, f"{place}[].", schemas, depth + 1)


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference; of several possible schemas take the first that is one."""
    for several in ("allOf", "anyOf", "oneOf"):
        if several in schema:
            real = [part for part in schema[several] if part.get("type") != "null"]
            schema = real[0] if real else {}
    if "$ref" in schema:
        named: Mapping[str, Any] = schemas[schema["$ref"].rpartition("/")[2]]
        return named
    return schema


def _field(name: str, schema: Mapping[str, Any], required: bool, description: str | None) -> Field:
    kinds = schema.get("type", "")
    kind = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "format" in schema:
        kind = f"{kind} ({schema['format']})"
    return Field(
        name, kind, required, _bounds(schema), description or schema.get("description", "")
    )


def _bounds(schema: Mapping[str, Any]) -> str:
    told = []
    if "enum" in schema:
        told.append(" | ".join(map(str, schema["enum"])))
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        told.append(f"{'' if least is None else least} … {'' if most is None else most}")
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if longest is not None:
        told.append(f"{shortest or 0} … {longest} 字符 characters")
    if "maxItems" in schema:
        told.append(f"≤ {schema['maxItems']}")
    if "default" in schema and schema["default"] is not None:
        told.append(f"默认 default: {schema['default']}")
    return "; ".join(told)
