"""Taking tokens apart, putting them together, and what a refusal of one looks like."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from tests.api.service import Caller, Service

HOTELS = "/v1/hotels"


def get(service: Service, token: str) -> Any:
    return Caller(service.http, token).get(HOTELS)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    header, claims, signature = (urlsafe_b64decode(p + "==") for p in token.split("."))
    return json.loads(header), json.loads(claims), signature


def join(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> str:
    sections = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(urlsafe_b64encode(s).rstrip(b"=").decode() for s in sections)


def assert_refused(answer: Any, code: str = "token_invalid", status: int = 401) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"
    if status == 401:
        assert answer.headers["WWW-Authenticate"]
