"""What the Python client calls, resource by resource, against the application behind a socket."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.app import create_app
from clearinghouse.client import (
    ClearinghouseProblem,
    Client,
    NoAnswer,
    SignatureInvalid,
    verify_statement,
    verify_webhook,
)
from clearinghouse.operations.signatures import Secrets, signed_headers
from tests.alliances import CARDS
from tests.api.calling import AT, DAY, client_of, redeem
from tests.api.service import Service
from tests.api.wire import Line as Wire
from tests.api.wire import (
    cut_short,
    line_to,
    lost_after,
    served,
)
from tests.operations.months import publish_without_files


def test_a_card_at_the_front_desk(service: Service, wire: Wire) -> None:
    with client_of(service, wire, "BAM") as bam:
        card = bam.cards.lookup(CARDS["T1"])
        assert (card.is_own_system, card.own) == (False, None)
        treated = bam.cards.treatment(card.card_id, "BAM-HZ")
        assert (treated.tier_code, treated.name_zh, treated.reason) == ("B2", "金卡", "reciprocal")
        assert (treated.business_date, str(treated.earn_points_per_yuan)) == (DAY, "1.5")
        assert card.treatment == treated
        balance = bam.cards.balance(card.card_id, "BAM-HZ")
        assert (balance.points.usable, balance.points.own_system) == (2_533, 1_333)
        assert balance.points.worth
        assert balance.points.worth.amount_minor == 2_533
        assert [hotel.code for hotel in bam.hotels.list(system="AUR")] == ["AUR-BJ", "AUR-SH"]
        assert bam.hotels.get("BAM-HZ").system.name_en == "Bamboo"


def test_ones_own_card(service: Service, wire: Wire) -> None:
    with client_of(service, wire, "AUR") as aur:
        card_id = aur.cards.lookup(CARDS["T1"]).card_id
        wire.faults.append(lost_after)
        changed = aur.cards.give_tier(card_id, "A1", tier_from=DAY, reason="year end")
        assert changed.treatment
        assert changed.treatment.tier_code == "A1"
        assert aur.cards.suspend(card_id, "lost").status == "suspended"
        assert aur.cards.reactivate(card_id).status == "active"
        wire.faults.append(lost_after)
        fresh = aur.cards.replace(card_id, reason="lost")
        assert (fresh.status, fresh.card_id != card_id) == ("active", True)
        assert aur.cards.get(card_id).status == "replaced"
        assert aur.cards.balance(fresh.card_id, "AUR-BJ").points.usable == 2_533
        assert aur.cards.close(fresh.card_id, "moved away").status == "closed"
        assert "李芳" not in repr(fresh)


def test_an_enrolment(service: Service, wire: Wire) -> None:
    codes: list[Any] = []
    options = replace(service.options, send=codes.append)
    with (
        served(lambda _: create_app(service.context, options)) as target,
        line_to(target) as line,
        client_of(service, line, "AUR") as client,
    ):
        begun = client.enrolments.begin(
            hotel="AUR-BJ", tier_code="A1", name="赵敏", phone="139 0013 9000"
        )
        with pytest.raises(ClearinghouseProblem, match="code_wrong"):
            client.enrolments.confirm(begun.enrolment_id, "no code")
        found = client.enrolments.confirm(begun.enrolment_id, codes[0].code)
        assert (found.outcome, found.card.status) == ("issued", "active")
        assert found.card.own
        assert found.card.own.holder_name == "赵敏"


def test_a_hold_and_a_refund_on_a_bad_line(service: Service, wire: Wire, cld: Client) -> None:
    when: Any = {"business_date": DAY, "occurred_at": AT}
    card_id = cld.cards.lookup(CARDS["T1"]).card_id
    wire.faults.append(lost_after)
    held = cld.authorizations.hold(
        "redeem", host_hotel="CLD-GZ", txn_ref="H1", card=card_id, points=1_500, **when
    )
    assert (held.state, held.points, held.replayed) == ("held", 1_500, True)
    wire.faults.append(lost_after)
    used = cld.authorizations.capture(held.id, points=1_000, **when)
    assert (used.txn_ref, used.points, used.card_id) == ("H1", 1_000, card_id)
    wire.faults.append(lost_after)
    back = cld.transactions.refund(used.id, txn_ref="H1-R", points=400, **when)
    assert back.original
    assert (back.original.id, back.points) == (used.id, 400)
    second = cld.authorizations.hold(
        "redeem", host_hotel="CLD-GZ", txn_ref="H2", card=CARDS["T1"], points=500, **when
    )
    wire.faults.append(lost_after)
    assert cld.authorizations.void(second.id).state == "voided"
    assert cld.authorizations.get(held.id).captured_points == 1_000
    assert service.alliance.value("SELECT sum(remaining) FROM lots") == 2_533 - 600


def test_events_are_read_on_from_the_last_one(service: Service, wire: Wire, cld: Client) -> None:
    for number in range(120):
        redeem(cld, f"E{number}", 1)
    told = list(cld.events.after(kind="transaction.posted"))
    assert [event.data["txn_ref"] for event in told] == [f"E{n}" for n in range(120)]
    assert list(cld.events.after(told[-2].id, kind="transaction.posted")) == told[-1:]
    assert list(cld.events.after(told[-1].id)) == []
    redeem(cld, "E120", 1)
    assert [event.data["txn_ref"] for event in cld.events.after(told[-1].id)] == ["E120"]


def test_periods_and_statements(service: Service, wire: Wire) -> None:
    service.alliance.settle("2026-11")
    with client_of(service, wire, "BAM") as bam:
        (november,) = [row for row in bam.periods.list() if row.state == "published"]
        assert november.position
        assert (november.period, november.position.net.currency) == ("2026-11", "CNY")
        pdf = bam.periods.statement("2026-11", "pdf")
        assert pdf.startswith(b"%PDF")
        keys, signature = bam.periods.keys(), bam.periods.signature("2026-11", "pdf")
        signed = verify_statement(keys, signature, pdf, period="2026-11")
        assert (signed.period, signed.party, signed.path) == (
            "2026-11",
            "BAM",
            "statements/BAM.pdf",
        )
        for wrong in (
            (keys, signature, pdf + b" "),
            (keys, bam.periods.signature("2026-11", "csv"), pdf),
            (keys, signature[:-4] + b"AAAA", pdf),
            (keys, b"", pdf),
            ({"keys": []}, signature, pdf),
            ({"keys": [{**key, "purpose": "token"} for key in keys["keys"]]}, signature, pdf),
            ({"keys": [{**key, "revoked": {}} for key in keys["keys"]]}, signature, pdf),
        ):
            with pytest.raises(SignatureInvalid):
                verify_statement(*wrong)
        with pytest.raises(SignatureInvalid, match="of 2026-11, not of 2026-10"):
            verify_statement(keys, signature, pdf, period="2026-10")
        wire.faults.append(cut_short)
        whole = bam.periods.statement("2026-11", "csv")

        def changed(deliver: Any) -> Any:
            told = deliver()
            return told._replace(body=told.body.replace(b"2026", b"2025"))

        wire.faults.append(changed)
        with pytest.raises(ClearinghouseProblem, match="damaged"):
            bam.periods.statement("2026-11", "csv")
        assert bam.periods.statement("2026-11", "csv") == whole


def test_a_dispute_and_its_evidence(service: Service, wire: Wire) -> None:
    posted = service.alliance.accept("redeem", "CLD-GZ", "3", "T1", DAY, points=400)
    used = posted.txn.txn_id
    publish_without_files(service.alliance, "2026-11")
    with client_of(service, wire, "AUR") as aur, client_of(service, wire, "CLD") as cld:
        wire.faults.append(lost_after)
        opened = aur.disputes.open(
            f"txn_{used.hex}", reason="amount_wrong", text="少", claim_minor=1
        )
        assert (opened.state, opened.respondent, opened.claimed.amount_minor) == ("open", "CLD", 1)
        wire.faults.append(lost_after)
        brought = cld.disputes.add_evidence(opened.id, "小票 1.txt", "是 400 分".encode())
        assert (brought.name, brought.by) == ("小票 1.txt", "CLD")
        assert aur.disputes.evidence(opened.id, brought.id).decode() == "是 400 分"
        with pytest.raises(ValueError, match="evidence is"):
            cld.disputes.add_evidence(opened.id, "a.exe", b"MZ")
        accepted = cld.disputes.answer(opened.id, "accept", text="同意")
        assert accepted.upheld
        assert (accepted.state, accepted.upheld.amount_minor) == ("upheld", 1)
        assert [step.by for step in accepted.steps] == ["AUR", "CLD", "CLD"]
        assert list(aur.disputes.list(state="upheld")) == [aur.disputes.get(opened.id)]
        with pytest.raises(ClearinghouseProblem) as refused:
            aur.disputes.escalate(opened.id, text="再")
        assert refused.value.code == "escalation_closed"


MESSAGE = '{"type":"batch.finished","timestamp":"2026-11-10T04:00:00Z","data":{"酒店":1},"more":2}'


def test_a_message_is_proved_by_any_of_the_secrets() -> None:
    former, newer, other = Secrets.new(), Secrets.new(), Secrets.new()
    headers = signed_headers([newer, former], "evt_1", datetime.now(UTC), MESSAGE)
    body = MESSAGE.encode()
    for secrets in (former.shown, newer.shown, [other.shown, newer.shown]):
        event = verify_webhook(secrets, {k.title(): v for k, v in headers.items()}, body)
        assert (event.id, event.type, event.data) == ("evt_1", "batch.finished", {"酒店": 1})
    late = signed_headers([newer], "evt_1", datetime.now(UTC) - timedelta(minutes=6), MESSAGE)
    asymmetric = headers["webhook-signature"].split()[1]
    for wrong in (
        {},
        late,
        {**headers, "webhook-id": "evt_2"},
        {**headers, "webhook-timestamp": "now"},
        {**headers, "webhook-signature": "v1"},
        {**headers, "webhook-signature": "v1,no base64, v1,"},
        {**headers, "webhook-signature": asymmetric},
    ):
        with pytest.raises(SignatureInvalid):
            verify_webhook(newer.shown, wrong, body)
    for text in ("[]", "{}", "no JSON"):
        signed = signed_headers([newer], "evt_1", datetime.now(UTC), text)
        with pytest.raises(SignatureInvalid, match="no event"):
            verify_webhook(newer.shown, signed, text.encode())
    with pytest.raises(SignatureInvalid):
        verify_webhook(newer.shown, headers, body + b"\xff")
    with pytest.raises(SignatureInvalid):
        verify_webhook([], headers, body)


def test_webhooks(service: Service, wire: Wire, cld: Client) -> None:
    options = replace(service.options, webhook_private=True)
    with (
        served(lambda _: create_app(service.context, options)) as target,
        line_to(target) as line,
        client_of(service, line) as client,
    ):
        hook = client.webhooks.create(f"{line.url}/hooks")
        assert hook.secret
        assert hook.secret.startswith("whsec_")
        assert hook.secret not in repr(hook)
        assert [(row.id, row.secret) for row in client.webhooks.list()] == [(hook.id, None)]
        changed = client.webhooks.change(hook.id, kinds=["batch.finished"])
        assert (changed.kinds, changed.url) == (("batch.finished",), hook.url)
        assert client.webhooks.disable(hook.id).disabled_why == "owner"
        with pytest.raises(ClearinghouseProblem, match="webhook_disabled"):
            client.webhooks.test(hook.id)
        assert client.webhooks.enable(hook.id).enabled
        tested = client.webhooks.test(hook.id)
        client.webhooks.replay(hook.id, after=tested)
        client.webhooks.replay(hook.id)
        client.webhooks.resend(hook.id, tested)
        assert [row.event_id for row in client.webhooks.deliveries(hook.id)] == [tested]
        assert client.webhooks.rotate(hook.id, overlap_hours=0).secret not in (None, hook.secret)
        line.faults.append(lost_after)
        with pytest.raises(NoAnswer):
            client.webhooks.rotate(hook.id)
        client.webhooks.delete(hook.id)
        with pytest.raises(ClearinghouseProblem, match="not_found"):
            client.webhooks.get(hook.id)
