"""What the requests of one site share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from flask import current_app

from clearinghouse.domain.business_day import business_day
from clearinghouse.operations.context import Context

_EXTENSION = "clearinghouse_site"
#: Hands a sign-in code over for sending: to a phone in international form or an e-mail address, the code, minutes.
SendCode = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages are told at their start, besides the books.

    Attributes:
        public_url: The address that people reach; with https its cookies travel over TLS only.
        send_code: Hands sign-in codes of travellers over for sending.
        titles: What each stable code of an error means, in Chinese.
        log_failure: Records an error that nobody expected.
        ask_workers: Asks the workers to go on with a period's run; ``None``: there are none.
    """

    context: Context
    public_url: str
    send_code: SendCode
    titles: Mapping[str, str]
    log_failure: Callable[[BaseException], None]
    ask_workers: Callable[[int], None] | None = None

    @property
    def secure(self) -> bool:
        """Tell whether people reach the site over TLS."""
        return self.public_url.startswith("https://")


def settle_in(extensions: dict[str, Any], found: Site) -> None:
    """Let a site's requests find what they share."""
    extensions[_EXTENSION] = found


def the_site() -> Site:
    """Return what the requests of this site share."""
    return cast(Site, current_app.extensions[_EXTENSION])


def the_context() -> Context:
    """Return the context of operations."""
    return the_site().context


def today() -> date:
    """Return the business date in the alliance's time zone."""
    context = the_context()
    return business_day(context.current_directory(), context.clock())
