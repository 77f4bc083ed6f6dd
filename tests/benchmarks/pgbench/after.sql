INSERT INTO transaction_refs VALUES (:hotel, 'P' || :key::bigint, '\x00112233445566778899aabbccddeeff', lpad(to_hex(:key::bigint), 32, '0')::uuid);
INSERT INTO transactions (period, txn_id, host_hotel, host_system, txn_ref, kind, card, traveller, business_date, occurred_at,
    posted_at, points, rulebook, late) VALUES ({period}, lpad(to_hex(:key::bigint), 32, '0')::uuid, :hotel, :system, 'P' || :key::bigint,
    '{kind}', :traveller, :traveller, '2025-03-20', now(), now(), :amount, 1, false);
INSERT INTO legs (period, txn_id, leg_no, fee_kind, host_hotel, host_system, issuer_hotel, issuer_system, rulebook, points,
    base_minor, obligation_minor, fee_minor) VALUES ({period}, lpad(to_hex(:key::bigint), 32, '0')::uuid, 1, '{kind}', :hotel, 1, 1, 2, 1,
    :amount, :amount, :amount, 1);
INSERT INTO postings SELECT {period}, lpad(to_hex(:key::bigint), 32, '0')::uuid, n, 33, 65, 1, :amount, NULL FROM generate_series(1, 3) AS n;
INSERT INTO rollup_increments SELECT {period}, n, 1, 2, 1, :amount FROM generate_series(1, 3) AS n;
INSERT INTO outbox (at, kind, system, payload) VALUES (now(), 'transaction.posted', :system,
    '{{"transaction": "txn_00000000000000000000000000000000", "kind": "redeem", "host_hotel": "H0001", "txn_ref": "P", "points": 1}}');
INSERT INTO idempotent_answers VALUES (1, decode(lpad(to_hex(:key::bigint), 32, '0'), 'hex'), '\x00112233445566778899aabbccddeeff', 201,
    convert_to(repeat('x', 1500), 'UTF8'), now());
COMMIT;
