"""The desk's navigation: what is done every day stands in the head, what is managed behind one word."""

from __future__ import annotations

from typing import NamedTuple

from flask import current_app, request
from flask_babel import gettext as _


class Entry(NamedTuple):
    """An entry of the navigation; ``here`` is the page, or the part of the desk, that is open."""

    href: str
    text: str
    here: bool


def daily() -> list[Entry]:
    """Return the entries for what is done every day."""
    return _there(
        ("/desk/", _("首页")),
        ("/desk/members", _("成员")),
        ("/desk/rulebooks", _("规则")),
        ("/desk/periods", _("账期")),
        ("/desk/payments", _("付款")),
        ("/desk/disputes", _("争议")),
        ("/desk/risk", _("风险")),
    )


def managing() -> list[Entry]:
    """Return the entries for what is managed now and then."""
    return _there(
        ("/desk/users", _("用户")),
        ("/desk/clients", _("接口客户端")),
        ("/desk/keys", _("签名密钥")),
        ("/desk/transfers", _("会员卡转移")),
        ("/desk/audit", _("操作记录")),
        ("/desk/health", _("健康")),
    )


def _there(*entries: tuple[str, str]) -> list[Entry]:
    """Leave out what has no page (yet)."""
    rules = {rule.rule.rstrip("/") for rule in current_app.url_map.iter_rules()}
    return [
        Entry(href, text, _is_here(href)) for href, text in entries if href.rstrip("/") in rules
    ]


def _is_here(href: str) -> bool:
    home = "/desk/"
    path = request.path.rstrip("/") or "/"
    if href == home:
        return path == home.rstrip("/")
    return path == href or path.startswith(f"{href}/")
