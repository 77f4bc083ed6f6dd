"""``POST /oauth/token``: an access token for a client that proves who it is (RFC 6749 §4.4, RFC 7523)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any
from urllib.parse import unquote_plus

from flask import request
from marshmallow import fields

from api.http.blueprint import Blueprint
from api.http.caller import house, public
from api.http.outcomes import problems
from api.http.problems import ProblemError
from api.schemas.base import Choice, Schema, Text, Whole
from clearinghouse.domain.errors import ClientRefused
from clearinghouse.operations.clients import prove_by_assertion, prove_by_secret
from clearinghouse.operations.tokens import TOKEN_SECONDS
from clearinghouse.store.clients import StoredClient

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_VISIBLE = r"^[\x20-\x7e]*$"

blueprint = Blueprint("oauth", __name__, url_prefix="/oauth", description="访问令牌 Access tokens")


class TokenRequest(Schema):
    """A client and how it proves who it is: HTTP Basic, a secret in the body, or a signed assertion."""

    grant_type = fields.String(required=True, metadata={"enum": ["client_credentials"]})
    scope = Text(500, least=0, pattern=_VISIBLE)
    client_id = Text(200, pattern=_VISIBLE)
    client_secret = Text(200, pattern=_VISIBLE)
    client_assertion_type = Choice(ASSERTION_TYPE)
    client_assertion = Text(8000, pattern=_VISIBLE)


class TokenView(Schema):
    """An access token (RFC 6749 §5.1)."""

    access_token = fields.String(required=True)
    token_type = Choice("Bearer", required=True)
    expires_in = Whole(1, TOKEN_SECONDS, required=True, metadata={"description": "seconds"})
    scope = fields.String(required=True)


@blueprint.post("/token")
@public
@problems(
    "invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "rate_limited"
)
@blueprint.arguments(TokenRequest, location="form")
@blueprint.response(200, TokenView)
def get_token(form: dict[str, Any]) -> dict[str, Any]:
    """Get an access token.

    It is good for an hour. Without `scope` it has all scopes of the client; no token has more. A client proves who it
    is with its secret (HTTP Basic or in the body) or, by `private_key_jwt`, with an assertion that it signs: `iss` and
    `sub` are its client id, `aud` is this service's address, `exp` lies in the next ten minutes and `jti` is another
    one each time.
    """
    if any(len(values) > 1 for values in request.form.listvalues()):
        raise ProblemError("invalid_request", "a parameter is there twice")
    if form["grant_type"] != "client_credentials":
        raise ProblemError("unsupported_grant_type")
    asked = form.get("scope", "").split()
    client = _proven(form)
    issued = house().desk.issue(client, asked or None)
    return {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(issued.scopes),
    }


def _proven(form: dict[str, Any]) -> StoredClient:
    """Return the client, by the one way in which it proves who it is."""
    basic = request.headers.get("Authorization")
    ways = [basic is not None, "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise ProblemError("invalid_request", "a client proves who it is in one way")
    shared = house()
    address = request.remote_addr or ""
    if "client_assertion" in form:
        shared.limiter.count_token(form.get("client_id", ""), address)
        if "client_assertion_type" not in form:
            raise ProblemError("invalid_request", "client_assertion_type is missing")
        audiences = (shared.options.public_url, f"{shared.options.public_url}/oauth/token")
        client = prove_by_assertion(shared.context, form["client_assertion"], audiences)
        if form.get("client_id", client.client_id) != client.client_id:
            raise ClientRefused("the assertion is another client's")
        return client
    client_id, secret = _basic(basic) if basic is not None else _posted(form)
    shared.limiter.count_token(client_id, address)
    if form.get("client_id", client_id) != client_id:
        raise ProblemError("invalid_request", "two client ids are there")
    return prove_by_secret(shared.context, client_id, secret)


def _posted(form: dict[str, Any]) -> tuple[str, str]:
    try:
        return form["client_id"], form["client_secret"]
    except KeyError:
        raise ClientRefused("client_id and client_secret, or an assertion, are missing") from None


def _basic(header: str) -> tuple[str, str]:
    """Return client id and secret of HTTP Basic; each is form-encoded inside (RFC 6749 §2.3.1)."""
    scheme, _, text = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        client_id, colon, secret = b64decode(text.strip(), validate=True).decode().partition(":")
        if not colon or "\x00" in client_id:
            raise ValueError
    except (ValueError, binascii.Error):
        raise ClientRefused("the Authorization header is not HTTP Basic") from None
    return unquote_plus(client_id), unquote_plus(secret)
