"""Random histories decided by the pure rules leave the books that the reference model has.

``CLEARINGHOUSE_TEST_EXAMPLES`` sets how many histories are told.
"""

import os
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.histories.paper import Paper
from tests.histories.seen import differences, seen_of_model
from tests.histories.telling import Stated, tell

EXAMPLES = int(os.environ.get("CLEARINGHOUSE_TEST_EXAMPLES", "100"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_deciding_equals_the_model(random: Random, lines: int) -> None:
    history = tell(random, lines)
    paper = Paper(history.packs)
    for number, event in enumerate(history.events):
        if isinstance(event, Stated):
            assert paper.state(event.line(number)) == event.outcome, event.row
        elif event.possible:
            paper.close(event.period)
    assert differences(seen_of_model(history.model), paper.seen()) == []
