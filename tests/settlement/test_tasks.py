"""Every task has a queue that workers look into, and Celery is known to nobody but its two modules."""

from pathlib import Path

import pytest

from clearinghouse.config import Settings
from clearinghouse.domain.errors import ClearinghouseError
from settlement.celery_app import QUEUES
from settlement.tasks import _schedule, app, use
from tests.architecture.tree import PACKAGES, imported_modules, modules, name_of

TASKS = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_every_task_has_a_queue() -> None:
    assert TASKS.keys() == {
        "settlement.look", "settlement.advance", "settlement.statement", "settlement.ahead",
    }  # fmt: skip
    assert app.conf.task_routes.keys() == TASKS.keys()
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in TASKS}
    assert set(queues.values()) == set(QUEUES)
    assert {queue.name for queue in app.conf.task_queues} == set(QUEUES)


def test_the_beat_asks_for_what_there_is() -> None:
    _schedule(5)
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert asked == {"settlement.look", "settlement.ahead"}


def test_a_message_is_gone_only_when_its_work_is_done() -> None:
    assert all(task.acks_late and task.reject_on_worker_lost for task in TASKS.values())
    assert app.conf.worker_prefetch_multiplier == 1


def test_celery_is_known_to_two_modules() -> None:
    users = {
        name_of(path)
        for path in modules(*PACKAGES)
        for _, module in imported_modules(path)
        if module.partition(".")[0] in ("celery", "kombu", "billiard", "redis")
    }
    assert users == {"settlement/celery_app.py", "settlement/tasks.py"}


def test_without_a_broker_there_is_nobody_to_ask(tmp_path: Path) -> None:
    with pytest.raises(
        ClearinghouseError, match="there is no broker: set CLEARINGHOUSE_BROKER_URL"
    ):
        use(Settings(data_dir=tmp_path))
