"""The sandbox over the wire: its clock, and a month's close that does not happen."""

from __future__ import annotations

from marshmallow import fields

from api.schemas.base import Choice, Moment, Money, Schema, Text, Whole
from api.schemas.periods import PositionView
from clearinghouse.domain.rulebook import FEE_KINDS
from clearinghouse.operations.packs.fields import AMOUNT_MAX
from clearinghouse.store.periods import STATES

_MOST = 1000 * AMOUNT_MAX


class ClockView(Schema):
    """What time it is in the sandbox, and by how many seconds that is ahead of the world's."""

    now = Moment(required=True)
    ahead_seconds = Whole(0, _MOST, required=True)


class ClockMove(Schema):
    """The moment to which the clock is put forward."""

    now = Moment(required=True)


class ActivityView(Schema):
    """Legs of one kind that the caller hosted: those that crossed systems, and those inside its own."""

    kind = Choice(*FEE_KINDS, required=True)
    cross_count = Whole(0, _MOST, required=True)
    cross_base = Money(required=True)
    fee = Money(required=True)
    own_count = Whole(0, _MOST, required=True)
    own_base = Money(required=True)


class CounterpartyView(Schema):
    """What was exchanged with one other system; ``net`` is before fees."""

    system = fields.String(required=True)
    name_zh = fields.String(required=True)
    name_en = fields.String(required=True)
    receivable_count = Whole(0, _MOST, required=True)
    receivable = Money(required=True)
    payable_count = Whole(0, _MOST, required=True)
    payable = Money(required=True)
    net = Money(required=True)


class PreviewView(Schema):
    """The caller's statement of a month, as it would be if the month closed now.

    ``state`` is the month's own, null before anything is posted to it. ``open_before`` are earlier months that have to
    close first; the opening balance is without them.
    """

    period = Text(7, least=7, pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", required=True)
    state = Choice(*STATES, required=True, allow_none=True)
    open_before = fields.List(fields.String(), required=True)
    system = fields.String(required=True)
    cut_off_at = Moment(required=True)
    due_date = fields.Date(required=True)
    rulebook_versions = fields.List(fields.String(), required=True)
    opening = Money(required=True)
    position = fields.Nested(PositionView, required=True)
    vat_on_top = fields.Boolean(required=True)
    closing = Money(required=True)
    activities = fields.List(fields.Nested(ActivityView), required=True)
    counterparties = fields.List(fields.Nested(CounterpartyView), required=True)
    line_count = Whole(0, _MOST, required=True)
