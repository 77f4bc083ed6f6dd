"""flask-smorest as this house uses it: schemas made once, strict bodies, and problems as every error's schema."""

from __future__ import annotations

import http
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask_smorest.utils import resolve_schema_instance

from api.http.bodies import BodyParser
from api.http.decorators import Decorator
from api.http.outcomes import with_problems
from api.http.problems import MEDIA_TYPE
from api.schemas.problem import ProblemSchema

PROBLEM_RESPONSE = "Problem"


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # its base is untyped
    """The routes of one resource."""

    ARGUMENTS_PARSER = BodyParser()

    def __init__(self, *names: Any, **options: Any) -> None:
        super().__init__(*names, **options)
        self._prepare_doc_cbks.append(_tell_problems)

    def get(self, rule: str, **options: Any) -> Decorator:
        """Route ``GET`` to a view."""
        return self._decorator(super().get(rule, **options))

    def post(self, rule: str, **options: Any) -> Decorator:
        """Route ``POST`` to a view."""
        return self._decorator(super().post(rule, **options))

    def patch(self, rule: str, **options: Any) -> Decorator:
        """Route ``PATCH`` to a view."""
        return self._decorator(super().patch(rule, **options))

    def put(self, rule: str, **options: Any) -> Decorator:
        """Route ``PUT`` to a view."""
        return self._decorator(super().put(rule, **options))

    def delete(self, rule: str, **options: Any) -> Decorator:
        """Route ``DELETE`` to a view."""
        return self._decorator(super().delete(rule, **options))

    def arguments(self, schema: Any, **options: Any) -> Decorator:
        """Read a request by a schema; it is made here once, since making one for every request is dear."""
        return self._decorator(super().arguments(resolve_schema_instance(schema), **options))

    def response(self, status: int, schema: Any = None, **options: Any) -> Decorator:
        """Answer with a status and what the view returns, written by a schema."""
        return self._decorator(super().response(status, schema, **options))

    def doc(self, **document: Any) -> Decorator:
        """Add to what OpenAPI tells of a view."""
        return self._decorator(super().doc(**document))

    def alt_response(self, status: int, **options: Any) -> Decorator:
        """Document another answer."""
        return self._decorator(super().alt_response(status, **options))

    @staticmethod
    def _decorator(made: Any) -> Decorator:
        """Say of an untyped library's decorator what it is."""
        decorate: Decorator = made
        return decorate


def _tell_problems(doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Document the problems of an operation after all else; flask-smorest calls it by these names."""
    return with_problems(doc, doc_info)


class _Converter(OpenAPIConverter):
    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Tell of a schema's rules beside its members."""
        rules = getattr(schema, "rules", {})
        return {**super().schema2jsonschema(schema), **rules}  # type: ignore[no-untyped-call]  # apispec has no types


class Schemas(MarshmallowPlugin):
    """How our schemas are written in the document."""

    Converter = _Converter


class Api(flask_smorest.Api):  # type: ignore[misc]  # its base is untyped
    """The OpenAPI document of all resources; our own handlers answer errors."""

    DEFAULT_ERROR_RESPONSE_NAME = PROBLEM_RESPONSE

    def _register_error_handlers(self) -> None:
        """Leave errors to ``api.http.problems``."""

    def _register_pagination_header(self) -> None:
        """Leave pages to ``api.http.pages``."""

    def _register_responses(self) -> None:
        """Document every error as a problem, under the names that flask-smorest refers to."""
        problem = {
            "description": "A problem (RFC 9457); `code` says which, `/docs/problems` lists them all",
            "content": {MEDIA_TYPE: {"schema": ProblemSchema}},
        }
        self.spec.components.response(PROBLEM_RESPONSE, problem)
        for status in http.HTTPStatus:
            if status >= 400:
                self.spec.components.response(status.name, dict(problem), lazy=True)
