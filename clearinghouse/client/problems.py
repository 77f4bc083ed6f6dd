"""What goes wrong, as one exception with all that the service said of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from clearinghouse.client.values import Sentence

_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong at one place of a request; ``pointer`` is a JSON pointer such as ``/amount/amount_minor``."""

    pointer: str
    detail: str


class ClearinghouseProblem(Exception):
    """The service answered with an error (RFC 9457).

    Attributes:
        code: Stable, and what a programme decides by, as in ``insufficient_points``.
        status: The HTTP status; ``None`` if there was no answer.
        title: What the code means, in the client's language.
        detail: What exactly is wrong.
        errors: Which members of the request are wrong.
        till: What a till shows its guest; only refusals by the rules have it.
        request_id: Names the request to the operator of the service.
        idempotency_key: The key of a request that moves value. Repeating the same request with it is always safe.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        title: str = "",
        errors: tuple[FieldError, ...] = (),
        till: Sentence | None = None,
        request_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.till = till
        self.request_id = request_id
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        named = (("request", self.request_id), ("idempotency key", self.idempotency_key))
        told = ", ".join(f"{name} {value}" for name, value in named if value)
        return f"{self.code}: {self.detail}" + (f" ({told})" if told else "")


class NoAnswer(ClearinghouseProblem):
    """No answer came, so it is not known whether the request was carried out: repeat it with the same key."""

    def __init__(self, detail: str, request_id: str | None, idempotency_key: str | None) -> None:
        super().__init__(
            "no_answer", detail, request_id=request_id, idempotency_key=idempotency_key
        )


def problem_in(
    status: int, body: bytes, request_id: str | None, idempotency_key: str | None
) -> ClearinghouseProblem:
    """Return the problem that an answer tells of; one that is not the service's own has the code ``http_STATUS``."""
    document = _document(body)
    code = document.get("code")
    if not isinstance(code, str):
        text = body[:_EXCERPT].decode("utf-8", "replace").strip()
        return ClearinghouseProblem(
            f"http_{status}",
            text or "no text",
            status=status,
            request_id=request_id,
            idempotency_key=idempotency_key,
        )
    till = document.get("till")
    title = str(document.get("title") or code)
    return ClearinghouseProblem(
        code,
        str(document.get("detail") or title),
        status=status,
        title=title,
        errors=tuple(
            FieldError(str(each.get("pointer", "")), str(each.get("detail", "")))
            for each in document.get("errors") or ()
            if isinstance(each, dict)
        ),
        till=Sentence(zh=str(till.get("zh", "")), en=str(till.get("en", "")))
        if isinstance(till, dict)
        else None,
        request_id=request_id or document.get("request_id"),
        idempotency_key=idempotency_key,
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
