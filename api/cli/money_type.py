"""Money as a person types it: yuan with up to two decimals."""

from __future__ import annotations

import re
from typing import Any

import click

_YUAN = re.compile(r"(?P<yuan>[0-9]{1,11})(?:\.(?P<part>[0-9]{1,2}))?", re.ASCII)


class YuanType(click.ParamType[int]):
    """Yuan, written ``1234.50``; the command gets fen."""

    name = "yuan"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the amount in fen; anything else, and nothing at all, is wrong usage."""
        if isinstance(value, int):
            return value
        found = _YUAN.fullmatch(value)
        amount = found and int(found["yuan"]) * 100 + int((found["part"] or "").ljust(2, "0"))
        if not amount:
            self.fail(
                f'"{value[:20]}" is no amount; write yuan above 0, such as 1234.50', param, ctx
            )
        return amount


YUAN = YuanType()
