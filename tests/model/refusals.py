"""The refusals, in the order of domain.md §3: the first one that applies is given."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .caps import within_caps
from .members import at
from .request import KINDS, Request
from .rules import DEFAULTS

if TYPE_CHECKING:
    from .alliance import Model


def first_refusal(model: "Model", request: Request) -> str | None:
    """The code of the first rule that the request breaks, or None."""
    return next(_refusals(model, request), None)


def _refusals(model: "Model", request: Request) -> Iterator[str]:
    """Every code that applies, lazily: a later rule may rely on all before it."""
    day = request.business_date
    if model.system_of(request.host, day) is None:
        yield "hotel_unknown"
    if (request.host, request.txn_ref) in model.transactions:
        yield "txn_ref_reused"
    if request.kind not in KINDS:
        yield "kind_unknown"
    if request.card_number not in model.cards:
        yield "card_unknown"
    if _date_mismatch(model, request):
        yield "business_date_mismatch"
    if at(model.cards[request.card_number].grants, day) is None:
        yield "card_not_active"  # not yet issued
    if request.kind == "refund":
        yield from _refund_refusals(model, request)
    else:
        yield from _kind_refusals(model, request)


def _date_mismatch(model: "Model", request: Request) -> bool:
    """The business date is the local date of `occurred_at` or the day before."""
    rulebook = model.rulebook_on(request.business_date)
    zone = ZoneInfo(rulebook.timezone if rulebook else DEFAULTS["timezone"])
    local = request.occurred_at.astimezone(zone).date()
    return request.business_date not in (local, local - timedelta(days=1))


def _refund_refusals(model: "Model", request: Request) -> Iterator[str]:
    """§3: a refund is judged by its original's version; licence and acceptance do not matter."""
    original = model.original_of(request)
    if original is None:
        yield "original_unknown"
        return
    first = original.request
    if first.kind == "refund":
        yield "original_not_refundable"
    if first.card_number != request.card_number:
        yield "card_mismatch"
    if request.business_date < first.business_date:
        yield "refund_before_original"
    age = request.business_date - first.business_date
    if age.days > original.rulebook.refund_days_max:
        yield "refund_too_late"
    size = request.size(first.kind)
    if size <= 0:
        yield "amount_not_positive"
    if original.refunded + size > original.size:
        yield "exceeds_original"
    # "Of a load: takes back what is left of that load, and is refused beyond it"
    if first.kind == "load" and original.lot is not None and size > original.lot.remaining:
        yield "insufficient_stored_value"


def _kind_refusals(model: "Model", request: Request) -> Iterator[str]:
    day = request.business_date
    host_system = model.host_system(request)
    issuer_system = model.system_of(model.cards[request.card_number].issuer_hotel, day)
    size = request.size(request.kind)
    if size <= 0 or (request.kind == "spend" and (request.points or 0) < 0):
        yield "amount_not_positive"
    if request.kind == "load" and issuer_system != host_system:
        yield "load_only_at_issuer_system"
    rulebook = model.rulebook_on(day)
    if request.kind in ("load", "stored_value_spend"):
        until = rulebook.licence_until if rulebook else None
        if until is None or day > until:
            yield "stored_value_not_licensed"
    if rulebook is None:
        yield "rulebook_not_accepted"
    elif host_system not in model.accepted_by[rulebook.version]:
        # §2: "suspended from hosting cross-system transactions": those with a cross-system leg
        others = {issuer_system} if request.kind == "spend" else set()
        if request.kind in ("redeem", "stored_value_spend"):
            others = {model.system_of(hotel, day) for hotel in _drawn_on(model, request, size)}
        if others - {host_system}:
            yield "rulebook_not_accepted"
    yield from _balance_refusals(model, request, size)


def _balance_refusals(model: "Model", request: Request, size: int) -> Iterator[str]:
    """§3: a redemption may not exceed usable lots − all the traveller's live debts."""
    wallet = model.wallet_of(request)
    if request.kind == "redeem" and size > wallet.available(request.business_date):
        yield "insufficient_points"
    if request.kind == "stored_value_spend":
        left = sum(load.remaining for load in model.usable(request))
        if size > left:
            yield "insufficient_stored_value"
    if (
        request.kind in ("redeem", "stored_value_spend")
        and within_caps(model, request, size) is None
    ):
        yield "net_debit_cap_exceeded"


def _drawn_on(model: "Model", request: Request, size: int) -> set[str]:
    """The hotels whose lots such a draw would touch, as far as they go."""
    hotels = set()
    for lot in model.usable(request):
        if size <= 0:
            break
        hotels.add(lot.issuer)
        size -= lot.remaining
    return hotels
