"""Pages for what went wrong: a sentence, what can be done, the request's id, and nothing of the inside."""

from __future__ import annotations

from flask import Flask, g, render_template
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from clearinghouse.domain.errors import ClearinghouseError, DatabaseUnavailable, NotFound
from web.frame.language import language
from web.frame.shared import the_site

Answer = tuple[str, int]


def handle_errors(app: Flask) -> None:
    """Let a site answer every error with a page."""
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(ClearinghouseError, _of_the_core)
    app.register_error_handler(Exception, _unexpected)


def error_page(status: int, title: str, text: str) -> Answer:
    """Make the page of an error."""
    page = render_template(
        "frame/error.html",
        status=status,
        title=title,
        text=text,
        request_id=g.get("request_id", ""),
    )
    return page, status


def not_found() -> Answer:
    """Make the page of what is not there, or not for this reader."""
    return error_page(404, _("没有这个页面"), _("地址可能已经改变，或者这不是您可以看到的内容。"))


def _stale(_error: CSRFError) -> Answer:
    return error_page(
        400,
        _("表单已失效"),
        _("页面打开太久，或在别处重新登录过。请返回、刷新页面后再提交；没有任何内容被保存。"),
    )


def _of_http(error: HTTPException) -> Answer | WerkzeugResponse:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    if error.code in (404, 405):
        return not_found()
    if error.code == 413:
        return error_page(413, _("文件太大"), _("请换一个较小的文件；没有任何内容被保存。"))
    if error.code == 403:
        return error_page(403, _("没有权限"), _("您的角色不能做这件事。请找本系统的管理员。"))
    if error.code >= 500:
        return _unexpected(error)
    return error_page(error.code, _("无法处理这个请求"), _("请返回后重试；没有任何内容被保存。"))


def _of_the_core(error: ClearinghouseError) -> Answer:
    if isinstance(error, NotFound):
        return not_found()
    if isinstance(error, DatabaseUnavailable):
        return error_page(503, _("服务暂时不可用"), _("请稍后再试；没有任何内容丢失。"))
    return error_page(409, _("没有完成"), sentence(error))


def _unexpected(error: Exception) -> Answer:
    the_site().log_failure(error)
    return error_page(
        500, _("出了差错"), _("我们已记录下来，请稍后再试。不会留下只保存了一半的内容。")
    )


def sentence(error: ClearinghouseError) -> str:
    """Tell in the page's language what the core refused; it gives details in English, which follow the Chinese."""
    if language() == "en":
        return error.message
    titles = the_site().titles
    return f"{titles[error.code]}（{error.message}）" if error.code in titles else error.message
