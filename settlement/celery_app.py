"""Celery, set up so that a broker that is killed, emptied or slow costs time and nothing else.

The truth about a run is in PostgreSQL. A message only says "look there", so it may be lost, come twice or come late.
"""

from __future__ import annotations

from celery import Celery
from kombu.entity import Queue

#: What takes a run from stage to stage, and what is staged ahead of one; never behind statements that take long.
RUN = "clearinghouse.run"
#: One message a statement.
STATEMENTS = "clearinghouse.statements"
QUEUES = (RUN, STATEMENTS)
_QUEUE_OF = {
    "settlement.look": RUN,
    "settlement.advance": RUN,
    "settlement.statement": STATEMENTS,
    "settlement.ahead": RUN,
}

#: Seconds after which a message whose worker has vanished is given to another. It may be shorter than a task
#: takes: whoever gets a message a second time finds its work done or under lock, and lets it be.
_GIVEN_AGAIN_AFTER = 60
#: Seconds between two looks for such messages.
_LOOK_EVERY = 2
_CONNECT_SECONDS = 5


def make_app() -> Celery:
    """Return the application; its broker is set by whoever uses it."""
    app = Celery("clearinghouse", set_as_current=False)
    app.conf.update(
        task_queues=[Queue(name) for name in QUEUES],
        task_routes={task: {"queue": queue} for task, queue in _QUEUE_OF.items()},
        task_default_queue=RUN,
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        # A message is gone when its work is done, not when it is begun.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=_CONNECT_SECONDS,
        broker_transport_options={
            "visibility_timeout": _GIVEN_AGAIN_AFTER,
            "unacked_restore_interval": _LOOK_EVERY,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": _CONNECT_SECONDS,
            "socket_keepalive": True,
        },
        timezone="UTC",
    )
    return app
