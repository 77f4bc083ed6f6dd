"""``/v1/transactions``: every kind of transaction, refunds, and a host's own history."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.answers import transaction_document
from api.http.blueprint import Blueprint
from api.http.caller import caller, needs, the_context
from api.http.outcomes import REFUSALS, problems
from api.http.pages import page, page_of, place
from api.http.till import (
    IDEMPOTENCY_PARAMETER,
    answer_line,
    id_of,
    line_of,
    stated,
    the_key,
    told_as_json,
)
from api.schemas.transactions import (
    RefundStated,
    TransactionQuery,
    TransactionStated,
    TransactionView,
)
from clearinghouse.domain.transactions import Line
from clearinghouse.operations.receipts import Receipt
from clearinghouse.operations.transactions import refund_of, transaction, transactions
from clearinghouse.store.receipts import Wanted

blueprint = Blueprint(
    "transactions", __name__, url_prefix="/v1/transactions", description="交易 Transactions"
)


@blueprint.post("")
@needs("transactions:write")
@problems(*REFUSALS)
@blueprint.arguments(TransactionStated)
@blueprint.response(201, TransactionView)
@blueprint.doc(parameters=[IDEMPOTENCY_PARAMETER])
def post_transaction(body: dict[str, Any]) -> Response:
    """入账一笔交易 Post a transaction of any kind.

    应答说明动用了哪些批次、每条清算腿、是否跨系统、适用的规则版本、手续费及其原因。
    The answer has the lots it moved, its legs, whether they cross systems, the rule version, the fee and why.
    """
    return answer_line(the_key(body), line_of(Line, body, body["original_txn_ref"]))


@blueprint.get("")
@needs("transactions:read")
@blueprint.arguments(TransactionQuery, location="query")
@blueprint.response(200, page_of(TransactionView))
def list_transactions(query: dict[str, Any]) -> Response:
    """本系统接待的交易，最新在前 The transactions that your hotels hosted, the newest first."""
    before = place(query)
    wanted = Wanted(query["host_hotel"], query["kind"], query["txn_ref"], query["business_date"])
    found = transactions(
        the_context(),
        caller(),
        wanted,
        None if before is None else id_of(before, ""),
        query["limit"] + 1,
    )
    told = page(found, query["limit"], lambda receipt: receipt.txn_id.hex)
    return told_as_json({**told, "data": [_document(receipt) for receipt in told["data"]]})


@blueprint.get("/<txn_id>")
@needs("transactions:read")
@problems("not_found")
@blueprint.response(200, TransactionView)
def show_transaction(txn_id: str) -> Response:
    """一笔交易 One transaction that your hotels hosted."""
    return told_as_json(_document(transaction(the_context(), caller(), id_of(txn_id, "txn_"))))


@blueprint.post("/<txn_id>/refund")
@needs("transactions:write")
@problems("not_found", *REFUSALS)
@blueprint.arguments(RefundStated)
@blueprint.response(201, TransactionView)
@blueprint.doc(parameters=[IDEMPOTENCY_PARAMETER])
def refund_transaction(body: dict[str, Any], txn_id: str) -> Response:
    """退款，可分多次 Refund all or part of a transaction, once or several times."""
    key = the_key(body)
    line = refund_of(the_context(), caller(), id_of(txn_id, "txn_"), stated(body))
    return answer_line(key, line)


def _document(receipt: Receipt) -> dict[str, Any]:
    return transaction_document(receipt, the_context().vault, caller().system)
