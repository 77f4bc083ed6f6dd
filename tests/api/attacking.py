"""Every operation of the served document, with an address and a body that AUR could use, for those who attack it."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tests.alliances import CARDS
from tests.api.lived import AT, HOOK, TODAY, Lived, body

WHEN = {"business_date": TODAY, "occurred_at": AT}
PERSON = {"hotel": "AUR-BJ", "tier_code": "A1", "name": "周迅", "phone": "13900139555"}
#: A good body for every operation that takes one, by its address in the document; AUR's.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/v1/transactions"): body("spend", "AUR-BJ", "fit", amount=100),
    ("post", "/v1/transactions/{txn_id}/refund"): {"txn_ref": "fit-r", "points": 1, **WHEN},
    ("post", "/v1/authorizations"): body("redeem", "AUR-BJ", "fit-h", points=1),
    ("post", "/v1/authorizations/{auth_id}/capture"): {"points": 1, **WHEN},
    ("post", "/v1/authorizations/{auth_id}/void"): {},
    ("post", "/v1/cards/lookup"): {"card_number": CARDS["T1"]},
    ("patch", "/v1/cards/{card_id}"): {"status": "active"},
    ("post", "/v1/cards/{card_id}/replace"): {"reason": "lost"},
    ("post", "/v1/enrolments"): PERSON,
    ("post", "/v1/enrolments/{enrolment_id}/confirm"): {"code": "000000"},
    ("post", "/v1/disputes"): {"transaction": f"txn_{'0' * 32}", "reason": "other", "text": "why"},
    ("post", "/v1/disputes/{dispute_id}/answer"): {"answer": "contest", "text": "no"},
    ("post", "/v1/disputes/{dispute_id}/escalate"): {"text": "why"},
    ("post", "/v1/webhooks"): {"url": HOOK},
    ("patch", "/v1/webhooks/{webhook_id}"): {"enabled": True},
    ("post", "/v1/webhooks/{webhook_id}/rotate"): {"overlap_hours": 1},
    ("post", "/v1/webhooks/{webhook_id}/replay"): {"after": None},
}

#: What is sent that is no JSON: content and its type.
FILES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/v1/disputes/{dispute_id}/evidence"): {
        "data": "小票 slip",
        "content_type": "text/plain",
    },
}


def document(lived: Lived) -> dict[str, Any]:
    """The document as it is served."""
    return dict(lived.service.http.get("/openapi.json").json)


def operations(lived: Lived) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation: method, address, and what the document says of it."""
    for path, stated in document(lived)["paths"].items():
        for method in stated.keys() - {"parameters"}:
            yield method, path, stated[method]


def filled(path: str, lived: Lived, system: str = "AUR") -> str:
    """Fill an address in with what a system has."""
    ids = {**asdict(lived.ids[system]), "code": "AUR-BJ", "suffix": "json"}
    return re.sub(r"{(\w+)}", lambda name: ids[name[1]], path)
