"""The clock of a sandbox: how old what a process knows of it may be."""

import threading
from datetime import timedelta
from typing import cast

from clearinghouse.operations.context import Context
from clearinghouse.operations.sandbox_clock import SandboxClock, sandbox_clock
from clearinghouse.store.database import Database
from tests.late_answers import AnswersLate


def test_it_is_as_old_as_its_question(context: Context) -> None:
    with sandbox_clock(context) as clock:
        late = AnswersLate(context.database)
        slow = SandboxClock(cast(Database, late))
        reader = threading.Thread(target=slow)
        reader.start()
        assert late.read.wait(60)
        target = clock() + timedelta(hours=1)
        clock.move_to(target)
        late.arrived.set()
        reader.join()
        assert slow() >= target
