"""The calendar of periods on the desk, each month with its run, its figures and its files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response as AnyResponse

from clearinghouse.domain.calendar import parse_period
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.domain.netting import Position
from clearinghouse.domain.signing import SUFFIX
from clearinghouse.operations import confirming
from clearinghouse.store import desk, frozen, periods
from clearinghouse.store.frozen import StoredFile
from clearinghouse.store.periods import PUBLISHED
from settlement.beside import (
    Month,
    Progress,
    calendar,
    is_under_way,
    may_be_settled,
    progress,
    start,
)
from settlement.netting import figures
from settlement.paths import PAYMENTS
from settlement.published import any_file
from settlement.run import files_of, signature_of, signatures_of
from settlement.statements.statement import OPERATOR
from web.desk import words
from web.desk.forms import attempt, must_be_sure, typed
from web.frame.shared import the_context, the_site, today
from web.frame.showing import named
from web.frame.staff import Role, authority, desk_page, note, the_staff

blueprint = Blueprint("desk_periods", __name__, url_prefix="/desk/periods")

#: The stages of a run in order: what each is, and the state that a period has once it is done.
_STAGES = ("closing", "netted", "stated", "published", "settled")


class Stage(NamedTuple):
    """A stage of a run as a page shows it; ``how`` is ``done``, ``now`` or empty."""

    text: str
    how: str
    done: int = 0
    of: int = 0


class Positions(NamedTuple):
    """The positions of all systems with their sum; ``proofs`` are what must be nothing."""

    rows: list[tuple[str, str, Position]]
    total: Position
    proofs: list[tuple[str, int]]
    final: bool
    vat_on_top: bool


class Files(NamedTuple):
    """A month's files: those of all with whether they are signed, and each party's (what, path, signed)."""

    common: list[tuple[StoredFile, bool]]
    parties: dict[str, list[tuple[str, str, bool]]]


@blueprint.get("/")
@desk_page()
def listing() -> str:
    """Show the calendar."""
    months = calendar(the_context())
    return render_template(
        "desk/periods/list.html", months=months, word=words.period_state, today=today()
    )


@blueprint.get("/<month>")
@desk_page()
def period(month: str) -> str:
    """Show one month."""
    context, found = the_context(), _month(month)
    published = found.state in PUBLISHED
    positions = _positions(found)
    with context.database.office() as session:
        late = None if found.state is None else desk.late_lines(session, found.period)
    return render_template(
        "desk/periods/period.html",
        month=found,
        name=month,
        state=words.period_state(found.state),
        published=published,
        positions=positions,
        files=_files(found.period) if published else None,
        adjustments=confirming.posted(context, found.period) if found.state else [],
        late=late,
        **_run(found.period),
    )


@blueprint.get("/<month>/run")
@desk_page()
def run(month: str) -> str:
    """Show how far the run of a month is: a part of its page, fetched again and again."""
    found = _month(month)
    return render_template("desk/periods/run.html", name=month, **_run(found.period))


@blueprint.post("/<month>/run")
@desk_page(Role.FINANCE, Role.ADMIN)
def begin(month: str) -> AnyResponse:
    """Start or resume the run of a month; it goes on beside this request."""
    found = _month(month)

    def act() -> None:
        must_be_sure()
        start(the_context(), found.period, authority(typed("reason")), the_site().ask_workers)

    _none, refused = attempt(act)
    if refused:
        flash(_("没有开始：%(sentence)s", sentence=refused), "bad")
    else:
        flash(_("月结已开始，可以离开此页；进度会自动更新。"), "good")
    return redirect(url_for("desk_periods.period", month=month))


@blueprint.get("/<month>/files/<path:path>")
@desk_page()
def file(month: str, path: str) -> Response:
    """Hand out a published file, or with ``.sig`` behind its name its signature."""
    found = _month(month)
    if found.state not in PUBLISHED or "\x00" in path:
        raise NotFound
    context, wanted = the_context(), path.removesuffix(SUFFIX)
    if not _may_be_had(wanted):
        raise Forbidden
    stored = any_file(context, found.period, wanted)
    if wanted != path:
        return _download(stored.name + SUFFIX, [signature_of(context, found.period, wanted)])
    note("period.download", f"period {month}", file=path, sha256=stored.sha256)
    return _download(stored.name, stored.content, stored.size)


def _download(name: str, content: Iterable[bytes], size: int | None = None) -> Response:
    answer = Response(content, 200, mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if size is not None:
        answer.headers["Content-Length"] = str(size)
    return answer


def _month(text: str) -> Month:
    try:
        number = parse_period(text)
    except ValueError:
        raise NotFound from None
    found = next((row for row in calendar(the_context()) if row.period == number), None)
    if found is not None:
        return found
    with the_context().database.office() as session:
        state = periods.state_of(session, number)
    if state is None:
        raise NotFound
    return Month(number, state, None, None, None, None)


def _run(number: int) -> dict[str, object]:
    seen = progress(the_context(), number)
    reason = may_be_settled(the_context(), number)
    return {
        "progress": seen,
        "stages": _stages(seen),
        "not_yet": reason,
        "may_start": reason is None and not seen.at_work and seen.standing.state not in PUBLISHED,
        "resume": is_under_way(seen.standing.state),
        "follow": seen.at_work or is_under_way(seen.standing.state),
        "over": seen.standing.state in PUBLISHED,
    }


def _stages(seen: Progress) -> list[Stage]:
    names = {
        "closing": _("关账"),
        "netted": _("轧差"),
        "stated": _("出具对账单"),
        "published": _("签名并发布"),
        "settled": _("清讫"),
    }
    state = seen.standing.state
    reached = _STAGES.index(state) if state in _STAGES else -1
    # While a period is closing that stage is what is being done; behind every other state lies the next one.
    current = 0 if state == "closing" else reached + 1
    found = []
    for place, stage in enumerate(_STAGES):
        how = "done" if place < current else "now" if place == current and seen.at_work else ""
        counts = (seen.standing.stored, seen.standing.statements) if stage == "stated" else (0, 0)
        found.append(Stage(names[stage], how, *(counts if how == "now" else (0, 0))))
    return found


def _positions(month: Month) -> Positions | None:
    """Return the positions of a month, as they are frozen or as the books stand now."""
    if month.state is None:
        return None
    context, final = the_context(), month.state not in ("open", "closing")
    with context.database.office() as session:
        directory = context.directory.current(session)
        try:
            if final:
                rows = frozen.positions(session, month.period)
                on_top = frozen.vat_on_top(session, month.period)
            else:
                _pairs, rows, on_top = figures(context, session, month.period)
        except ClearinghouseError:
            return None
    by_code = [
        (directory.systems[row.system].code, named(directory.systems[row.system]), row)
        for row in rows
    ]
    total = _sum(rows)
    charged = total.fees_minor + (total.vat_minor if on_top else 0)
    proofs = [
        (_("应收合计 − 应付合计"), total.receivable_minor - total.payable_minor),
        (_("调整合计"), total.adjustments_minor),
        (_("净额合计 + 手续费合计"), total.net_minor + charged),
    ]
    return Positions(by_code, total, proofs, final, on_top)


def _sum(rows: Sequence[Position]) -> Position:
    sums = [sum(column) for column in zip(*(_figures(row) for row in rows), strict=True)]
    return Position(0, *(sums or [0] * 6))


def _figures(row: Position) -> tuple[int, ...]:
    return (
        row.receivable_minor,
        row.payable_minor,
        row.fees_minor,
        row.vat_minor,
        row.adjustments_minor,
        row.net_minor,
    )


def _may_be_had(path: str) -> bool:
    """Tell whether a file is for whoever asks: that of payments has all accounts whole."""
    return path != PAYMENTS or the_staff().acts


def _files(number: int) -> Files:
    """Return the files of a published month, those of each party together."""
    signed = signatures_of(the_context(), number)
    common: list[tuple[StoredFile, bool]] = []
    parties: dict[str, list[tuple[str, str, bool]]] = {}
    for row in files_of(the_context(), number):
        if not _may_be_had(row.path):
            continue
        folder, _slash, name = row.path.rpartition("/")
        if not folder:
            common.append((row, row.path in signed))
            continue
        code, _dot, ending = name.partition(".")
        if folder != "statements":
            ending = _("付款通知书")
        parties.setdefault(code, []).append((ending, row.path, row.path in signed))
    in_order = sorted(parties, key=lambda code: (code != OPERATOR, code))
    return Files(common, {code: parties[code] for code in in_order})
