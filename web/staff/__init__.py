"""What the console and the desk have in common: sign-in, the own account, the users, the audit trail."""

from __future__ import annotations

from flask import Blueprint

from web.staff import account, sign_in, trail, users


def staff_pages(area: str) -> tuple[Blueprint, ...]:
    """Make the pages of an area, ``console`` or ``desk``."""
    return (sign_in.pages(area), account.pages(area), users.pages(area), trail.pages(area))
