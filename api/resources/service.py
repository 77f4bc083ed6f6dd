"""The service about itself: what it is, whether it lives and can work, its figures, its keys and its document."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app, jsonify
from marshmallow import fields

from api.http import metrics
from api.http.blueprint import Api, Blueprint
from api.http.caller import house, public, the_context
from api.schemas.base import Schema
from clearinghouse.domain.errors import DatabaseUnavailable
from clearinghouse.operations.opening import is_ready
from clearinghouse.operations.signing_keys import published_keys

blueprint = Blueprint("service", __name__, description="服务 The service itself")


class Health(Schema):
    """Whether the process works, and its database."""

    status = fields.String(required=True)
    database = fields.String()


class Home(Schema):
    """What this is and where to go on."""

    name = fields.String(required=True)
    documentation = fields.String(required=True)
    openapi = fields.String(required=True)
    health = fields.String(required=True)
    readiness = fields.String(required=True)


class KeySet(Schema):
    """Public keys as a JWK set (RFC 7517)."""

    keys = fields.List(fields.Dict(), required=True)


@blueprint.get("/")
@public
@blueprint.response(200, Home)
def home() -> dict[str, str]:
    """What this is."""
    return {
        "name": "酒店联盟清算所 · Hotel Alliance Clearing House",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "health": "/livez",
        "readiness": "/readyz",
    }


@blueprint.get("/livez")
@public
@blueprint.response(200, Health)
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
@blueprint.response(200, Health)
@blueprint.alt_response(503, schema=Health, description="The database does not answer")
def ready() -> Any:
    """The process can do its work: its database answers."""
    try:
        is_ready(the_context())
    except DatabaseUnavailable:
        return {"status": "unavailable", "database": "unavailable"}, 503
    return {"status": "ok", "database": "ok"}


@blueprint.get("/metrics")
@public
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def show_metrics() -> Response:
    """What the service counts and times, for Prometheus; nothing of any member in particular."""
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


@blueprint.get("/.well-known/jwks.json")
@public
@blueprint.response(200, KeySet)
def key_set() -> Response:
    """The public keys of tokens that may still be good, and all that ever signed published files or codes of cards.

    `purpose` says which: `token`, `statement` or `card`. A key that `revoked` calls compromised proves nothing.
    """
    answer = jsonify(keys=[*house().desk.published_keys(), *published_keys(the_context())])
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@blueprint.get("/openapi.json")
@public
@blueprint.response(200, {"type": "object"})
def openapi() -> Response:
    """This document."""
    text = json.dumps(openapi_document(), ensure_ascii=False)
    answer = Response(text, content_type="application/json")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of all resources."""
    api: Api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    document: dict[str, Any] = api.spec.to_dict()
    return document
