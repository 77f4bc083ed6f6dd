import itertools
import os
import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis.config import *
from schemathesis.engine import Status, events, from_schema

from clearinghouse.operations.context import Context
from clearinghouse.store.database import Database
from clearinghouse.store.vault import Vault
from tests.api.lived import Lived
from tests.conftest import *


@pytest.fixture(scope="module")
def lived(server, tmp_path_factory) -> Iterator[Lived]:
    name = server.new_database()
    database = Database(server.url(name))
    yield Lived(Context(database, Vault(bytes(32))), tmp_path_factory.mktemp("lived"))
    database.close()
    server.drop(name)


KEYS = itertools.count()


def test_it(lived):
    config = SchemathesisConfig(seed=1, max_failures=None)
    p = config.projects.default
    p.generation.max_examples = int(os.environ.get("EX", 5))
    p.generation.deterministic = True
    p.generation.no_shrink = True
    p.headers = {"Authorization": f"Bearer {lived.callers['AUR'].token}"}
    p.continue_on_failure = True
    schema = schemathesis.openapi.from_wsgi("/openapi.json", lived.service.app, config=config)

    @schemathesis.hook
    def before_call(context, case, kwargs):
        given = case.headers.get("Idempotency-Key") if case.headers else None
        if isinstance(given, str) and re.fullmatch("[!-~]{1,255}", given):
            case.headers["Idempotency-Key"] = f"s-{next(KEYS)}"

    C = Counter()
    F = {}
    t0 = time.time()
    phases = {}
    for e in from_schema(schema).execute():
        if isinstance(e, events.PhaseFinished):
            print("PHASE", e.phase.name, e.status, time.time() - t0, e.phase.skip_reason)
        if isinstance(e, events.NonFatalError):
            print("NONFATAL", e.label, str(e.value)[:1000])
        if isinstance(e, events.FatalError):
            print("FATAL", e.exception)
        if isinstance(e, events.ScenarioFinished):
            r = e.recorder
            for cid, node in r.cases.items():
                i = r.interactions.get(cid)
                if i and i.response:
                    m = node.value.meta
                    C[
                        (
                            e.phase.value,
                            node.value.operation.label,
                            m.generation.mode.value if m else None,
                            i.response.status_code,
                        )
                    ] += 1
            for cid, cs in r.checks.items():
                for c in cs:
                    if c.status == Status.FAILURE:
                        f = c.failure_info
                        k = (r.cases[cid].value.operation.label, c.name)
                        F.setdefault(k, [0, None])
                        F[k][0] += 1
                        if F[k][1] is None:
                            F[k][1] = (
                                str(f.failure.title),
                                str(f.failure.message)[:600],
                                f.code_sample[:900],
                                r.interactions[cid].response.status_code,
                                r.interactions[cid].response.content[:500]
                                if r.interactions[cid].response
                                else None,
                                r.cases[cid].value.meta.phase.data,
                            )
    print(sum(C.values()), time.time() - t0)
    for k, v in sorted(C.items(), key=str):
        print(k, v)
    print("=====FAILURES")
    for k, v in F.items():
        print("##", k, v[0])
        for x in v[1]:
            print("   ", x)
