"""Who did what is on record: a client of the API, or a user of the pages."""

from __future__ import annotations

from typing import NamedTuple


class Doer(NamedTuple):
    """One of the two numbers; neither where people at the clearing house did it: the audit log names them."""

    client: int | None = None
    user: int | None = None
