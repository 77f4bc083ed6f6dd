"""What an intruder with the rights of the owner might do to the books, and which check must find it.

The books are those of ``tests.alliances.live_a_while``, where the reference of a transaction is its place in the story.
In braces: ``{txn 4}`` is the id of transaction 4, ``{leg 4}`` and ``{of 4}`` are its legs and its postings; ``{free
table name}`` drops a constraint that would refuse the deed; hotels and systems go by their codes.
"""

import re

PROTECTED = (
    "postings", "legs", "transactions", "entries", "transaction_refs", "positions", "obligations",
    "points_liability", "period_files", "period_file_chunks", "periods", "netted_runs", "memberships",
    "rulebooks", "acceptances", "authorizations", "file_signatures", "signing_keys", "bank_files",
    "bank_lines", "payment_allocations", "payment_instructions", "payment_matches", "payment_match_parts",
    "adjustments", "disputes", "proposals",
)  # fmt: skip

_TABLE = """
1.1  UPDATE postings SET asset = 2 WHERE {of 1}
1.1  UPDATE postings SET credit = 24 WHERE {of 1}
1.1  {free postings two_sides}; UPDATE postings SET credit = debit WHERE {of 1}
1.1  {free postings postings_amount_check}; UPDATE postings SET amount = -amount WHERE {of 1}
1.2  UPDATE postings SET credit = 999 * 32 + 1 WHERE {of 1}
1.2  UPDATE postings SET debit = 999 * 32 + 8 WHERE {of 1}
1.2  UPDATE postings SET credit = 1 * 32 + 24 WHERE credit = 24
1.2  UPDATE postings SET credit = 31 WHERE {of 1}
1.3  DELETE FROM transactions WHERE {leg 4}
1.3  DELETE FROM entries WHERE kind = 'expiry'
1.3  DELETE FROM postings USING entries e WHERE e.entry_id = postings.entry_id AND e.kind = 'vat'
1.4  UPDATE transactions SET points = points + 1 WHERE {leg 4}
1.4  UPDATE transactions SET amount_minor = amount_minor + 1 WHERE {leg 5}
1.4  DELETE FROM postings WHERE {of 4}
1.4  DELETE FROM postings WHERE {of 3} AND seq = 2
1.4  UPDATE transactions SET traveller = 2 WHERE {leg 2}
1.4  UPDATE postings SET amount = amount + 1 WHERE {of 7} AND seq = 1
1.4  UPDATE transactions SET kind = 'award' WHERE {leg 8}
1.5  UPDATE legs SET fee_minor = fee_minor + 1 WHERE {leg 2}
1.5  UPDATE legs SET obligation_minor = obligation_minor - 1 WHERE {leg 9}
1.5  UPDATE postings SET amount = amount + 1 WHERE {of 2} AND credit = 24
1.5  DELETE FROM legs WHERE {leg 6}
1.6  ALTER TABLE postings_202612 DISABLE TRIGGER append_only
1.6  ALTER TABLE transactions DISABLE TRIGGER USER
1.6  DROP TRIGGER no_truncate ON legs_202610
1.6  DROP TRIGGER no_truncate ON transaction_refs_3
1.6  DROP TRIGGER frozen ON positions
1.6  ALTER TABLE periods DISABLE TRIGGER goes_forward
1.6  ALTER TABLE audit_log ENABLE REPLICA TRIGGER append_only
1.6  GRANT UPDATE ON postings TO clearinghouse_poster
1.6  GRANT DELETE ON positions TO clearinghouse_poster
1.6  DROP TRIGGER published ON period_files
1.6  DROP TRIGGER netted ON adjustments
1.6  ALTER TABLE disputes DISABLE TRIGGER goes_forward
1.6  GRANT UPDATE ON dispute_evidence TO clearinghouse_poster
1.6  GRANT DELETE ON legs_202610 TO clearinghouse_reader
1.6  ALTER TABLE postings DETACH PARTITION postings_202611
1.6  CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
2.1  UPDATE lots SET remaining = remaining - 1 WHERE remaining > 100
2.1  UPDATE lots SET issued = issued + 1 WHERE {leg 5}
2.1  UPDATE lots SET expired = expired - 1 WHERE expired > 0
2.1  UPDATE lots SET gone = 0 WHERE gone > 0
2.1  UPDATE lots SET traveller = 2 WHERE traveller = 1
2.1  UPDATE lots SET issuer_hotel = {hotel AUR-SH} WHERE {leg 5}
2.1  UPDATE postings SET lot = NULL WHERE {of 4}
2.1  UPDATE postings SET lot = 999 WHERE {of 4}
2.1  DELETE FROM lots WHERE {leg 24}
2.2  UPDATE lots SET remaining = remaining - 1 WHERE asset = 2
2.2  DELETE FROM postings WHERE {of 24}
2.3  ALTER TABLE lots DROP CONSTRAINT held_within_remaining; UPDATE lots SET held = remaining + 1 WHERE remaining > 100
2.3  UPDATE lots SET expires_on = '2026-11-30' WHERE expires_on = '2026-12-31' AND remaining > 0
2.3  UPDATE lots SET expires_on = NULL WHERE remaining > 0 AND asset = 1
2.3  UPDATE lots SET forgiven = forgiven + 1 WHERE forgiven > 0
2.3  UPDATE lots SET gone = gone + 1000 WHERE remaining > 100
2.4  UPDATE lots SET expires_on = expires_on + 1 WHERE expires_on > '2026-12-31'
2.4  UPDATE lots SET usable_from = usable_from - 1 WHERE {leg 24}
2.4  UPDATE lots SET txn_id = {txn 1} WHERE {leg 24}
2.4  UPDATE transactions SET lot = NULL WHERE {leg 24}
2.4  UPDATE lots SET restored_from = (SELECT max(number) FROM lots) WHERE restored_from IS NOT NULL
2.4  UPDATE lots SET issued = issued + 1 WHERE restored_from IS NOT NULL
2.5  UPDATE debts SET owed = owed + 1
2.5  UPDATE debts SET remaining = owed, posted = owed
2.5  UPDATE debts SET issuer_hotel = {hotel AUR-BJ}
2.5  UPDATE debts SET ends_on = ends_on + 1
2.5  DELETE FROM debts
2.5  UPDATE postings SET amount = amount + 1 WHERE debit & 31 = 3
2.6  UPDATE lots SET held = 1 WHERE number = (SELECT min(number) FROM lots WHERE remaining > 100)
2.6  UPDATE authorizations SET parts = ARRAY[1]
2.6  UPDATE authorizations SET lots = ARRAY[99]
3.1  UPDATE lots SET remaining = remaining - 1 WHERE remaining > 100
3.1  UPDATE lots SET issuer_hotel = {hotel CLD-GZ} WHERE {leg 16}
3.1  DELETE FROM postings WHERE {of 6} AND seq = 1
3.2  UPDATE points_liability SET issued = issued + 1, redeemed = redeemed + 1
3.2  UPDATE points_liability SET debts = debts + 1
3.2  DELETE FROM points_liability WHERE closing > 0
3.2  INSERT INTO points_liability SELECT {december}, number, 0, 1, 0, 0, 0, 1, 0 FROM hotels
3.2  UPDATE postings SET amount = amount + 1 WHERE {of 1} AND seq = 1
3.3  UPDATE points_liability SET opening = opening + 1, closing = closing + 1 WHERE period > {october}
4.1  UPDATE positions SET net_minor = net_minor + 1
4.1  UPDATE positions SET adjustments_minor = adjustments_minor + 1, payable_minor = payable_minor + 1
4.1  UPDATE positions SET net_minor = net_minor + system - 2
4.1  DELETE FROM positions WHERE period = {october}
4.2  UPDATE positions SET receivable_minor = receivable_minor + 1, payable_minor = payable_minor + 1
4.2  UPDATE positions SET fees_minor = fees_minor + 1, net_minor = net_minor - 1
4.2  DELETE FROM legs WHERE {leg 2}
4.3  UPDATE obligations SET amount_minor = amount_minor + 1
4.3  UPDATE obligations SET count = count + 1
4.3  DELETE FROM obligations
4.4  UPDATE postings SET amount = amount + 1 WHERE {of 3} AND credit = 24
4.4  UPDATE postings SET amount = amount + 1 WHERE credit = 25
4.4  DELETE FROM postings WHERE credit = 25
4.5  UPDATE positions SET vat_minor = vat_minor + 1 WHERE vat_minor > 0
4.5  UPDATE positions SET vat_on_top = NOT vat_on_top
4.6  UPDATE adjustments SET amount_minor = amount_minor + 1 WHERE amount_minor > 0 AND counterparty IS NOT NULL
4.6  UPDATE adjustments SET amount_minor = amount_minor + 1 WHERE counterparty IS NULL
4.6  DELETE FROM adjustments WHERE amount_minor < 0
4.6  DELETE FROM adjustments WHERE counterparty IS NULL
4.6  UPDATE adjustments SET entry_id = {txn 4}
4.6  UPDATE entries SET kind = 'vat' WHERE kind = 'adjustment'
4.6  UPDATE postings SET amount = amount + 1 FROM adjustments a WHERE a.entry_id = postings.entry_id
4.7  UPDATE disputes SET upheld_minor = upheld_minor + 1
4.7  UPDATE adjustments SET dispute_id = NULL WHERE dispute_id IS NOT NULL
4.7  UPDATE disputes SET period = period + 3
4.8  UPDATE payment_instructions SET confirmed_minor = confirmed_minor - 1 WHERE confirmed_minor > 0
4.8  INSERT INTO payment_allocations (kind, system, amount_minor, in_period, at) VALUES ('carry', 1, 5, 1, now())
4.8  DELETE FROM payment_instructions WHERE period = {october} + 1 AND system = {system CLD}
4.9  ALTER TABLE proposals DROP CONSTRAINT two_people; UPDATE proposals SET ended_by = '示例甲 '
4.9  INSERT INTO proposals (dispute_id, document, proposed_by, reason, proposed_at, state, ended_by, ended_at) \
SELECT dispute_id, document, 'x', reason, proposed_at, state, proposed_by, ended_at FROM proposals
5.1  {free legs no_exchange_no_fee}; UPDATE legs SET fee_minor = 1 WHERE {leg 1}
5.1  {free legs no_exchange_no_fee}; UPDATE legs SET host_system = issuer_system WHERE {leg 2}
5.2  UPDATE legs SET fee_minor = fee_minor - 1 WHERE {leg 2}
5.2  UPDATE legs SET fee_minor = fee_minor + 1 WHERE {leg 7}
5.2  UPDATE legs SET obligation_minor = 0 WHERE {leg 6}
5.2  UPDATE legs SET obligation_minor = base_minor WHERE {leg 2}
5.2  UPDATE legs SET points = points + 1 WHERE {leg 3} AND leg_no = 1
5.2  UPDATE legs SET base_minor = base_minor - 100 WHERE {leg 9}
5.2  UPDATE legs SET points = NULL WHERE {leg 3}
5.2  UPDATE legs SET rulebook = 2 WHERE {leg 3}
5.2  UPDATE legs SET rulebook = 99 WHERE {leg 2}
5.3  UPDATE legs SET host_system = {system CLD} WHERE {leg 2}
5.3  UPDATE legs SET issuer_system = {system BAM} WHERE {leg 11}
5.3  UPDATE legs SET issuer_system = {system AUR} WHERE {leg 18}
5.3  UPDATE legs SET host_hotel = {hotel CLD-GZ} WHERE {leg 2}
5.3  UPDATE legs SET rulebook = 2 WHERE {leg 2}
5.3  UPDATE memberships SET effective_from = '2026-12-01' WHERE effective_from = '2026-11-10'
5.3  UPDATE memberships SET effective_from = '2026-10-30' WHERE hotel = {hotel CLD-GZ}
5.4  UPDATE legs SET base_minor = base_minor + 1 WHERE {leg 2}
5.4  UPDATE legs SET points = points + 1 WHERE {leg 3} AND leg_no = 2
5.4  DELETE FROM legs WHERE {leg 3} AND leg_no = 2
5.4  DELETE FROM legs WHERE {leg 1}
5.4  UPDATE legs SET leg_no = 3 WHERE {leg 3} AND leg_no = 2
5.4  UPDATE transactions SET card = (SELECT max(number) FROM cards) WHERE {leg 1}
5.4  UPDATE legs SET issuer_hotel = {hotel AUR-SH} WHERE {leg 2}
5.5  UPDATE legs SET points = points + CASE leg_no WHEN 1 THEN 1 ELSE -1 END WHERE {leg 3}
5.5  UPDATE postings SET credit = {hotel AUR-SH} * 32 + 14 WHERE {of 6} AND seq = 1
5.5  UPDATE legs SET issuer_hotel = {hotel CLD-GZ} WHERE {leg 9}
5.6  DELETE FROM acceptances WHERE system = {system CLD}
5.7  UPDATE rulebooks SET document = jsonb_set(document, ARRAY['vat_ppm'], '1') WHERE version = 'v1'
5.7  UPDATE rulebooks SET document = document - 'effective_from' WHERE version = 'v1'
5.7  UPDATE rulebooks SET sha256 = repeat('0', 64) WHERE version = 'v2'
5.2  UPDATE rulebooks SET document = jsonb_set(document, ARRAY['fees', 'spend', 'rate_ppm'], '"x"')
6.1  DELETE FROM transaction_refs WHERE txn_ref = '4'
6.1  UPDATE transaction_refs SET txn_id = gen_random_uuid() WHERE txn_ref = '4'
6.1  UPDATE transactions SET txn_ref = 'other' WHERE {leg 4}
6.1  UPDATE transactions SET host_hotel = {hotel CLD-GZ} WHERE {leg 4}
6.1  INSERT INTO transaction_refs SELECT host_hotel, 'copy', content, txn_id FROM transaction_refs WHERE txn_ref = '4'
6.2  UPDATE transactions SET amount_minor = 40000 WHERE {leg 7}
6.2  UPDATE transactions SET original_ref = '4' WHERE {leg 7}
6.2  UPDATE transactions SET original = gen_random_uuid() WHERE {leg 7}
6.2  UPDATE transactions SET original = {txn 8} WHERE {leg 7}
6.2  UPDATE transactions SET card = (SELECT max(number) FROM cards) WHERE {leg 7}
6.2  UPDATE transactions SET business_date = '2026-10-01' WHERE {leg 7}
6.2  UPDATE transactions SET original = NULL WHERE {leg 7}
6.3  UPDATE legs SET rulebook = 2 WHERE {leg 9}
6.3  DELETE FROM legs WHERE {leg 9}
6.3  DELETE FROM legs WHERE {leg 19}
6.3  UPDATE legs SET reverses_leg = 7 WHERE {leg 9}
6.3  UPDATE legs SET reverses_txn = {txn 4} WHERE {leg 9}
6.3  UPDATE legs SET reverses_txn = NULL, reverses_leg = NULL WHERE {leg 9}
6.3  UPDATE legs SET reverses_txn = {txn 2}, reverses_leg = 1 WHERE {leg 17}
6.4  UPDATE transactions SET earn_ppm = earn_ppm + 500000 WHERE {leg 2}
6.4  UPDATE transactions SET points = points - 1 WHERE {leg 1}
6.4  UPDATE transactions SET points = points - 1 WHERE {leg 19}
6.5  UPDATE transactions SET rulebook = 2 WHERE {leg 1}
6.5  UPDATE transactions SET rulebook = 1 WHERE {leg 24}
6.5  UPDATE transactions SET rulebook = 99 WHERE {leg 24}
7.1  UPDATE transactions SET late = true WHERE {leg 1}
7.1  UPDATE transactions SET late = false WHERE {leg 15}
7.1  UPDATE transactions SET business_date = '2026-11-30' WHERE {leg 1}
7.1  UPDATE transactions SET late = true, business_date = '2026-09-30' WHERE {leg 23}
7.1  UPDATE transactions SET posted_at = '2026-12-31' WHERE {leg 1}
7.1  UPDATE transactions SET txn_id = gen_random_uuid() WHERE {leg 1}
7.2  UPDATE periods SET state = 'open' WHERE period = {october}
7.2  UPDATE periods SET published_at = NULL WHERE period = {october}
7.2  UPDATE periods SET closing_at = published_at + interval '1 day' WHERE published_at IS NOT NULL
7.2  UPDATE entries SET posted_at = posted_at + interval '1 day'
7.3  UPDATE period_file_chunks SET bytes = set_byte(bytes, 9, get_byte(bytes, 9) # 1) WHERE path = 'positions.csv'
7.3  DELETE FROM period_file_chunks WHERE path = 'statements/AUR.pdf'
7.3  UPDATE period_files SET sha256 = repeat('0', 64) WHERE path = 'statements/AUR.csv'
7.3  INSERT INTO period_file_chunks SELECT period, path, 9, bytes FROM period_file_chunks WHERE path = 'positions.csv'
7.4  {gone positions.csv}; DELETE FROM period_files WHERE path = 'positions.csv'
7.4  DELETE FROM period_file_chunks WHERE path = 'manifest.json'
7.4  UPDATE period_files SET rows = rows + 1 WHERE path = 'positions.csv'
7.4  INSERT INTO period_files VALUES ({october}, 'more.csv', NULL, 'x', 0, 0)
7.5  DELETE FROM file_signatures WHERE path = 'statements/AUR.pdf'
7.5  UPDATE file_signatures SET signature = signature || 'A' WHERE path = 'manifest.json'
7.5  UPDATE file_signatures SET signature = {other statements/AUR.csv} WHERE path = 'statements/AUR.pdf'
7.5  UPDATE period_files SET sha256 = repeat('0', 64) WHERE path = 'statements/AUR.csv'
7.5  UPDATE period_files SET system = {system BAM} WHERE path = 'statements/AUR.csv'
7.5  UPDATE signing_keys SET compromised_at = now() WHERE purpose = 'statement'
7.5  UPDATE signing_keys SET public_key = jsonb_set(public_key, ARRAY['x'], to_jsonb(repeat('A', 43)))
7.6  UPDATE payment_instructions SET confirmed_minor = amount_minor
8.1  UPDATE rollups SET amount = amount + 1
8.1  UPDATE rollups SET count = count + 1 WHERE measure = 1
8.1  DELETE FROM rollup_increments
8.1  INSERT INTO rollup_increments SELECT * FROM rollup_increments LIMIT 1
8.1  DELETE FROM postings WHERE {of 24} AND seq = 1
8.1  UPDATE legs SET fee_minor = fee_minor + 1 WHERE {leg 22}
8.2  UPDATE obligations SET amount_minor = amount_minor + 1
8.2  UPDATE positions SET receivable_minor = receivable_minor + 1
8.3  UPDATE positions SET vat_minor = vat_minor + 1
8.3  DELETE FROM period_file_chunks WHERE path = 'statements/OPERATOR.json'
8.3  UPDATE period_file_chunks SET bytes = {bytes '889' '888'} WHERE path = 'statements/BAM.csv'
8.3  UPDATE period_file_chunks SET bytes = {bytes '889,' '888,'} WHERE path = 'statements/BAM.json'
8.3  UPDATE period_file_chunks SET bytes = 'x' WHERE path = 'statements/OPERATOR.json'
9.1  UPDATE postings SET debit = {system AUR} * 32 + 17, credit = 27 WHERE {of 2} AND credit = 24
9.1  DELETE FROM payment_allocations WHERE kind = 'collateral'
9.2  UPDATE postings SET credit = {system AUR} * 32 + 18 WHERE {of 2} AND credit = 24
9.2  INSERT INTO defaults (period, system, unpaid_minor, collateral_minor, fund_minor, haircut_minor, borne_minor, \
declared_at) VALUES ({october}, {system AUR}, 9, 0, 0, 9, 0, now())
9.3  UPDATE postings SET credit = 28 WHERE {of 2} AND credit = 24
9.3  INSERT INTO contributions VALUES ({december}, {system AUR}, 100, 100000, 10, now())
9.4  INSERT INTO standings (system, step, recorded_at, reason) VALUES ({system AUR}, 'suspended', '2026-01-01', 'x')
9.4  INSERT INTO standings (system, step, withdrawn_on, run_off_until, recorded_at, reason) \
VALUES ({system BAM}, 'withdrawn', '2026-10-01', '2027-10-31', '2026-01-01', 'x')
9.5  UPDATE bank_lines SET amount_minor = amount_minor + 1 WHERE entry_reference = 'P4'
9.5  UPDATE bank_lines SET incoming = NOT incoming WHERE entry_reference = 'P4'
9.5  UPDATE bank_lines SET entry_id = gen_random_uuid() WHERE entry_reference = 'P4'
9.5  UPDATE postings SET amount = amount + 1 WHERE 26 IN (debit, credit)
9.5  UPDATE bank_files SET lines = 1
9.6  INSERT INTO payment_allocations (kind, system, amount_minor, line, in_period, at, entry_id) \
SELECT 'bank', 1, 77778, number, 1, now(), entry_id FROM bank_lines WHERE entry_reference = 'P4'
9.6  UPDATE payment_allocations SET amount_minor = -amount_minor \
WHERE line = (SELECT number FROM bank_lines WHERE entry_reference = 'P1')
9.6  DELETE FROM payment_allocations WHERE number = (SELECT max(number) FROM payment_allocations WHERE kind = 'bank')
9.7  UPDATE payment_allocations SET amount_minor = 2 * amount_minor WHERE kind = 'bank'
9.7  UPDATE payment_allocations SET system = {system CLD} WHERE period IS NULL
9.7  UPDATE payment_allocations SET entry_id = gen_random_uuid() WHERE kind = 'bank'
9.7  UPDATE payment_allocations SET in_period = in_period + 1 WHERE kind = 'bank'
9.8  UPDATE payment_instructions SET confirmed_minor = confirmed_minor + 1 WHERE state = 'partial'
9.8  UPDATE payment_instructions SET covered_minor = 1
9.8  UPDATE payment_instructions SET carried_minor = carried_minor + 5, net_minor = net_minor - 5
9.8  UPDATE payment_instructions SET set_off_minor = set_off_minor + 1 WHERE direction = 'out'
9.8  UPDATE payment_instructions SET period = {october} + 2 WHERE period = {october} + 1 AND system = {system CLD}
9.8  DELETE FROM payment_instructions WHERE period = {october} + 1 AND system = {system CLD}
9.9  ALTER TABLE payment_matches DROP CONSTRAINT four_eyes; \
UPDATE payment_matches SET decided_by = ' Ｍaker' WHERE state = 'confirmed'
9.9  UPDATE payment_matches SET state = 'rejected' WHERE state = 'confirmed'
9.9  UPDATE payment_match_parts SET amount_minor = amount_minor + 1
"""

_WORDS = {
    "txn": "(SELECT txn_id FROM transactions WHERE txn_ref = '{0}')",
    "leg": "txn_id = (SELECT txn_id FROM transactions WHERE txn_ref = '{0}')",
    "of": "entry_id = (SELECT txn_id FROM transactions WHERE txn_ref = '{0}')",
    "hotel": "(SELECT number FROM hotels WHERE code = '{0}')",
    "system": "(SELECT number FROM systems WHERE code = '{0}')",
    "free": "ALTER TABLE {0} DROP CONSTRAINT {1}; ALTER TABLE {0}_202610 DROP CONSTRAINT IF EXISTS {1}",
    "gone": "DELETE FROM period_file_chunks WHERE path = '{0}'; DELETE FROM file_signatures WHERE path = '{0}'",
    "other": "(SELECT signature FROM file_signatures b WHERE b.path = '{0}' AND b.period = file_signatures.period)",
    "bytes": "convert_to(replace(convert_from(bytes, 'UTF8'), {0}, {1}), 'UTF8')",
    "october": str(2026 * 12 + 9),
    "december": str(2026 * 12 + 11),
}


def spelled_out(deed: str) -> str:
    """Return the statement, with the words in braces replaced."""
    return re.sub(
        r"\{(?P<word>[a-z]+)(?P<rest>[^{}]*)\}",
        lambda found: _WORDS[found["word"]].format(*found["rest"].split()),
        deed,
    )


#: The number of the check, and the deed.
TAMPERING = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in _TABLE.strip().splitlines()
]
