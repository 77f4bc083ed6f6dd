"""A draft of the rulebook: checked, compared, reckoned through for the last month, and adopted if it shall be."""

from __future__ import annotations

import json
from typing import NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import OperatorRefused
from clearinghouse.domain.rulebook import Rulebook, rulebook_document
from clearinghouse.operations import drafts, govern, registry
from clearinghouse.operations.packs.agreement import AgreedRulebook
from settlement.impact import Impact, impact, last_published
from web.desk import words
from web.desk.forms import attempt, must_be_sure, typed
from web.desk.rules import Chapter, Difference, chapters, differences
from web.frame.shared import the_context
from web.frame.staff import Role, authority, desk_page

blueprint = Blueprint("desk_drafts", __name__, url_prefix="/desk/rulebooks/draft")

#: A rulebook is a few kilobytes; what is longer is none.
_LONGEST = 64 << 10


class Checked(NamedTuple):
    """A sound draft: what it says, what it changes and would have cost, and why it can't be adopted if so."""

    version: str
    effective_from: str
    sha256: str
    chapters: list[Chapter]
    compared_with: str | None
    differences: list[Difference]
    impact: Impact | None
    refused: str | None


@blueprint.get("/")
@desk_page(Role.FINANCE, Role.ADMIN)
def draft() -> str:
    """Ask for a draft; the version in force is there to begin with."""
    return _page(_in_force_text(), None, None)


@blueprint.post("/")
@desk_page(Role.FINANCE, Role.ADMIN)
def check() -> str:
    """Check a draft, and show what it changes; nothing is recorded."""
    text, refused = attempt(_document)
    if text is None:
        return _page(typed("document"), None, refused)
    agreed, refused = attempt(lambda: drafts.read_draft(text.encode()))
    return _page(text, None if agreed is None else _checked(agreed), refused)


@blueprint.post("/adopt")
@desk_page(Role.FINANCE, Role.ADMIN)
def adopt() -> str | Response:
    """Record a draft as a new version, which the members then accept."""
    text = request.form.get("document", "")[:_LONGEST]
    agreed, refused = attempt(lambda: drafts.read_draft(text.encode()))
    if agreed is not None:
        done, refused = attempt(lambda: _adopt(agreed))
        if done is not None:
            flash(_("规则 %(version)s 已登记，等待各成员接受。", version=done.version), "good")
            return redirect(url_for("desk_rulebooks.version", version=done.version))
    return _page(text, None if agreed is None else _checked(agreed), refused)


def _adopt(agreed: AgreedRulebook) -> Rulebook:
    must_be_sure()
    return govern.adopt_rulebook(the_context(), agreed, authority(typed("reason")))


def _document() -> str:
    """Return the document that was pasted or, before it, uploaded.

    Raises:
        OperatorRefused: there is none, it is too long, or a file that is no text.
    """
    uploaded = request.files.get("file")
    data = uploaded.stream.read(_LONGEST + 1) if uploaded is not None and uploaded.filename else b""
    if not data:
        data = request.form.get("document", "").encode()
    if not data.strip():
        raise OperatorRefused(_("请粘贴或上传规则文件（JSON）"))
    if len(data) > _LONGEST:
        raise OperatorRefused(_("这个文件太长，不像是规则文件"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise OperatorRefused(_("文件不是 UTF-8 文本，请重新保存为 UTF-8")) from None


def _checked(agreed: AgreedRulebook) -> Checked:
    context, rulebook = the_context(), agreed.rulebook
    _none, refused = attempt(lambda: drafts.check_draft(context, agreed))
    document = rulebook_document(rulebook)
    before = [
        row
        for row in registry.rulebooks(context)
        if row.effective_from < rulebook.effective_from and row.version != rulebook.version
    ]
    period = last_published(context)
    return Checked(
        rulebook.version,
        rulebook.effective_from.isoformat(),
        agreed.sha256,
        chapters(document),
        before[-1].version if before else None,
        differences(before[-1].document, document) if before else [],
        None if period is None else impact(context, rulebook, period),
        refused,
    )


def _in_force_text() -> str:
    """Return the version in force as a document to be changed."""
    found = [row for row in registry.rulebooks(the_context()) if row.in_force]
    if not found:
        return ""
    return json.dumps(found[0].document, ensure_ascii=False, indent=2)


def _page(text: str, checked: Checked | None, refused: str | None) -> str:
    return render_template(
        "desk/rulebooks/draft.html",
        text=text,
        checked=checked,
        refused=refused,
        fee_kind=words.fee_kind,
    )
