"""Options of every command that changes the alliance: who does it, why, and on whose approval."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from clearinghouse.operations.changing import Authority


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--reason``, ``--by`` and ``--approved-by``; it gets them as ``authority``."""

    @click.option("--reason", required=True, help="Why; kept in the audit log.")
    @click.option("--by", default=account, help="Who does it.  [default: your account's name]")
    @click.option("--approved-by", help="Who has approved it.")
    @wraps(command)
    def with_authority(*, reason: str, by: str, approved_by: str | None, **options: Any) -> None:
        command(**options, authority=Authority(by, reason, approved_by))

    return with_authority


def proposed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that another person has to confirm ``--reason`` and ``--by``; it gets them as ``authority``."""

    @click.option("--reason", required=True, help="Why; those whom it concerns read it too.")
    @click.option("--by", default=account, help="Who does it.  [default: your account's name]")
    @wraps(command)
    def with_authority(*, reason: str, by: str, **options: Any) -> None:
        command(**options, authority=Authority(by, reason))

    return with_authority


def signed_by(reason: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command ``--by`` and ``--reason``, which has a default; it gets them as ``authority``."""

    def give(command: Callable[..., None]) -> Callable[..., None]:
        @click.option("--reason", default=reason, show_default=True, help="Kept in the audit log.")
        @click.option("--by", default=account, help="Who does it.  [default: your account's name]")
        @wraps(command)
        def with_authority(*, reason: str, by: str, **options: Any) -> None:
            command(**options, authority=Authority(by, reason))

        return with_authority

    return give


def account() -> str:
    """Return the name of the account that runs this command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run as a user that no file names.
        return f"uid {os.getuid()}"
