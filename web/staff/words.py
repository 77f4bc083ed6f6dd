"""Sentences that several pages of staff say."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from clearinghouse.domain.passwords import LENGTH_MAX, LENGTH_MIN, PasswordFault
from clearinghouse.domain.users import Role
from clearinghouse.operations.sign_in import SetUpRefused
from web.frame.texts import gettext as _


def wait_text(wait: timedelta) -> str:
    """Tell how long no attempt is taken."""
    seconds = max(1, ceil(wait.total_seconds()))
    if seconds < 60:
        return _("尝试次数太多，请 %(count)s 秒后再试。", count=seconds)
    return _("尝试次数太多，请 %(count)s 分钟后再试。", count=ceil(seconds / 60))


def password_wrong(found: SetUpRefused) -> str | None:
    """Tell what is wrong with a password that somebody chose."""
    if found.same_password:
        return _("新密码与现在的密码相同，请换一个。")
    if found.password is None:
        return None
    return {
        PasswordFault.SHORT: _("密码至少 %(count)s 个字符。", count=LENGTH_MIN),
        PasswordFault.LONG: _("密码最多 %(count)s 个字符。", count=LENGTH_MAX),
        PasswordFault.PLAIN: _("密码里不同的字符太少，请换一个。"),
        PasswordFault.COMMON: _("这个密码太常见，容易被猜到，请换一个。"),
        PasswordFault.LOGIN: _("密码里不要用登录名，请换一个。"),
    }[found.password]


def role_name(role: Role | str) -> str:
    """Return what a role is called."""
    return {
        Role.VIEWER: _("查看"),
        Role.FINANCE: _("财务"),
        Role.ADMIN: _("管理员"),
    }[Role(role)]


def roles() -> list[tuple[str, str]]:
    """Return the roles to choose from, with what each may do."""
    return [
        (Role.VIEWER.value, _("查看：只看，不能操作")),
        (Role.FINANCE.value, _("财务：办理付款与争议")),
        (Role.ADMIN.value, _("管理员：同财务，并管理用户")),
    ]
