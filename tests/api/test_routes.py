"""What is true of every route: it says who may use it, and it is in the document as it is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate
from werkzeug.routing import Rule

from clearinghouse.domain.scopes import SCOPES
from tests.api.service import Service

#: What everybody may see; anything else needs a token. An addition is a decision.
PUBLIC = {
    "/", "/livez", "/readyz", "/metrics", "/openapi.json", "/.well-known/jwks.json", "/oauth/token",
    "/docs", "/docs/problems", "/docs/style.css",
}  # fmt: skip


def rules(service: Service) -> list[Rule]:
    return sorted(service.app.url_map.iter_rules(), key=lambda rule: rule.rule)


def sample(rule: Rule) -> str:
    return re.sub(r"<[^>]+>", "x", rule.rule)


def document(service: Service) -> dict[str, Any]:
    return dict(service.http.get("/openapi.json").json)


def test_every_route_says_who_may_use_it(service: Service) -> None:
    for rule in rules(service):
        view = service.app.view_functions[rule.endpoint]
        public, scopes = hasattr(view, "public"), getattr(view, "needs", ())
        assert public != bool(scopes), f"{rule.rule}: either @needs or @public"
        assert public == (rule.rule in PUBLIC), rule.rule
        assert set(scopes) <= SCOPES.keys()


def test_every_other_route_turns_strangers_away(service: Service) -> None:
    stranger = service.anyone()
    for rule in rules(service):
        if rule.rule not in PUBLIC:
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                answer = stranger.send(method, sample(rule))
                assert answer.status_code == 401, (method, rule.rule, answer.text)
                assert answer.json["code"] == "token_missing"


def test_every_route_checks_its_scope(service: Service) -> None:
    """A client that may do one thing only is refused everything else, before anything is read."""
    lookers = {
        scope: service.client("AUR", scopes=[scope]) for scope in ("hotels:read", "cards:read")
    }
    for rule in rules(service):
        needed = getattr(service.app.view_functions[rule.endpoint], "needs", ())
        for scope, looker in lookers.items():
            if needed and scope not in needed:
                for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                    answer = looker.send(method, sample(rule))
                    assert answer.status_code == 403, (method, rule.rule, answer.text)


def test_the_document_is_sound_and_complete(service: Service) -> None:
    found = document(service)
    assert found["openapi"] == "3.1.0"
    validate(found)
    documented = {
        (re.sub(r"{([^}]+)}", "<>", path), method.upper())
        for path, operations in found["paths"].items()
        for method in operations
        if method != "parameters"
    }
    served = {
        (re.sub(r"<[^>]+>", "<>", rule.rule), method)
        for rule in rules(service)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert documented == served


def test_the_document_says_who_may_call(service: Service) -> None:
    found = document(service)
    flows = found["components"]["securitySchemes"]["oauth2"]["flows"]
    assert list(flows["clientCredentials"]["scopes"]) == list(SCOPES)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert operation["summary"], (method, path)
            scopes = [scope for way in operation["security"] for scope in way["oauth2"]]
            assert bool(scopes) == (path not in PUBLIC), (method, path)
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}


def test_every_text_and_number_that_comes_in_has_its_bounds(service: Service) -> None:
    """What a body may hold is said exactly, so that nothing unexpected can be meant by it."""
    found = document(service)
    loose: list[str] = []
    for place, schema in incoming(found):
        walk(schema, place, found["components"]["schemas"], loose)
    assert loose == []


def incoming(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas of all bodies and of all parameters in addresses."""
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                if kind in ("application/json", "application/x-www-form-urlencoded"):
                    yield f"{method} {path}", content["schema"]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    yield f"{method} {path}?{parameter['name']}", parameter["schema"]


def walk(
    schema: dict[str, Any], place: str, schemas: dict[str, dict[str, Any]], loose: list[str]
) -> None:
    """Collect what in a schema has no bounds."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in place.split("/"):
            walk(schemas[name], f"{place}/{name}", schemas, loose)
        return
    loose += [f"{place}: {what}" for what in unbounded(schema)]
    for name, member in schema.get("properties", {}).items():
        walk(member, f"{place}/{name}", schemas, loose)
    if "items" in schema:
        walk(schema["items"], f"{place}[]", schemas, loose)


def unbounded(schema: dict[str, Any]) -> Iterator[str]:
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and not schema.keys() & {"enum", "maxLength", "format"}:
        yield "text without a largest length"
    if "integer" in kinds and not (schema.keys() >= {"minimum", "maximum"} or "enum" in schema):
        yield "number without bounds"
    if "array" in kinds and "maxItems" not in schema:
        yield "list without an end"
    if "object" in kinds and schema.get("additionalProperties") is not False:
        yield "takes what it does not name"


@pytest.mark.parametrize("path", ["/openapi.json", "/livez", "/.well-known/jwks.json"])
def test_everybody_may_read(service: Service, path: str) -> None:
    assert service.http.get(path).status_code == 200
