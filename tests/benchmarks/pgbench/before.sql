\set traveller random(1, {travellers})
\set hotel random(1, {hotels})
\set system random(1, {systems})
\set amount random(10, 60)
\set key random(1, 9000000000000000)
BEGIN;
SELECT pg_try_advisory_xact_lock(727009, (:key::bigint % 2000000000)::int);
SELECT request, status, body FROM idempotent_answers WHERE client = 1 AND key = decode(lpad(to_hex(:key::bigint), 32, '0'), 'hex');
SELECT number FROM directory_version;
SELECT c.number_index, c.number, c.traveller, c.issuer_hotel, t.given_on, t.system, t.tier_code, t.alliance_level
    FROM cards c JOIN card_tiers t ON t.card = c.number WHERE c.number = :traveller;
SELECT FROM travellers WHERE number = :traveller FOR NO KEY UPDATE;
SELECT pg_advisory_xact_lock_shared(727003, {period});
SELECT coalesce(max(period), 0) FROM periods WHERE state <> 'open';
SELECT content, txn_id FROM transaction_refs WHERE host_hotel = :hotel AND txn_ref = 'P' || :key::bigint;
SELECT number, remaining FROM debts WHERE traveller = :traveller AND remaining > 0;
