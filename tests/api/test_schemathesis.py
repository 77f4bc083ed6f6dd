"""Schemathesis against the served document, on an alliance that was lived in: every answer is as documented.

Its checks run on every operation, with data that fits the document and data that does not, for a member's client with
all scopes and for the operator's. The catch-all ``default`` answer is taken out of the document before, so a status
counts only if its operation names it, and a problem only with the codes that are named there. No check is off:
``not_a_server_error``, ``status_code_conformance``, ``content_type_conformance``, ``response_headers_conformance``,
``response_schema_conformance``, ``negative_data_rejection``, ``positive_data_acceptance``, ``missing_required_header``,
``unsupported_method``, ``allow_header_conformance``, ``use_after_free``, ``ensure_resource_availability``,
``ignored_auth`` and ``object_level_authorization``. Data that fits may be refused by the rules (an unknown card,
a cursor of nobody's), but never for not fitting: a test of ours, since Schemathesis can't tell the two apart.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import PositiveDataAcceptanceConfig, SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import unregister

from tests.api.lived import NOW, Lived

#: What only data that does not fit is told.
UNFIT = {
    "request_invalid", "json_invalid", "content_type_unsupported", "request_malformed", "body_too_large",
    "idempotency_key_missing", "idempotency_key_invalid", "idempotency_key_reused",
}  # fmt: skip
#: Refusals by the rules; they are documented one by one, which ``response_schema_conformance`` holds them to.
REFUSED = ["2xx", "304", "400", "403", "404", "409", "422", "429"]
INVISIBLE = "Has a control or invisible character."
EXAMPLES = 4


@contextmanager
def prepared() -> Iterator[None]:
    """Give every request that has an idempotency key a new one, and let days and moments be near today."""
    numbers = count()

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        given = (case.headers or {}).get("Idempotency-Key")
        if isinstance(given, str) and re.fullmatch("[!-~]{1,255}", given):
            case.headers["Idempotency-Key"] = f"schemathesis-{next(numbers)}"

    days = st.dates(date(2026, 10, 1), date(2026, 12, 31))
    moments = st.datetimes(datetime(2026, 10, 1), datetime(2026, 12, 31))  # noqa: DTZ001  their offset follows
    schemathesis.openapi.format("date", days.map(date.isoformat))
    schemathesis.openapi.format(
        "date-time", moments.map(lambda m: m.isoformat(timespec="seconds") + "+08:00")
    )
    schemathesis.hook(before_call)
    try:
        yield
    finally:
        unregister(before_call)


def served(lived: Lived, token: str) -> Any:
    """The document as it is served, without its catch-all answers, with the application behind it."""
    document = lived.service.http.get("/openapi.json").json
    for operations in document["paths"].values():
        for method in operations.keys() - {"parameters"}:
            del operations[method]["responses"]["default"]
    config = SchemathesisConfig(seed=1)
    project = config.projects.default
    project.headers = {"Authorization": f"Bearer {token}"}
    project.generation.max_examples = EXAMPLES
    project.generation.deterministic = True
    project.generation.no_shrink = True
    project.continue_on_failure = True
    project.checks.positive_data_acceptance = PositiveDataAcceptanceConfig(
        expected_statuses=[*REFUSED, "401"]
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = lived.service.app
    return schema


def failures(recorder: ScenarioRecorder) -> Iterator[str]:
    """Tell what was answered otherwise than documented."""
    for checks in recorder.checks.values():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                found = check.failure_info
                yield f"{check.name}: {found.failure.message}\n{found.code_sample}"
    for case_id, node in recorder.cases.items():
        case, told = node.value, recorder.interactions.get(case_id)
        if told is None or told.response is None or case.meta is None:
            continue
        problem = re.search(rb'"code":"([a-z_]+)"', told.response.content or b"")
        unfit = problem is not None and problem[1].decode() in UNFIT
        # Which characters are invisible is said in words: no pattern that all languages read can say it.
        if case.meta.generation.mode.is_positive and unfit and INVISIBLE not in told.response.text:
            yield f"{case.operation.label}: what fits is told not to: {told.response.text}\n{case.as_curl_command()}"


@pytest.mark.parametrize("who", ["AUR", "operator"])
def test_every_answer_is_as_documented(lived: Lived, who: str) -> None:
    """Examples, every boundary of the document, random data, and sequences along ids."""
    lived.service.alliance.clock.pass_to(NOW)
    caller = lived.operator if who == "operator" else lived.callers[who]
    found: list[str] = []
    seen: set[str] = set()
    with prepared():
        assert caller.token
        for event in from_schema(served(lived, caller.token)).execute():
            if isinstance(event, events.ScenarioFinished):
                found += failures(event.recorder)
                seen |= {node.value.operation.label for node in event.recorder.cases.values()}
            elif isinstance(event, events.NonFatalError | events.FatalError):
                found.append(repr(event))
    assert not found, f"{len(found)} findings\n" + "\n\n".join(found[:60])
    document = lived.service.http.get("/openapi.json").json
    assert seen == {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations.keys() - {"parameters"}
    }
