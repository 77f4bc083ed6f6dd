"""The bank at the desk: its files, its lines, and matching them by hand, with four eyes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath

from flask import Blueprint, flash, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from clearinghouse.domain.errors import BankFileFault
from clearinghouse.domain.matching import Finding
from clearinghouse.domain.people import same_person
from clearinghouse.operations.payments import desk, listing, matching
from clearinghouse.operations.payments.desk import Stage
from clearinghouse.operations.payments.importing import Imported, import_bank_bytes
from clearinghouse.operations.payments.reading import BYTES_MAX
from web.desk.forms import attempt, typed
from web.desk.money import PAGE, REFUSED, asked, money_page, must_be_ticked, number_in_address
from web.desk.sharing_form import SharingForm
from web.frame.paging import Page, page_of, place
from web.frame.shared import the_context
from web.frame.showing import yuan
from web.frame.staff import DESK, Role, authority, desk_page, the_staff

blueprint = Blueprint("desk_bank", __name__, url_prefix="/desk/payments")
#: What a form may have besides its file.
_FORM = 64 << 10
_NAME_MAX = 200
_LARGEST_PLACE = (1 << 31) - 1


def _room_for_files(endpoint: str | None, _values: object) -> None:
    """Let somebody who has signed in send a whole file of the bank; it is asked before the form is read."""
    if endpoint == "desk_bank.upload" and DESK in session:
        request.max_content_length = BYTES_MAX + _FORM


blueprint.url_value_preprocessor(_room_for_files)


@blueprint.get("/lines")
@desk_page()
def lines() -> str:
    """Show what the bank told: what waits the oldest first, what is done the newest first."""
    stage = asked("stage", Stage) or Stage.WAITING
    finding = asked("finding", Finding) if stage is Stage.WAITING else None
    found = desk.line_page(the_context(), stage, finding, _after(), PAGE)
    return money_page(
        "desk/payments/lines.html",
        overview=desk.overview(the_context()),
        found=found,
        page=_paged(found),
        stage=stage.value,
        stages=list(Stage),
        finding="" if finding is None else finding.value,
        findings=list(Finding),
    )


@blueprint.get("/files")
@desk_page()
def files() -> str:
    """Show which files of the bank were imported, and take another."""
    return _files()


@blueprint.post("/files")
@desk_page(Role.FINANCE, Role.ADMIN)
def upload() -> Response | tuple[str, int]:
    """Import a file of the bank."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _files(_("请选择银行对账单文件。")), REFUSED
    name = "".join(c for c in PurePath(sent.filename).name if c.isprintable())[-_NAME_MAX:]
    data = sent.stream.read(BYTES_MAX + 1)
    done, refused = attempt(lambda: _imported(name, data))
    if done is None:
        return _files(refused), REFUSED
    _tell(done)
    number = desk.file_of_hash(the_context(), sha256(data).hexdigest())
    return redirect(url_for("desk_bank.file", number=number))


@blueprint.get("/files/<int:number>")
@desk_page()
def file(number: int) -> str:
    """Show what a file of the bank brought."""
    found = desk.file_page(the_context(), number_in_address(number), _after(), PAGE)
    return money_page(
        "desk/payments/file.html", file=found.file, found=found.page, page=_paged(found.page)
    )


@blueprint.get("/lines/<int:number>")
@desk_page()
def line(number: int) -> str:
    """Show a line of the bank, and what it is for."""
    return _line(number)


@blueprint.post("/lines/<int:number>/propose")
@desk_page(Role.FINANCE, Role.ADMIN)
def propose(number: int) -> Response | tuple[str, int]:
    """Propose what a line is for: what suggests itself, or what was chosen by hand."""
    seen, _codes = listing.line(the_context(), number_in_address(number))
    form = SharingForm(seen.line.rest_minor)
    suggested = typed("suggested") == "yes"
    done, refused = attempt(
        lambda: matching.propose(
            the_context(),
            number,
            [] if suggested else form.targets(),
            authority(typed("reason")),
        )
    )
    if done is None:
        return _line(number, refused, form), REFUSED
    flash(_("已提出匹配建议，等待另一位同事复核；复核之前不入账。"), "good")
    return redirect(url_for("desk_bank.line", number=number))


@blueprint.post("/lines/<int:number>/undo")
@desk_page(Role.FINANCE, Role.ADMIN)
def undo(number: int) -> Response | tuple[str, int]:
    """Propose to take back what a line was matched to."""
    number_in_address(number)
    done, refused = attempt(
        lambda: matching.propose_undoing(the_context(), number, authority(typed("reason")))
    )
    if done is None:
        return _line(number, refused), REFUSED
    flash(_("已提出撤销匹配，等待另一位同事复核；复核之前不改变。"), "good")
    return redirect(url_for("desk_bank.line", number=number))


@blueprint.post("/lines/<int:number>/confirm")
@desk_page(Role.FINANCE, Role.ADMIN)
def confirm(number: int) -> Response | tuple[str, int]:
    """Confirm what a colleague has proposed."""
    number_in_address(number)

    def act() -> bool:
        must_be_ticked()
        # No number is none that waits: nothing is confirmed that was not looked at.
        seen = request.form.get("match", default=0, type=int)
        matching.confirm(the_context(), number, authority(typed("reason")), match=seen)
        return True

    done, refused = attempt(act)
    if done is None:
        return _line(number, refused), REFUSED
    flash(_("已复核并入账。"), "good")
    return redirect(url_for("desk_bank.line", number=number))


@blueprint.post("/lines/<int:number>/reject")
@desk_page(Role.FINANCE, Role.ADMIN)
def reject(number: int) -> Response | tuple[str, int]:
    """Reject what is proposed, or take back one's own proposal."""
    number_in_address(number)
    done, refused = attempt(
        lambda: matching.reject(the_context(), number, authority(typed("reason")))
    )
    if done is None:
        return _line(number, refused), REFUSED
    flash(_("已否决，流水保持原样。"), "good")
    return redirect(url_for("desk_bank.line", number=number))


def _imported(name: str, data: bytes) -> Imported:
    if not data:
        raise BankFileFault(_("文件是空的。"))
    return import_bank_bytes(
        the_context(),
        name,
        data,
        authority("the bank's statement"),
        new_account=typed("new_account") == "yes",
    )


def _tell(done: Imported) -> None:
    """Say what came of a file."""
    if done.repeated:
        flash(_("这个文件以前已经导入过；没有任何变化。"), "warn")
        return
    matched = sum(one.matched for one in done.arrived)
    flash(
        _(
            "已导入：新流水 %(new)s 行，自动匹配 %(matched)s 行，以前已有 %(known)s 行，未入账 %(pending)s 行。",
            new=done.lines - done.known,
            matched=matched,
            known=done.known,
            pending=done.not_booked,
        ),
        "good",
    )
    if done.gap_minor:
        flash(
            _(
                "期初余额与上一个文件的期末余额相差 %(gap)s 元，中间可能缺一份银行对账单。",
                gap=yuan(done.gap_minor),
            ),
            "warn",
        )


def _files(refused: str | None = None) -> str:
    found = desk.files(the_context(), _after(), PAGE + 1)
    page = page_of(found, PAGE, lambda row: (row.number,))
    return money_page("desk/payments/files.html", page=page, refused=refused)


def _line(number: int, refused: str | None = None, form: SharingForm | None = None) -> str:
    seen, codes = listing.line(the_context(), number_in_address(number))
    proposal = seen.proposal
    return money_page(
        "desk/payments/line.html",
        seen=seen,
        codes=codes,
        own=proposal is not None and same_person(proposal.proposed_by, the_staff().login),
        candidates=desk.candidates(the_context(), seen) if proposal is None else [],
        form=form or SharingForm(seen.line.rest_minor),
        periods=desk.overview(the_context()).periods,
        refused=refused,
        reason=typed("reason"),
    )


def _after() -> int | None:
    found = place((int,))
    # Beyond what the books could have numbered there is nothing, as behind the last one.
    return None if found is None else max(0, min(int(found[0]), _LARGEST_PLACE))


def _paged(found: desk.LinePage) -> Page[listing.LineSeen]:
    return Page(list(found.lines), None if found.after is None else (found.after,))
