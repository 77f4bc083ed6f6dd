INSERT INTO lots (number, traveller, issuer_hotel, asset, txn_id, period, issued, remaining, usable_from, expires_on)
    VALUES (nextval('lot_numbers'), :traveller, :hotel, 1, lpad(to_hex(:key::bigint), 32, '0')::uuid, {period}, :amount, :amount,
    '2025-03-20', '2026-03-31');
