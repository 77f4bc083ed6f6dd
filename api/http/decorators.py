"""What a decorator of views is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Decorator(Protocol):
    """Gives back the view that it is given, with something around it."""

    def __call__(self, view: View, /) -> View:
        """Return what stands in the view's place."""
