"""What the OpenAPI document says beside its paths: who may call, and the service's own words."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from api.http.caller import SECURITY_SCHEME
from clearinghouse.domain.scopes import SCOPES

_TITLE = "酒店联盟清算所 Hotel Alliance Clearing House"
_DESCRIPTION = (
    "会员卡互认、积分互通、每月净额清算。Cards honoured by all, one pool of points, one net amount a month.\n\n"
    "Errors are problems (RFC 9457) with a stable `code`; money is in fen; moments carry their offset. Every answer has"
    " `X-Request-Id`; of a request that is counted, `RateLimit` and `RateLimit-Policy` say what is left."
)


def document() -> dict[str, Any]:
    """Return the arguments of the OpenAPI document."""
    return {
        "title": _TITLE,
        "version": version("hotel-clearinghouse"),
        "openapi_version": "3.1.0",
        "info": {
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "components": {
            "securitySchemes": {
                SECURITY_SCHEME: {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": "/oauth/token",
                            "scopes": {
                                name: f"{scope.zh} {scope.en}" for name, scope in SCOPES.items()
                            },
                        }
                    },
                }
            }
        },
    }
